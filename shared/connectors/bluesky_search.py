"""Searching Bluesky for words that stand together, the latest first.

A search leads ten thousand posts deep and no further: from there it is asked anew for what is earlier, by `until`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from shared.connectors.bluesky_lists import arrival, page, search_for
from shared.connectors.bluesky_posts import time
from shared.connectors.bluesky_xrpc import rest, session
from shared.contract import Login, Page, RawArrival
from shared.errors import Refused

PAGE = 100
DEEP = 9_000  # posts in a row, from which on the end of a list may be the search's own


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a search goes on: at `next`, below `until`. `oldest`: how far back it has been; `count`: since `until`."""

    next: str | None = None
    until: datetime | None = None
    oldest: datetime | None = None
    count: int = 0


async def search(
    http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
) -> Page:
    """One page of what holds all of these words."""
    here, place = session(login), _read(cursor)
    said = " ".join(f'"{one}"' if " " in one else one for one in words)
    source = search_for(said, until=_written(place.until) if place.until else None)
    try:
        listed = await page(http, here, source, limit=PAGE, cursor=place.next, since=_written(since))
    except Refused:
        if place.next is None:
            raise
        return _below(place, ())  # it leads no further
    oldest = min(filter(None, (listed.oldest, place.oldest)), default=None)
    following = replace(place, next=listed.next, oldest=oldest, count=place.count + len(listed.items))
    arrivals = (arrival(source, listed),) if listed.items else ()
    if listed.next is not None and listed.next != place.next:
        found = Page(arrivals, _kept(following), more=True, reached=oldest)
    elif listed.next is None and following.count < DEEP:
        found = Page(arrivals, None, reached=since)
    else:
        found = _below(following, arrivals)
    return replace(found, wait=rest(listed.response))


def _below(place: _Place, arrivals: tuple[RawArrival, ...]) -> Page:
    """Anew, for what is earlier than what it has led to. Where that is nowhere new, it ends there."""
    if place.oldest is None or (place.until is not None and place.oldest >= place.until):
        return Page(arrivals, None, reached=place.oldest)
    until = place.oldest + timedelta(milliseconds=1)  # what else was said in that moment
    if place.until is not None and until >= place.until:
        until = place.oldest
    return Page(arrivals, _kept(_Place(until=until, oldest=place.oldest)), more=True, reached=place.oldest)


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _kept(place: _Place) -> str:
    return orjson.dumps(asdict(place)).decode()


def _read(cursor: str | None) -> _Place:
    """Where the last page left off; what is not ours to read begins anew."""
    try:
        kept: Any = orjson.loads(cursor or "")
        following = kept["next"]
        return _Place(
            following if isinstance(following, str) else None,
            time(kept["until"]),
            time(kept["oldest"]),
            int(kept["count"]),
        )
    except (ValueError, KeyError, TypeError):
        return _Place()
