"""A page of mentions without the executor: the selection is read once, and becomes one SQL and one function.

The executor costs some microseconds a field, which for a page of mentions is most of what the page costs. So the list
looks at what is selected below it and, where it knows all of it, generates a function from row to answer, runs one
statement, and hands the executor a `Completed` value to pass on as it is. What it does not know goes the ordinary way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionNode
from sqlalchemy import and_
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.orm import aliased
from sqlmodel import bindparam, col, select
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from shared.db import Session, driver
from shared.domain.listening import mentions
from shared.domain.listening.filters import MentionFilter
from shared.domain.page import PageRequest
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models import Channel, Identity, Mention, Thread
from shared.models.enums import MentionOrder

_DIALECT = asyncpg_dialect()
_DEEPEST_PARENT = 3


class Completed:
    """A value that is already what the answer holds."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, which passes a completed value on."""

    def complete_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        if type(result) is Completed:
            return result.value
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)


class _Unknown(Exception):
    """Something is selected that only the executor knows."""


# ---------------------------------------------------------------- what is selected


@dataclass(frozen=True, slots=True)
class Selected:
    """The selection below a field: fragments followed, directives decided, one entry a response key."""

    fragments: Mapping[str, Any]
    variables: Mapping[str, Any]

    def fields(self, nodes: list[FieldNode], type_names: set[str]) -> dict[str, list[FieldNode]]:
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
                raise _Unknown
            if fragment is None:
                raise _Unknown
            condition = fragment.type_condition
            if condition is None or condition.name.value in type_names:
                self._collect(fragment.selection_set.selections, type_names, found)

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name not in {"include", "skip"}:
                raise _Unknown
            if self._boolean(directive.arguments[0].value) is (name == "skip"):
                return False
        return True

    def _boolean(self, value: Any) -> bool:
        if value.kind == "boolean_value":
            return bool(value.value)
        if value.kind == "variable" and isinstance(known := self.variables.get(value.name.value), bool):
            return known
        raise _Unknown


# ---------------------------------------------------------------- from selection to SQL and a function


_PLAIN = {"url", "text", "language", "rating", "handle", "name"}
_MOMENTS = {
    "publishedAt": "published_at",
    "observedAt": "observed_at",
    "editedAt": "edited_at",
    "deletedAt": "deleted_at",
    "hiddenAt": "hidden_at",
}
_NODE = "Node"


@dataclass(slots=True)
class _Writer:
    """Gathers columns and joins, and writes the source of the function."""

    selected: Selected
    columns: list[Any] = field(default_factory=list)
    joins: list[tuple[Any, Any]] = field(default_factory=list)

    def column(self, column: Any) -> str:
        """The place of a column in the row, as source."""
        for n, known in enumerate(self.columns):
            if known is column:
                return f"r[{n}]"
        self.columns.append(column)
        return f"r[{len(self.columns) - 1}]"

    def joined(self, table: Any, on: Any) -> Any:
        alias = aliased(table)
        self.joins.append((alias, on(alias)))
        return alias

    def object(self, entries: list[tuple[str, str]]) -> str:
        return "{" + ", ".join(f"{key!r}: {source}" for key, source in entries) + "}"

    def build(self, nodes: list[FieldNode], type_name: str, one: Callable[[str, list[FieldNode]], str]) -> str:
        """An object whose fields are written by `one`, in the order in which they are selected."""
        entries = []
        names = {type_name, _NODE} if type_name in {"Mention", "Identity", "Channel", "Thread"} else {type_name}
        for key, same in self.selected.fields(nodes, names).items():
            name = same[0].name.value
            if any(other.name.value != name or other.arguments for other in same):
                raise _Unknown
            entries.append((key, repr(type_name) if name == "__typename" else one(name, same)))
        return self.object(entries)

    def leaf(self, source: Any, columns: Mapping[str, str], name: str) -> str:
        if name not in columns:
            raise _Unknown
        return self.column(getattr(source, columns[name]))

    # ------------------------------------------------------------ one method a type

    def mention(self, source: Any, nodes: list[FieldNode], depth: int = 0) -> str:
        def one(name: str, same: list[FieldNode]) -> str:
            match name:
                case "id":
                    return f"men({self.column(source.id)})"
                case "network" | "kind" | "visibility":
                    return f"{self.column(getattr(source, name))}.upper()"
                case "authorKind":
                    return f"{self.column(source.author_kind)}.upper()"
                case "externalId":
                    return self.column(source.external_id)
                case "media":
                    item = self.build(same, "Media", lambda n, _: _media_field(n))
                    return f"[{item} for m in loads({self.column(source.media)})]"
                case "engagement":
                    counters = {n: n for n in ("likes", "replies", "shares", "views")}
                    return self.build(same, "Engagement", lambda n, _: self.leaf(source, counters, n))
                case "author":
                    author = self.joined(
                        Identity, lambda a: and_(a.brand_id == source.brand_id, a.id == source.author_id)
                    )
                    return self.optional(author.id, self.identity(author, same))
                case "channel":
                    channel = self.joined(
                        Channel, lambda a: and_(a.brand_id == source.brand_id, a.id == source.channel_id)
                    )
                    return self.optional(channel.id, self.channel(channel, same))
                case "thread":
                    thread = self.joined(
                        Thread, lambda a: and_(a.brand_id == source.brand_id, a.id == source.thread_id)
                    )
                    return self.optional(thread.id, self.thread(thread, same))
                case "parent" if depth < _DEEPEST_PARENT:
                    parent = self.joined(
                        Mention,
                        lambda a: and_(a.brand_id == source.brand_id, a.id == source.parent_id, a.heard.is_(True)),
                    )
                    return self.optional(parent.id, self.mention(parent, same, depth + 1))
            if name in _MOMENTS:
                return self.column(getattr(source, _MOMENTS[name]))
            return self.leaf(source, {n: n for n in ("url", "text", "language", "rating")}, name)

        return self.build(nodes, "Mention", one)

    def optional(self, id_: Any, source: str) -> str:
        return f"(None if {self.column(id_)} is None else {source})"

    def identity(self, source: Any, nodes: list[FieldNode]) -> str:
        columns = {"externalId": "external_id", "handle": "handle", "name": "name", "url": "url"}

        def one(name: str, _: list[FieldNode]) -> str:
            match name:
                case "id":
                    return f"idn({self.column(source.id)})"
                case "network":
                    return f"{self.column(source.network)}.upper()"
            return self.leaf(source, columns, name)

        return self.build(nodes, "Identity", one)

    def channel(self, source: Any, nodes: list[FieldNode]) -> str:
        columns = {
            "name": "name",
            "externalId": "external_id",
            "baseUrl": "base_url",
            "statusReason": "status_reason",
            "createdAt": "created_at",
            "lastHeardAt": "last_heard_at",
        }

        def one(name: str, _: list[FieldNode]) -> str:
            match name:
                case "id":
                    return f"chan({self.column(source.id)})"
                case "network" | "status":
                    return f"{self.column(getattr(source, name))}.upper()"
            return self.leaf(source, columns, name)

        return self.build(nodes, "Channel", one)

    def thread(self, source: Any, nodes: list[FieldNode]) -> str:
        def one(name: str, _: list[FieldNode]) -> str:
            if name == "id":
                return f"thr({self.column(source.id)})"
            return self.leaf(source, {"lastAt": "last_at"}, name)

        return self.build(nodes, "Thread", one)

    # ------------------------------------------------------------ the connection around them

    def connection(self, nodes: list[FieldNode]) -> str:
        def edge(name: str, same: list[FieldNode]) -> str:
            if name == "cursor":
                return "cursor(r)"
            if name == "node":
                return self.mention(Mention, same)
            raise _Unknown

        def page_info(name: str, _: list[FieldNode]) -> str:
            return _PAGE_INFO.get(name) or _raise()

        def one(name: str, same: list[FieldNode]) -> str:
            match name:
                case "nodes":
                    return f"[{self.mention(Mention, same)} for r in rows]"
                case "edges":
                    return f"[{self.build(same, 'MentionEdge', edge)} for r in rows]"
                case "pageInfo":
                    return self.build(same, "PageInfo", page_info)
            raise _Unknown

        return self.build(nodes, "MentionConnection", one)


_PAGE_INFO = {
    "hasNextPage": "has_more",
    "hasPreviousPage": "has_previous",
    "startCursor": "(cursor(rows[0]) if rows else None)",
    "endCursor": "(cursor(rows[-1]) if rows else None)",
}


def _raise() -> str:
    raise _Unknown


def _media_field(name: str) -> str:
    match name:
        case "url" | "kind":
            return f"m[{name!r}]"
        case "alt":
            return "m.get('alt')"
    raise _Unknown


def _id_writer(prefix: Prefix) -> Callable[[Any], str]:
    return lambda value: typeid(prefix, value)


_NAMES: dict[str, Any] = {
    "men": _id_writer(Prefix.MENTION),
    "idn": _id_writer(Prefix.IDENTITY),
    "chan": _id_writer(Prefix.CHANNEL),
    "thr": _id_writer(Prefix.THREAD),
    "loads": orjson.loads,
    "len": len,
}


@dataclass(slots=True)
class Plan:
    """One selection below `mentions`: its columns and joins, and `write(rows, has_more, has_previous, cursor)`."""

    columns: list[Any]
    joins: list[tuple[Any, Any]]
    write: Callable[[list[Any], bool, bool, Callable[[Any], str]], dict[str, Any]]
    statements: dict[tuple[Any, ...], tuple[str, list[str]]] = field(default_factory=dict)

    def statement(self, shape: tuple[str, ...], order: MentionOrder, after: bool, among: bool) -> tuple[str, list[str]]:
        """The SQL for a filter of this shape, and the names of its parameters in order."""
        key = (shape, order, after, among)
        if key not in self.statements:
            # The place of each row comes first: cursors are made of it.
            query = select(Mention.published_at, Mention.id, *self.columns).select_from(Mention)  # type: ignore[call-overload]
            for alias, on in self.joins:
                query = query.outerjoin(alias, on)
            query = query.where(*mentions.rules(shape, order, after=after, among=among))
            query = query.order_by(*mentions.ordering(order)).limit(bindparam("limit"))
            compiled = query.compile(dialect=_DIALECT)
            self.statements[key] = str(compiled), list(compiled.positiontup)
        return self.statements[key]


def plan(nodes: list[FieldNode], fragments: Mapping[str, Any], variables: Mapping[str, Any]) -> Plan | None:
    """How to answer this selection; None where only the executor can."""
    writer = _Writer(Selected(fragments, variables), columns=[])
    writer.columns += [col(Mention.published_at), col(Mention.id)]
    try:
        source = writer.connection(nodes)
    except _Unknown:
        return None
    code = compile(f"lambda rows, has_more, has_previous, cursor: {source}", "<lookahead>", "eval")
    # The source is made of our own words and of the literals of keys, never of what a caller wrote as code.
    write = eval(code, dict(_NAMES))  # noqa: S307
    return Plan(writer.columns[2:], writer.joins, write)


# ---------------------------------------------------------------- from request to answer


async def completed(
    info: Any, session: Session, scope: Scope, *, where: MentionFilter, order: MentionOrder, page: PageRequest
) -> Completed | None:
    """The page, ready for the answer; None where it must go the ordinary way."""
    found = _planned(info)
    if found is None:
        return None
    cursors = info.context.services.cursors
    start = mentions.place_of(scope, where, order, page, cursors)
    connection = await driver(session)
    shape = where.shape()

    async def read(values: dict[str, Any], among: bool, limit: int) -> list[Any]:
        sql, names = found.statement(shape, order, start is not None, among)
        values = {**values, "limit": limit}
        rows: list[Any] = await connection.fetch(sql, *[values[name] for name in names])
        return rows

    rows = await mentions.collect(
        session, scope, where=where, order=order, start=start, limit=page.limit + 1, read=read
    )
    written = mentions.cursor_at(scope, where, order, cursors)
    has_more = len(rows) > page.limit
    del rows[page.limit :]
    return Completed(found.write(rows, has_more, page.cursor is not None, lambda row: written(row[0], row[1])))


def _planned(info: Any) -> Plan | None:
    """The plan of this field, made once a document and set of switches."""
    document = info.context.document
    if document is None:
        return None
    nodes = info._raw_info.field_nodes
    variables = info._raw_info.variable_values
    switches = tuple(sorted((name, value) for name, value in variables.items() if isinstance(value, bool)))
    key = (tuple(map(id, nodes)), switches)
    if key not in document.plans:
        document.plans[key] = plan(nodes, info._raw_info.fragments, variables)
    known: Plan | None = document.plans[key]
    return known
