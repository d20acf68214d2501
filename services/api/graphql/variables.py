"""What a request gives to a document that is known: its variables and a field's arguments.

The library works out each time what the document's types are. For the plain ones, which is most, it is done once here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLSchema, OperationDefinitionNode, Undefined, is_non_null_type
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.language import (
    BooleanValueNode,
    EnumValueNode,
    IntValueNode,
    NamedTypeNode,
    NonNullTypeNode,
    NullValueNode,
    StringValueNode,
    VariableNode,
)
from graphql.utilities import value_from_ast_untyped

_PLAIN: dict[str, type] = {"ID": str, "String": str, "Int": int, "Boolean": bool}
_LARGEST = 2**31 - 1
_NONE = VariableValues({}, {})
_CONSTANTS = (BooleanValueNode, EnumValueNode, IntValueNode, NullValueNode, StringValueNode)


@dataclass(frozen=True, slots=True)
class _Plain:
    """A variable of a plain type; `default` is Undefined where it has none."""

    name: str
    kind: type
    required: bool
    default: Any

    def takes(self, value: Any) -> bool:
        """Whether a value stands as it is; what the library would make of another is left to the library."""
        if value is None or value is Undefined:
            return not self.required
        return type(value) is self.kind and (not isinstance(value, int) or -_LARGEST <= value <= _LARGEST)


class Variables:
    """The variables of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._nodes = operation.variable_definitions or ()
        self._plain = [_plain(node) for node in self._nodes]

    def values(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Their values by name, those that are absent left out; None where they are refused."""
        values: dict[str, Any] = {}
        for plain in self._plain:
            value = given.get(plain.name, plain.default) if plain is not None else Undefined
            if plain is None or not plain.takes(value):
                full = self.full(given)
                return full.coerced if full is not None else None
            if value is not Undefined:
                values[plain.name] = value
        return values

    def full(self, given: Mapping[str, Any]) -> VariableValues | None:
        """The same by the library, with what it knows beside their values."""
        found = get_variable_values(self._schema, self._nodes, dict(given))
        return found if isinstance(found, VariableValues) else None


def _plain(node: Any) -> _Plain | None:
    required = isinstance(node.type, NonNullTypeNode)
    named = node.type.type if required else node.type
    kind = _PLAIN.get(named.name.value) if isinstance(named, NamedTypeNode) else None
    if kind is None:
        return None
    default = Undefined if node.default_value is None else value_from_ast_untyped(node.default_value)
    found = _Plain(node.variable.name.value, kind, required, default)
    return found if default is Undefined or found.takes(default) else None


class Arguments:
    """The arguments of one field: what the document says itself, and which of them are variables."""

    def __init__(self, field: GraphQLField, node: FieldNode) -> None:
        self._field, self._node = field, node
        given = node.arguments or ()
        variables = [a for a in given if isinstance(a.value, VariableNode)]
        self._variables = [
            (a.name.value, a.value.name.value, is_non_null_type(field.args[a.name.value].type))
            for a in variables
            if isinstance(a.value, VariableNode)
        ]
        said = [a for a in given if a not in variables]
        self.is_plain = all(isinstance(a.value, _CONSTANTS) for a in said)
        # A variable that is given nothing leaves its argument what it is without it.
        self._said = {
            a.name.value: get_argument_values(_alone(field, a.name.value), _saying(node, a), _NONE)[a.name.value]
            for a in said
            if self.is_plain
        }
        self._defaults = get_argument_values(_optional(field), _saying(node), _NONE)

    def plain(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Their values, where `is_plain`. Raises ValueError for null where there must be something."""
        values = self._defaults | self._said
        for name, variable, required in self._variables:
            if variable in known:
                values[name] = known[variable]
            if required and values.get(name) is None:
                raise ValueError(f"{name} is missing")
        return values

    def full(self, variables: VariableValues) -> dict[str, Any]:
        """Their values, as the library finds them. Raises GraphQLError."""
        return get_argument_values(self._field, self._node, variables)


def _saying(node: FieldNode, *arguments: Any) -> FieldNode:
    return FieldNode(name=node.name, arguments=arguments)


def _alone(field: GraphQLField, name: str) -> GraphQLField:
    return GraphQLField(field.type, {name: field.args[name]})


def _optional(field: GraphQLField) -> GraphQLField:
    return GraphQLField(field.type, {n: a for n, a in field.args.items() if not is_non_null_type(a.type)})
