"""Going backwards: a page of one source a call, by `max_id`, until everything from a moment on has been brought."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from shared.connectors.mastodon_sources import Sheet, Source, after, ask, note, order, sources_of
from shared.connectors.reading import rfc3339
from shared.contract import Login, Page, RawArrival
from shared.errors import Gone, Refused


@dataclass(frozen=True, slots=True)
class _Depth:
    """How far down one source was read: below which id, after how many, and back to which moment."""

    low: str = ""
    skip: int = 0
    reached: datetime | None = None
    done: bool = False


async def backfill(http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
    """One page of the source that is least far. Raises what its answer stands for; a term that is refused is noted."""
    sources = sources_of(login)
    depths = _read(cursor)
    open_ = [source for source in sources if not depths.get(source.name, _Depth()).done]
    if not open_:
        return Page((), cursor, reached=since)
    source = max(open_, key=lambda one: _newest_first(depths.get(one.name)))
    depth = depths.get(source.name, _Depth())
    now = datetime.now(UTC)
    try:
        sheet = await ask(http, login, source, _place(source, depth))
    except (Refused, Gone) as error:
        if not source.asked_for:
            raise
        depths[source.name] = _Depth(depth.low, depth.skip, depth.reached, done=True)
        refused = note(source, f"nothing earlier can be brought from it: {error.message}", now)
        return _page(sources, depths, since, (refused,))
    depths[source.name] = _deeper(sheet, depth, since)
    arrivals = (sheet.arrival(now),) if sheet.items and depths[source.name] != depth else ()
    page = _page(sources, depths, since, arrivals)
    return Page(page.arrivals, page.cursor, page.more, sheet.room.wait, reached=page.reached)


def _newest_first(depth: _Depth | None) -> datetime:
    """All sources go down together, so that what was reached is reached for all of them."""
    latest = datetime.max.replace(tzinfo=UTC)
    return latest if depth is None or depth.reached is None else depth.reached


def _place(source: Source, depth: _Depth) -> list[tuple[str, str]]:
    if source.offset:
        return [("offset", str(depth.skip))] if depth.skip else []
    return [("max_id", depth.low)] if depth.low else []


def _deeper(sheet: Sheet, depth: _Depth, since: datetime) -> _Depth:
    """A source is done where its page is older than what was asked for, empty, or no deeper than the one before."""
    below = [i for i in sheet.ids if not depth.low or after(depth.low, i)]
    if not below:
        return _Depth(depth.low, depth.skip, depth.reached, done=True)
    oldest = sheet.oldest or depth.reached
    done = oldest is not None and oldest < since
    return _Depth(min(below, key=order), depth.skip + len(sheet.ids), oldest, done)


def _page(
    sources: Sequence[Source], depths: Mapping[str, _Depth], since: datetime, arrivals: tuple[RawArrival, ...]
) -> Page:
    """`reached` is the moment that every source has been read back to; unknown while one was not looked at."""
    at = [_reached(depths.get(source.name), since) for source in sources]
    known = [moment for moment in at if moment is not None]
    more = not all(depths.get(source.name, _Depth()).done for source in sources)
    return Page(arrivals, _write(depths), more, reached=max(known) if len(known) == len(at) else None)


def _reached(depth: _Depth | None, since: datetime) -> datetime | None:
    if depth is None:
        return None
    return since if depth.done else depth.reached and max(depth.reached, since)


def _write(depths: Mapping[str, _Depth]) -> str:
    plain = {
        name: [depth.low, depth.skip, depth.reached.isoformat() if depth.reached else None, depth.done]
        for name, depth in depths.items()
    }
    return json.dumps({"depths": plain})


def _read(cursor: str | None) -> dict[str, _Depth]:
    """What can't be read begins anew: a page that is brought twice is heard once."""
    try:
        value = json.loads(cursor or "{}")
        given = value["depths"].items() if "depths" in value else ()
        return {
            str(name): _Depth(str(low), int(skip), rfc3339(reached) if reached else None, bool(done))
            for name, (low, skip, reached, done) in given
        }
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
