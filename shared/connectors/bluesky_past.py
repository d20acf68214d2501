"""Walking back through what was said before an account was connected: every list at once, the newest first."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import orjson

from shared.connectors.bluesky_lists import Source, arrival, failed, page, sources
from shared.connectors.bluesky_posts import time
from shared.connectors.bluesky_xrpc import NETWORK, rest, session
from shared.contract import Login, Page
from shared.errors import Refused, Unavailable

PAGE = 100
PATIENCE = 10  # pages that lead nowhere


@dataclass(slots=True)
class Way:
    """How far back one list has been walked: `next` leads on, `done` where nothing wanted is left."""

    next: str | None = None
    oldest: datetime | None = None
    idle: int = 0
    done: bool = False


@dataclass(slots=True)
class Back:
    ways: dict[str, Way] = field(default_factory=dict)


async def backfill(http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
    """One page of the list that lags behind the others; the cursor is None once all of them reach `since`.

    A search that the network refuses is said in its arrival, and the rest is walked without it.
    """
    here = session(login)
    wanted = sources(here, login.terms)
    back = _read(cursor)
    ways = {source.id: back.ways.get(source.id, Way()) for source in wanted}
    waiting = [source for source in wanted if not ways[source.id].done]
    if not waiting:
        return Page((), None, reached=since)
    source = max(waiting, key=lambda one: _lag(ways[one.id]))
    way = ways[source.id]
    asked_since = since.isoformat().replace("+00:00", "Z")
    try:
        listed = await page(http, here, source, limit=PAGE, cursor=way.next, since=asked_since)
    except Refused as error:
        way.done = True
        return _page((failed(source, error),), ways, since)
    onwards = listed.oldest is not None and (way.oldest is None or listed.oldest < way.oldest)
    way.idle = 0 if onwards else way.idle + 1
    if onwards:
        way.oldest = listed.oldest
    way.done = listed.next is None or (listed.oldest is not None and listed.oldest < since)
    if not way.done and (way.idle >= PATIENCE or listed.next == way.next):
        raise Unavailable(NETWORK, f"{source.label}: the network gives the same page again and again", unsent=True)
    way.next = listed.next
    arrivals = (arrival(source, listed),) if listed.items else ()
    found = _page(arrivals, ways, since)
    return Page(found.arrivals, found.cursor, found.more, rest(listed.response), reached=found.reached)


def _lag(way: Way) -> tuple[bool, float]:
    """The greater, the less of the past has been brought."""
    return (way.oldest is None, way.oldest.timestamp() if way.oldest is not None else 0.0)


def _page(arrivals: tuple[Any, ...], ways: dict[str, Way], since: datetime) -> Page:
    done = all(way.done for way in ways.values())
    cursor = None if done else orjson.dumps(Back(ways)).decode()
    reached = [since if way.done else way.oldest for way in ways.values()]
    known = [at for at in reached if at is not None]
    return Page(arrivals, cursor, not done, reached=max(known) if len(known) == len(reached) else None)


def _read(cursor: str | None) -> Back:
    """Where the last page left off. Raises nothing: what is not ours to read begins anew."""
    try:
        kept: Any = orjson.loads(cursor or "")
        return Back(
            {
                str(name): Way(way["next"], time(way["oldest"]), int(way["idle"]), bool(way["done"]))
                for name, way in kept["ways"].items()
            }
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Back()


__all__ = ["Source", "backfill"]
