"""Reading what was said."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, text, tuple_
from sqlmodel import col, select

from shared.db import Session
from shared.domain.listening.filters import MentionFilter, conditions
from shared.domain.page import Cursors, Page, PageRequest, digest
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models import Edit, Mention
from shared.models.base import TIME
from shared.models.enums import MentionOrder

_KIND = "mentions"
_WIDEST = 2000

_FOUND = text(
    "SELECT mention_id, published_at FROM parvis.search_mentions(CAST(:words AS text), CAST(:since AS timestamptz),"
    " CAST(:until AS timestamptz), CAST(:before_at AS timestamptz), CAST(:before_id AS uuid), CAST(:most AS int))"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of mentions starts: after this one, in the list's order."""

    published_at: datetime
    id: UUID


def place_of(
    scope: Scope, where: MentionFilter, order: MentionOrder, page: PageRequest, cursors: Cursors
) -> Place | None:
    """The position behind the page's cursor. Raises Invalid (`bad_cursor`)."""
    if page.cursor is None:
        return None
    at, id_ = cursors.decode(scope.brand_id, _KIND, list_digest(where, order), page.cursor)
    return Place(datetime.fromisoformat(at), UUID(id_))


def list_digest(where: MentionFilter, order: MentionOrder) -> str:
    """What a cursor of this list is bound to, beside the brand."""
    return digest(where.digest, order.value)


def cursor_at(
    scope: Scope, where: MentionFilter, order: MentionOrder, cursors: Cursors
) -> Callable[[datetime, UUID], str]:
    """How a position in this list is written as a cursor."""
    bound = list_digest(where, order)
    return lambda at, id_: cursors.encode(scope.brand_id, _KIND, bound, [at.isoformat(), str(id_)])


def rules(shape: Iterable[str], order: MentionOrder, *, after: bool, among: bool) -> list[ColumnElement[bool]]:
    """The WHERE of one page: the filter's shape, the place it starts `after`, and the ids a search found (`among`)."""
    found = conditions(shape)
    if after:
        here = tuple_(col(Mention.published_at), col(Mention.id))
        there = tuple_(bindparam("after_at", type_=TIME), bindparam("after_id", type_=Uuid))
        found.append(here > there if order is MentionOrder.OLDEST else here < there)
    if among:
        found.append(col(Mention.id) == any_(bindparam("among", type_=ARRAY(Uuid))))
    return found


def ordering(order: MentionOrder) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Newest or oldest first, by the time it was published and then by id."""
    columns = col(Mention.published_at), col(Mention.id)
    return (
        (columns[0].asc(), columns[1].asc()) if order is MentionOrder.OLDEST else (columns[0].desc(), columns[1].desc())
    )


def parameters(scope: Scope, where: MentionFilter, start: Place | None) -> dict[str, Any]:
    """What the parameters in `rules` stand for, by name."""
    values = {"brand_id": scope.brand_id, **where.given()}
    if start is not None:
        values |= {"after_at": start.published_at, "after_id": start.id}
    return values


async def collect(
    session: Session,
    scope: Scope,
    *,
    where: MentionFilter,
    order: MentionOrder,
    start: Place | None,
    limit: int,
    read: Any,
) -> list[Any]:
    """Up to `limit` rows from `start`, by `await read(parameters, among, limit)`, which applies `rules`.

    Where words are searched for, ids come from the search's own index and are then read under row security; a filter
    beside it may drop some, so that more are asked for until the page is full.
    """
    values = parameters(scope, where, start)
    if where.words is None:
        return list(await read(values, False, limit))
    if order is MentionOrder.OLDEST:
        ids, _ = await _found(session, where, None, 2**31 - 1)
        return list(await read({**values, "among": ids}, True, limit))
    rows: list[Any] = []
    most = limit
    while True:
        ids, last = await _found(session, where, start, most)
        if ids:
            rows += await read({**values, "among": ids}, True, limit - len(rows))
        if len(rows) >= limit or last is None:
            return rows
        start, most = last, min(most * 4, _WIDEST)


async def _found(
    session: Session, where: MentionFilter, start: Place | None, most: int
) -> tuple[list[UUID], Place | None]:
    """Ids that match the words, newest first, and where the next ones start (None: there are no more)."""
    found = (
        await session.execute(
            _FOUND,
            {
                "words": where.words, "since": where.since, "until": where.until, "most": most,
                "before_at": start.published_at if start else None, "before_id": start.id if start else None,
            },
        )
    ).all()  # fmt: skip
    last = Place(found[-1].published_at, found[-1].mention_id) if len(found) >= most else None
    return [row.mention_id for row in found], last


async def found_between(session: Session, words: str, since: datetime, until: datetime) -> list[UUID]:
    """The ids of all mentions of the range that match the words."""
    ids, _ = await _found(session, MentionFilter(search=words, since=since, until=until), None, 2**31 - 1)
    return ids


async def search(
    session: Session,
    scope: Scope,
    *,
    where: MentionFilter | None = None,
    order: MentionOrder = MentionOrder.NEWEST,
    page: PageRequest,
    cursors: Cursors,
) -> Page[Mention]:
    """A page of the brand's mentions."""
    where = where or MentionFilter()
    start = place_of(scope, where, order, page, cursors)
    rows = await behind(session, scope, where=where, order=order, place=start, limit=page.limit + 1)
    written = cursor_at(scope, where, order, cursors)
    return Page.cut(rows, page.limit, lambda mention: written(mention.published_at, mention.id))


async def behind(
    session: Session,
    scope: Scope,
    *,
    where: MentionFilter,
    order: MentionOrder = MentionOrder.NEWEST,
    place: Place | None,
    limit: int,
) -> list[Mention]:
    """Up to `limit` mentions that come behind a place in the list, or its first."""
    shape = where.shape()

    async def read(values: dict[str, Any], among: bool, limit: int) -> Sequence[Mention]:
        statement = select(Mention).where(*rules(shape, order, after=place is not None, among=among))
        found = await session.execute(statement.order_by(*ordering(order)).limit(limit), values)
        return found.scalars().all()

    return await collect(session, scope, where=where, order=order, start=place, limit=limit, read=read)


async def get(session: Session, scope: Scope, mention_id: UUID) -> Mention:
    """One mention, deleted or not. Raises NotFound, also for one that was only spoken of."""
    found = (await by_ids(session, scope, [mention_id])).get(mention_id)
    if found is None:
        raise NotFound(f"there is no mention with the id {typeid(Prefix.MENTION, mention_id)!r}")
    return found


async def by_ids(session: Session, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, Mention]:
    """The mentions of these ids that were heard."""
    found = await session.execute(
        select(Mention).where(
            Mention.brand_id == scope.brand_id,
            col(Mention.heard),
            col(Mention.id) == any_(bindparam("ids", list(ids), type_=ARRAY(Uuid))),
        )
    )
    return {mention.id: mention for mention in found.scalars()}


async def by_keys(session: Session, scope: Scope, keys: Iterable[UUID]) -> dict[UUID, Mention]:
    """The mentions behind these keys (arrivals and threads name them so) that were heard."""
    found = await session.execute(
        select(Mention).where(
            Mention.brand_id == scope.brand_id,
            col(Mention.heard),
            col(Mention.key) == any_(bindparam("keys", list(keys), type_=ARRAY(Uuid))),
        )
    )
    return {mention.key: mention for mention in found.scalars()}


async def history(session: Session, scope: Scope, mentions: Sequence[Mention]) -> dict[UUID, list[Edit]]:
    """Every distinct version of each mention, by its key, in order: no edit time first, then time, stamp, digest."""
    found = await session.execute(
        select(Edit)
        .where(
            Edit.brand_id == scope.brand_id,
            col(Edit.mention_key) == any_(bindparam("keys", [m.key for m in mentions], type_=ARRAY(Uuid))),
        )
        .order_by(col(Edit.edited_at).asc().nulls_first(), col(Edit.stamp), col(Edit.digest))
    )
    versions: dict[UUID, list[Edit]] = {}
    for edit in found.scalars():
        versions.setdefault(edit.mention_key, []).append(edit)
    return {m.key: versions.get(m.key) or [_only_version(m)] for m in mentions}


def _only_version(mention: Mention) -> Edit:
    return Edit(
        brand_id=mention.brand_id,
        id=mention.id,
        mention_key=mention.key,
        text=mention.text,
        edited_at=mention.edited_at,
        stamp=mention.version_stamp or mention.observed_at,
        digest=mention.version_digest or b"",
        observed_at=mention.observed_at,
    )
