"""Queries asked of a page of what is stored, under the brand's lock, and how a recall remembers where it is."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.analysis.matcher import Listening, Matcher
from shared.db import Session
from shared.domain.listening import matches, trial
from shared.domain.listening.ears import Asking
from shared.domain.listening.searching import Place
from shared.domain.scope import Scope
from shared.models.base import JsonObject
from shared.models.operation import Operation

LANE: Final = "recall"  # one for all brands: two pages at once in a worker, in rounds over brands
ALL_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a page: how many mentions were asked, down to `last`, and how many matches there are; whether there
    may be `more` below."""

    mentions: int
    matches: int
    last: Place | None
    more: bool


async def ask(
    session: Session,
    scope: Scope,
    zone: ZoneInfo,
    asking: Sequence[Listening[Asking]],
    place: Place | None,
    limit: int,
    *,
    since: datetime | None = None,
    author_id: UUID | None = None,
) -> Asked:
    """Ask these queries of the next `limit` mentions, from the newest on or from `place`; of one author's where one is
    given. What they match of them is that, and no longer what it was."""
    rows = await trial.stored(session, scope, place, limit, since=since, author_id=author_id)
    until = time.monotonic() + matches.MOST_SECONDS
    found = await asyncio.to_thread(Matcher(asking).match, [trial.subject(row) for row in rows], until=until)
    more = len(rows) == limit or len(found) < len(rows)
    rows = rows[: len(found)]  # what there was not the time for is asked with the next page
    counts = {row.id: trial.counts(row) for row in rows}
    count = await matches.replace(session, scope.brand_id, zone, [one.key[0] for one in asking], counts, found)
    return Asked(len(rows), count, Place(rows[-1].published_at, rows[-1].id) if rows else None, more)


def cursor_at(place: Place, version: int) -> str:
    """The cursor of what is reached with this version of the query."""
    return f"{version} {place.published_at.isoformat()} {place.id}"


def place_at(cursor: str | None, version: int) -> Place | None:
    """Where the next page begins; None at the newest, also where the query is of another version by now."""
    of, _, rest = (cursor or "0").partition(" ")
    if int(of) != version:
        return None
    at, _, id_ = rest.partition(" ")
    return Place(datetime.fromisoformat(at), UUID(id_))


def of_author(author_id: UUID) -> JsonObject:
    """What a recall of one author's mentions asks of."""
    return {"author": str(author_id)}


def author_of(operation: Operation) -> UUID | None:
    """The author whose mentions alone a recall asks; None where it asks all."""
    return UUID(operation.asked["author"]) if operation.asked is not None else None
