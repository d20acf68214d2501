"""Reading what was said."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, tuple_
from sqlmodel import col, select

from shared.db import Session
from shared.domain.listening import searching
from shared.domain.listening.filters import MentionFilter, conditions
from shared.domain.listening.searching import Place
from shared.domain.page import Cursors, Page, PageRequest, digest
from shared.domain.scope import Scope
from shared.errors import Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models import Edit, Mention
from shared.models.base import TIME
from shared.models.enums import MentionOrder

_KIND = "mentions"
_WIDEST = 2000

Read = Callable[[dict[str, Any], bool, int], Awaitable[Sequence[Any]]]


def place_of(
    scope: Scope, where: MentionFilter, order: MentionOrder, page: PageRequest, cursors: Cursors
) -> Place | None:
    """The position behind the page's cursor. Raises Invalid (`bad_cursor`; `search_needed` by best without words)."""
    if order is MentionOrder.BEST and where.words is None:
        message = "best first is the order of a search: give words to search for, or another order"
        raise Invalid([Problem("search_needed", message, ("order",))])
    if page.cursor is None:
        return None
    at, id_, *best = cursors.decode(scope.brand_id, _KIND, list_digest(where, order), page.cursor)
    place = Place(datetime.fromisoformat(at), UUID(id_))
    if not best:
        return place
    score, bottom, top = best
    return place._replace(score=score, bottom=datetime.fromisoformat(bottom), top=datetime.fromisoformat(top))


def list_digest(where: MentionFilter, order: MentionOrder) -> str:
    """What a cursor of this list is bound to, beside the brand."""
    return digest(where.digest, order.value)


def cursor_at(scope: Scope, where: MentionFilter, order: MentionOrder, cursors: Cursors) -> Callable[[Place], str]:
    """How a position in this list is written as a cursor."""
    bound = list_digest(where, order)

    def written(place: Place) -> str:
        position: list[Any] = [place.published_at.isoformat(), str(place.id)]
        if place.bottom is not None and place.top is not None:
            position += [place.score, place.bottom.isoformat(), place.top.isoformat()]
        return cursors.encode(scope.brand_id, _KIND, bound, position)

    return written


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
    """Newest or oldest first, by time and then by id. Best first is made of what a search found: here, newest first."""
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
    read: Read,
    place: Callable[[Any], Place],
) -> tuple[list[Any], Callable[[Any], Place]]:
    """Up to `limit` rows from `start`, by `await read(parameters, among, limit)`, which applies `rules`; and how to say
    where a row stands in the list, `place` being where it does by time.

    Where words are searched for, ids come from the search's own index and are then read under row security; a filter
    beside it may drop some, so that more are asked for until the page is full.
    """
    if order is MentionOrder.BEST:
        return await _best(session, scope, where, start, limit, read, place)
    values = parameters(scope, where, start)
    if where.words is None:
        return list(await read(values, False, limit)), place
    step = searching.oldest if order is MentionOrder.OLDEST else searching.newest
    rows: list[Any] = []
    most = limit
    while True:
        ids, last = await step(session, where, start, most)
        if ids:
            rows += await read({**values, "among": ids}, True, limit - len(rows))
        if len(rows) >= limit or last is None:
            return rows, place
        start, most = last, min(most * 4, _WIDEST)


async def _best(
    session: Session,
    scope: Scope,
    where: MentionFilter,
    start: Place | None,
    limit: int,
    read: Read,
    place: Callable[[Any], Place],
) -> tuple[list[Any], Callable[[Any], Place]]:
    values = parameters(scope, where, None)
    passing = select(Mention.id).where(*rules(where.shape(), MentionOrder.BEST, after=False, among=True))

    async def passes(ids: list[UUID]) -> Sequence[UUID]:
        return (await session.execute(passing, {**values, "among": ids})).scalars().all()

    # Whatever the index holds stands; other conditions let fewer pass.
    is_narrower = bool(set(where.shape()) - {"standing", "since", "until"})
    weighed = await searching.weigh(session, where, start, passes if is_narrower else None)
    known = {it.id: it for it in weighed.places}
    waiting = weighed.after(start)
    rows: list[Any] = []
    while waiting and len(rows) < limit:
        wanted = [it.id for it in waiting[:limit]]
        del waiting[:limit]
        found = {place(row).id: row for row in await read({**values, "among": wanted}, True, len(wanted))}
        rows += [found[id_] for id_ in wanted if id_ in found]
    return rows[:limit], lambda row: weighed.stands(known[place(row).id])


async def search(
    session: Session,
    scope: Scope,
    *,
    where: MentionFilter | None = None,
    order: MentionOrder = MentionOrder.NEWEST,
    page: PageRequest,
    cursors: Cursors,
) -> Page[Mention]:
    """A page of the brand's mentions. Raises Invalid (`bad_cursor`, `search_needed`)."""
    where = where or MentionFilter()
    start = place_of(scope, where, order, page, cursors)
    rows, stands = await _rows(session, scope, where, order, start, page.limit + 1)
    written = cursor_at(scope, where, order, cursors)
    return Page.cut(rows, page.limit, lambda mention: written(stands(mention)))


async def behind(
    session: Session, scope: Scope, *, where: MentionFilter, place: Place | None, limit: int
) -> list[Mention]:
    """Up to `limit` mentions that come behind a place in the list, newest first, or its first."""
    rows, _ = await _rows(session, scope, where, MentionOrder.NEWEST, place, limit)
    return rows


async def _rows(
    session: Session, scope: Scope, where: MentionFilter, order: MentionOrder, start: Place | None, limit: int
) -> tuple[list[Mention], Callable[[Mention], Place]]:
    shape = where.shape()

    async def read(values: dict[str, Any], among: bool, limit: int) -> Sequence[Mention]:
        statement = select(Mention).where(*rules(shape, order, after="after_at" in values, among=among))
        found = await session.execute(statement.order_by(*ordering(order)).limit(limit), values)
        return found.scalars().all()

    return await collect(session, scope, where=where, order=order, start=start, limit=limit, read=read, place=_place)


def _place(mention: Mention) -> Place:
    return Place(mention.published_at, mention.id)


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
