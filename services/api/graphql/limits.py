"""What a GraphQL document may ask for, decided before it is validated, once a document and set of page sizes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    Lexer,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    TokenKind,
    get_named_type,
    is_leaf_type,
)

from shared.domain.page import MOST
from shared.domain.publishing.planning.calendar import MOST_DAYS

MAX_DOCUMENT_BYTES = 100_000
MAX_TOKENS = 2_000
MAX_DEPTH = 12
MAX_ALIASES = 30
MAX_COST = 10_000
_TOO_DEEP_TO_WALK = 100
_INTROSPECTION = frozenset({"__schema", "__type"})
_OPENING = frozenset({TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L})
_CLOSING = frozenset({TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R})
# What is below these comes once for each day.
_BY_DAY = frozenset({"Calendar"})
# Reading a text anew takes as long as answering so many objects.
_WEIGHTS = {"Explanation": 50}
_PLUMBING = ("Edge", "PageInfo")


class LimitExceeded(Exception):
    """The document asks for more than anybody may; `code` says which limit."""

    def __init__(self, code: str, message: str, cost: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cost = cost


def check_size(text: str) -> None:
    """Raise LimitExceeded for a document of more than 100 kB."""
    if len(text) > MAX_DOCUMENT_BYTES or len(text.encode("utf-8", "replace")) > MAX_DOCUMENT_BYTES:
        raise LimitExceeded("DOCUMENT_LIMIT", f"a document has at most {MAX_DOCUMENT_BYTES} bytes")


def check_tokens(text: str) -> None:
    """Raise LimitExceeded for more than 2,000 tokens, and before braces in braces exhaust the parser.

    Raises GraphQLSyntaxError for what is no token.
    """
    lexer = Lexer(Source(text))
    count = level = deepest = 0
    while (kind := lexer.advance().kind) is not TokenKind.EOF:
        count += 1
        if count > MAX_TOKENS:
            raise LimitExceeded("TOKEN_LIMIT", f"a document has at most {MAX_TOKENS} tokens")
        level += (kind in _OPENING) - (kind in _CLOSING)
        deepest = max(deepest, level)
    if deepest > _TOO_DEEP_TO_WALK:
        raise LimitExceeded("DEPTH_LIMIT", f"fields stand at most {MAX_DEPTH} deep")


@dataclass(frozen=True, slots=True)
class Measure:
    """Fields above one another, aliases, and objects times page sizes; fragments are followed."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0
    bad_sizes: tuple[int, ...] = ()


def check(measure: Measure) -> None:
    """Raise LimitExceeded where the operation asks for more than the limits."""
    if measure.depth > MAX_DEPTH:
        raise LimitExceeded("DEPTH_LIMIT", f"fields stand at most {MAX_DEPTH} deep", measure.cost)
    if measure.aliases > MAX_ALIASES:
        raise LimitExceeded("ALIAS_LIMIT", f"{measure.aliases} aliases: at most {MAX_ALIASES}", measure.cost)
    if measure.bad_sizes:
        raise LimitExceeded("LIMIT_OUT_OF_RANGE", f"a page holds 1 to {MOST}, not {measure.bad_sizes[0]}", measure.cost)
    if measure.cost > MAX_COST:
        message = f"this may return {measure.cost} objects: at most {MAX_COST}; ask for smaller pages"
        raise LimitExceeded("COST_LIMIT", message, measure.cost)


def is_day(value: object) -> bool:
    """Whether a variable may be the beginning or end of a range of days, on which a measure depends."""
    return isinstance(value, str) and value[:4].isdigit() and value[4:5] == "-"


def measure(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Measure:
    """Measure an operation. What the schema does not know costs nothing: validation refuses it."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    sizes = {d.variable.name.value: _literal(d.default_value) for d in operation.variable_definitions or ()}
    walk = _Walk(schema, fragments, {**sizes, **variables})
    return walk.selections(operation.selection_set, schema.get_root_type(operation.operation), 0)


def _literal(node: Any) -> Any:
    return int(node.value) if node is not None and node.kind == "int_value" else None


@dataclass(slots=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[str, Measure] = field(default_factory=dict)
    entered: set[str] = field(default_factory=set)

    def selections(self, selected: SelectionSetNode | None, parent: GraphQLNamedType | None, level: int) -> Measure:
        if level > _TOO_DEEP_TO_WALK:
            raise LimitExceeded("DEPTH_LIMIT", f"fields stand at most {MAX_DEPTH} deep")
        depth = aliases = cost = 0
        bad: tuple[int, ...] = ()
        for selection in selected.selections if selected is not None else ():
            if isinstance(selection, FieldNode):
                found = self.field(selection, parent, level)
            elif isinstance(selection, FragmentSpreadNode):
                found = self.fragment(selection.name.value, level)
            else:
                condition = selection.type_condition  # type: ignore[attr-defined]
                type_ = self.schema.get_type(condition.name.value) if condition else parent
                found = self.selections(selection.selection_set, type_, level + 1)  # type: ignore[attr-defined]
            depth = max(depth, found.depth)
            aliases += found.aliases
            cost += found.cost
            bad += found.bad_sizes
        return Measure(depth, aliases, cost, bad[:1])

    def fragment(self, name: str, level: int) -> Measure:
        definition = self.fragments.get(name)
        if definition is None or name in self.entered:
            return Measure()
        if name not in self.known:
            self.entered.add(name)
            type_ = self.schema.get_type(definition.type_condition.name.value)
            self.known[name] = self.selections(definition.selection_set, type_, level + 1)
            self.entered.discard(name)
        return self.known[name]

    def field(self, node: FieldNode, parent: GraphQLNamedType | None, level: int) -> Measure:
        name = node.name.value
        aliases = 1 if node.alias is not None else 0
        if name in _INTROSPECTION:
            # The schema is small and ours; how deep its introspection goes is for validation's own rule.
            return Measure(1, aliases)
        known = parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        type_ = get_named_type(known.type) if known is not None else None
        below = self.selections(node.selection_set, type_, level + 1)
        size, bad = self.page_size(node) if known is not None and "first" in known.args else (1, ())
        if known is not None and type_ is not None and type_.name in _BY_DAY:
            size = self.days(node)
        is_free = type_ is None or is_leaf_type(type_) or type_.name.endswith(_PLUMBING)
        own = 0 if type_ is None or is_free else _WEIGHTS.get(type_.name, 1)
        return Measure(1 + below.depth, aliases + below.aliases, own + size * below.cost, bad + below.bad_sizes)

    def days(self, node: FieldNode) -> int:
        """How many days lie from `from` to `to`, as far as they can be read; else as many as may."""
        given: dict[str, Any] = {}
        for argument in node.arguments or ():
            value: Any = argument.value
            given[argument.name.value] = (
                self.variables.get(value.name.value) if value.kind == "variable" else getattr(value, "value", None)
            )
        try:
            since, until = (datetime.fromisoformat(given[name]) for name in ("from", "to"))
            return min(max(math.ceil((until - since) / timedelta(days=1)), 1), MOST_DAYS)
        except (KeyError, TypeError, ValueError):
            return MOST_DAYS

    def page_size(self, node: FieldNode) -> tuple[int, tuple[int, ...]]:
        """The `first` of a field as it stands, and that again where it is out of range."""
        size: Any = None
        for argument in node.arguments or ():
            if argument.name.value == "first":
                value: Any = argument.value
                size = self.variables.get(value.name.value) if value.kind == "variable" else _literal(value)
        if isinstance(size, float) and size.is_integer():
            size = int(size)
        if type(size) is not int:
            size = 20
        return (size, ()) if 1 <= size <= MOST else (0, (size,))
