"""What is selected below a field of a document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, OperationDefinitionNode, SelectionNode


class Unknown(Exception):
    """Something is selected that only the executor knows."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The selection below a field: fragments followed, directives decided, one entry a response key."""

    fragments: Mapping[str, Any]
    variables: Mapping[str, Any]

    def fields(
        self, nodes: Sequence[FieldNode | OperationDefinitionNode], type_names: set[str]
    ) -> dict[str, list[FieldNode]]:
        """The fields below `nodes`, by response key, for an object that is of all of `type_names`."""
        found: dict[str, list[FieldNode]] = {}
        for node in nodes:
            if node.selection_set is not None:
                self._collect(node.selection_set.selections, type_names, found)
        return found

    def _collect(
        self, selections: tuple[SelectionNode, ...], type_names: set[str], found: dict[str, list[FieldNode]]
    ) -> None:
        for selection in selections:
            if not self._is_included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                found.setdefault(key, []).append(selection)
                continue
            if isinstance(selection, FragmentSpreadNode):
                fragment: Any = self.fragments.get(selection.name.value)
                fragment = getattr(fragment, "definition", fragment)
            elif isinstance(selection, InlineFragmentNode):
                fragment = selection
            else:
                raise Unknown
            if fragment is None:
                raise Unknown
            condition = fragment.type_condition
            if condition is None or condition.name.value in type_names:
                self._collect(fragment.selection_set.selections, type_names, found)

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name not in {"include", "skip"}:
                raise Unknown
            if self._boolean(directive.arguments[0].value) is (name == "skip"):
                return False
        return True

    def _boolean(self, value: Any) -> bool:
        if value.kind == "boolean_value":
            return bool(value.value)
        if value.kind == "variable" and isinstance(known := self.variables.get(value.name.value), bool):
            return known
        raise Unknown
