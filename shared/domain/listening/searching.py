"""What a search finds, in its own index: newest or oldest first, weighed, and where in a text the words are."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from shared.db import Session
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope

WEIGHED = 1_000  # mentions that best first chooses among
FURTHEST = 20_000  # and how many that the words match it looks through for them, where a filter lets few pass
_ALL = 2**31 - 1
_TICK = timedelta(microseconds=1)

_FOUND = text(
    "SELECT mention_id, published_at, score FROM parvis.search_mentions(CAST(:words AS text),"
    " CAST(:since AS timestamptz), CAST(:until AS timestamptz), CAST(:before_at AS timestamptz),"
    " CAST(:before_id AS uuid), CAST(:most AS int), CAST(:ranked AS boolean))"
)
_FOUND_FROM_OLDEST = text(
    "SELECT mention_id, published_at FROM parvis.search_oldest(CAST(:words AS text), CAST(:since AS timestamptz),"
    " CAST(:until AS timestamptz), CAST(:after_at AS timestamptz), CAST(:after_id AS uuid), CAST(:most AS int))"
)
_SPANS = text(
    "SELECT id, parvis.found_spans(CAST(:words AS text), coalesce(language, ''), text) AS spans FROM mention"
    " WHERE brand_id = CAST(:brand_id AS uuid) AND id = ANY(CAST(:ids AS uuid[])) AND text IS NOT NULL"
)

Spans = list[list[int]]


class Place(NamedTuple):
    """Where a page of mentions starts: after this one, in the list's order.

    Best first, it is after this `score`, among what was said from `bottom` to `top`, both inclusive.
    """

    published_at: datetime
    id: UUID
    score: int | None = None
    bottom: datetime | None = None
    top: datetime | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """The mentions that best first chooses among, the best first, and the time that they are of."""

    places: list[Place]
    bottom: datetime | None = None
    top: datetime | None = None

    def after(self, start: Place | None) -> list[Place]:
        """Those of them that come after `start`."""
        return [it for it in self.places if _key(it) < _key(start)] if start is not None else list(self.places)

    def stands(self, place: Place) -> Place:
        """One of them, as a page goes on from it."""
        return place._replace(bottom=self.bottom, top=self.top)


def _key(place: Place) -> tuple[int, datetime, UUID]:
    return place.score or 0, place.published_at, place.id


async def newest(
    session: Session, where: MentionFilter, start: Place | None, most: int
) -> tuple[list[UUID], Place | None]:
    """Ids that match the words, newest first, and where the next ones start (None: there are no more)."""
    found = await _found(session, where, start, most, ranked=False)
    return [it.id for it in found], found[-1] if len(found) >= most else None


async def oldest(
    session: Session, where: MentionFilter, start: Place | None, most: int
) -> tuple[list[UUID], Place | None]:
    """The same, oldest first."""
    rows = await session.execute(
        _FOUND_FROM_OLDEST,
        {
            "words": where.words, "since": where.since, "until": where.until, "most": most,
            "after_at": start.published_at if start else None, "after_id": start.id if start else None,
        },
    )  # fmt: skip
    found = [Place(at, id_) for id_, at in rows.all()]
    return [it.id for it in found], found[-1] if len(found) >= most else None


async def every(session: Session, where: MentionFilter) -> list[UUID]:
    """The ids of all that match the words, within the filter's time."""
    return (await newest(session, where, None, _ALL))[0]


async def found_between(session: Session, words: str, since: datetime, until: datetime) -> list[UUID]:
    """The ids of all mentions of the range that match the words."""
    return await every(session, MentionFilter(search=words, since=since, until=until))


async def weigh(
    session: Session,
    where: MentionFilter,
    start: Place | None,
    passing: Callable[[list[UUID]], Awaitable[Collection[UUID]]] | None,
) -> Weighed:
    """The newest mentions that match the words and pass, weighed: where a page `start`s, the same as for the first one.

    A mention's score is how well it matches (ts_rank_cd, shorter texts before longer ones), and doubles with each
    month that it is newer. It depends on nothing else, so that it stays while other mentions come.
    """
    if start is not None and start.bottom is not None and start.top is not None:
        since, until = start.bottom, start.top + _TICK
        where = replace(where, since=max(since, where.since or since), until=min(until, where.until or until))
    last, kept, looked = None, list[Place](), 0
    most = WEIGHED if start is None else FURTHEST
    while most:
        found = await _found(session, where, last, most, ranked=True)
        passed = set(await passing([it.id for it in found])) if passing is not None and found else None
        kept += [it for it in found if passed is None or it.id in passed]
        looked += len(found)
        if len(found) < most or (start is None and len(kept) >= WEIGHED):
            break
        last, most = found[-1], min(most * 4, FURTHEST - looked)
    if start is None:
        del kept[WEIGHED:]
    if not kept:
        return Weighed([])
    bottom, top = (start.bottom, start.top) if start is not None else (kept[-1].published_at, kept[0].published_at)
    return Weighed(sorted(kept, key=_key, reverse=True), bottom, top)


async def _found(
    session: Session, where: MentionFilter, start: Place | None, most: int, *, ranked: bool
) -> list[Place]:
    found = await session.execute(
        _FOUND,
        {
            "words": where.words, "since": where.since, "until": where.until, "most": most, "ranked": ranked,
            "before_at": start.published_at if start else None, "before_id": start.id if start else None,
        },
    )  # fmt: skip
    return [Place(at, id_, score) for id_, at, score in found.all()]


async def highlights(session: Session, scope: Scope, words: str, ids: Collection[UUID]) -> dict[UUID, Spans]:
    """Where in each text the words are: [start, end) in code points, in order, the first hundred places of the first
    20,000 code points."""
    if not ids:
        return {}
    values: dict[str, Any] = {"words": words, "brand_id": scope.brand_id, "ids": list(ids)}
    return {row.id: row.spans for row in await session.execute(_SPANS, values)}
