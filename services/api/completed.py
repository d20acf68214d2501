"""A page of mentions without the executor: the selection is read once, and becomes one SQL and one function.

The executor costs some microseconds a field, which for a page of mentions is most of what the page costs. So the list
looks at what is selected below it and, where it knows all of it, generates a function from row to answer, runs one
statement, and hands the executor a `Completed` value to pass on as it is. What it does not know goes the ordinary way.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from graphql import FieldNode, get_nullable_type, is_enum_type
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlmodel import bindparam, col, select
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from services.api.lookahead import Writer
from services.api.selected import Selected, Unknown
from shared.db import Session, driver
from shared.domain.listening import mentions, searching
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.searching import Place, Spans
from shared.domain.page import Cursors, PageRequest
from shared.domain.scope import Scope
from shared.ids import Prefix, typeids
from shared.models import Mention
from shared.models.enums import MentionOrder

_SNAKE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]


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


def _ids(prefix: Prefix, rows: list[Any], place: int) -> list[str]:
    """The public ids in one column."""
    return typeids(prefix, [row[place] for row in rows])


_NAMES: dict[str, Any] = {"ids": _ids, **{prefix.value: prefix for prefix in Prefix}}


@dataclass(slots=True)
class Plan:
    """One selection below `mentions`: columns, joins, and `write(rows, has_more, has_previous, cursor, spans)`."""

    columns: list[Any]
    joins: list[tuple[Any, Any]]
    write: Callable[[list[Any], bool, bool, Callable[[Any], str], Mapping[UUID, Spans] | None], dict[str, Any]]
    shows_highlights: bool
    statements: dict[tuple[Any, ...], tuple[str, list[str]]] = field(default_factory=dict)

    def statement(self, shape: tuple[str, ...], order: MentionOrder, after: bool, among: bool) -> tuple[str, list[str]]:
        """The SQL for a filter of this shape, and the names of its parameters in order."""
        key = (shape, order, after, among)
        if key not in self.statements:
            # The place of each row comes first: cursors are made of it.
            query = select(Mention.published_at, Mention.id, *self.columns).select_from(Mention)
            for alias, on in self.joins:
                query = query.outerjoin(alias, on)
            query = query.where(*mentions.rules(shape, order, after=after, among=among))
            query = query.order_by(*mentions.ordering(order)).limit(bindparam("limit"))
            compiled = query.compile(dialect=_DIALECT)
            self.statements[key] = str(compiled), list(compiled.positiontup or ())
        return self.statements[key]


def plan(nodes: list[FieldNode], fragments: Mapping[str, Any], variables: Mapping[str, Any]) -> Plan | None:
    """How to answer this selection; None where only the executor can."""
    writer = Writer(Selected(fragments, variables), columns=[])
    writer.columns += [col(Mention.published_at), col(Mention.id)]
    try:
        source = writer.function(nodes)
    except Unknown:
        return None
    names = dict(_NAMES)
    # The source is made of our own words and of the literals of keys, never of what a caller wrote as code.
    exec(compile(source, "<lookahead>", "exec"), names)  # noqa: S102
    return Plan(writer.columns[2:], writer.joins, names["write"], writer.shows_highlights)


def leaves(info: Any, things: Sequence[Any], type_name: str, names: Mapping[str, str]) -> Completed | None:
    """A long list of plain objects: `names` gives the attribute of each leaf. None where only the executor can."""
    if info.context.document is None:
        return None
    raw = info._raw_info
    try:
        selected = Selected(raw.fragments, raw.variable_values).fields(raw.field_nodes, {type_name})
    except Unknown:
        return None
    wanted = [(key, same[0].name.value) for key, same in selected.items()]
    if not names.keys() >= {name for _, name in wanted}:
        return None
    pairs = [(key, names[name]) for key, name in wanted]
    return Completed([{key: getattr(thing, name) for key, name in pairs} for thing in things])


def plain(info: Any, value: dict[str, Any], types: Mapping[str, str]) -> Completed | None:
    """A tree of plain values, keys as in Python: `types` names the type of what stands in each key, and "" that of all.

    None where only the executor can tell.
    """
    if info.context.document is None:
        return None
    raw = info._raw_info
    try:
        source = _picked(Selected(raw.fragments, raw.variable_values), raw.field_nodes, raw.schema, types, "", "of")
    except Unknown:
        return None
    # As below `mentions`: of our own words and the literals of keys.
    return Completed(eval(compile(source, "<lookahead>", "eval"), {"of": value}))  # noqa: S307


def _picked(
    selected: Selected, nodes: Sequence[FieldNode], schema: Any, types: Mapping[str, str], name: str, of: str
) -> str:
    """What is selected of an object that is called `of`, as an expression: thousands stand in the same place."""
    kinds = schema.type_map[types[name]].fields
    entries = []
    for key, same in selected.fields(list(nodes), {types[name]}).items():
        field_name = same[0].name.value
        if field_name.startswith("__"):
            raise Unknown
        own = _SNAKE.sub("_", field_name).lower()
        taken = f"{of}[{own!r}]"
        if own in types:
            each = f"{of}_{own}"
            taken = f"[{_picked(selected, same, schema, types, own, each)} for {each} in {taken}]"
        elif is_enum_type(get_nullable_type(kinds[field_name].type)):
            taken = f"({taken} and {taken}.name)"
        entries.append(f"{key!r}: {taken}")
    return f"{{{', '.join(entries)}}}"


# ---------------------------------------------------------------- from request to answer


def place(row: Any) -> Place:
    """Where a row stands by time."""
    return Place(row[0], row[1])


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of one list, by its plan."""

    plan: Plan
    scope: Scope
    where: MentionFilter
    order: MentionOrder
    page: PageRequest
    cursors: Cursors

    def start(self) -> Place | None:
        """Where it starts. Raises Invalid (`bad_cursor`)."""
        return mentions.place_of(self.scope, self.where, self.order, self.page, self.cursors)

    async def read(
        self, connection: "asyncpg.Connection[Any]", values: dict[str, Any], among: bool, limit: int
    ) -> list[Any]:
        """Up to `limit` rows by these parameters."""
        sql, names = self.plan.statement(self.where.shape(), self.order, "after_at" in values, among)
        values = {**values, "limit": limit}
        rows: list[Any] = await connection.fetch(sql, *[values[name] for name in names])
        return rows

    def written(
        self, rows: list[Any], stands: Callable[[Any], Place] = place, spans: Mapping[UUID, Spans] | None = None
    ) -> dict[str, Any]:
        """The connection as the answer holds it, from the page's rows and one more where there are more."""
        cursor = mentions.cursor_at(self.scope, self.where, self.order, self.cursors)
        has_more = len(rows) > self.page.limit
        del rows[self.page.limit :]
        return self.plan.write(rows, has_more, self.page.cursor is not None, lambda row: cursor(stands(row)), spans)


async def completed(
    info: Any, session: Session, scope: Scope, *, where: MentionFilter, order: MentionOrder, page: PageRequest
) -> Completed | None:
    """The page, ready for the answer; None where it must go the ordinary way."""
    found = _planned(info)
    if found is None:
        return None
    paging = Paging(found, scope, where, order, page, info.context.services.cursors)
    start = paging.start()
    read = partial(paging.read, await driver(session))
    rows, stands = await mentions.collect(
        session, scope, where=where, order=order, start=start, limit=page.limit + 1, read=read, place=place
    )
    spans = None
    if found.shows_highlights and where.words is not None:
        spans = await searching.highlights(session, scope, where.words, [row[1] for row in rows[: page.limit]])
    return Completed(paging.written(rows, stands, spans))


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
