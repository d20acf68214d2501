"""GraphQL documents: parsed, measured and validated once, and kept."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    recommended_rules,
    specified_rules,
    validate,
)

from services.api.graphql import limits
from services.api.graphql.limits import Measure

KEPT = 500
KEPT_MEASURES = 50
KEPT_PLANS = 50
MOST_ERRORS = 20


@dataclass(slots=True)
class Document:
    """A parsed document, what is wrong with it, and what has been worked out for it."""

    node: DocumentNode
    errors: list[GraphQLError] | None = None
    measures: dict[Any, Measure] = field(default_factory=dict)
    plans: dict[Any, Any] = field(default_factory=dict)
    forms: dict[Any, Any] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation that is asked for; None where that is not clear, and execution says why."""
        found = [d for d in self.node.definitions if isinstance(d, OperationDefinitionNode)]
        if name is not None:
            found = [d for d in found if d.name is not None and d.name.value == name]
        return found[0] if len(found) == 1 else None


class Documents:
    """The documents that were asked for lately."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._kept: OrderedDict[str, Document] = OrderedDict()

    def known(self, text: str) -> Document | None:
        """The document of this text, if it was asked for lately."""
        return self._kept.get(text)

    def get(self, text: str) -> Document:
        """The document of this text, not yet validated. Raises LimitExceeded and GraphQLSyntaxError."""
        known = self._kept.get(text)
        if known is not None:
            self._kept.move_to_end(text)
            return known
        limits.check_size(text)
        limits.check_tokens(text)
        document = Document(parse(text))
        self._kept[text] = document
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return document

    def measure(self, document: Document, name: str | None, variables: Mapping[str, Any]) -> Measure:
        """The measure of the operation that is asked for, for these page sizes and days."""
        operation = document.operation(name)
        if operation is None:
            return Measure()
        counted = ((k, v) for k, v in variables.items() if isinstance(v, int | float) or limits.is_day(v))
        sizes = tuple(sorted((k, str(v)) for k, v in counted))
        key = (name, sizes)
        found = document.measures.get(key)
        if found is None:
            if len(document.measures) >= KEPT_MEASURES:
                document.measures.clear()
            found = document.measures[key] = limits.measure(self._schema, document.node, operation, variables)
        return found

    def problems(self, document: Document) -> list[GraphQLError]:
        """What validation says, asked once."""
        if document.errors is None:
            rules = (*specified_rules, *recommended_rules)
            document.errors = validate(self._schema, document.node, rules, max_errors=MOST_ERRORS)
        return document.errors
