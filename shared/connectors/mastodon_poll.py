"""Going forward: a page of one source a call, by `min_id`, until nothing newer comes; then the next source.

`min_id` gives the page that follows it. Some of Mastodon's kin, and the search of Mastodon itself, take it for
`since_id` and give the newest page instead, which skips what lies between. So below every full page we look again, by
`max_id` (or by counting on, in a search), until nothing new comes from there. What does not get on is over: no page is
asked for for ever.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime

import httpx

from shared.connectors.mastodon_sources import (
    LATE_BY,
    VERSION,
    Sheet,
    Source,
    after,
    ask,
    highest,
    note,
    order,
    some_time_before,
    sources_of,
)
from shared.contract import Login, Page
from shared.errors import LoginDead, NetworkError, RateLimited, Refused

FULL = 20  # a page of fewer is the last one, whatever limit the instance really has
SEEN = 200  # versions that are remembered of a source where things come late


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one source was read.

    `at`: the highest id that was ever seen. `seen`: where things come late, the versions that were seen last, one after
    the other: what comes again in the same version is no news. The rest is of a walk that is not over. `floor`: above
    which it looks; `low`: below which it has still to look; `top`: the highest that it saw; `skip`: how many it
    counted; `full`: one of its pages was full, so there may be more above.
    """

    at: str = ""
    seen: str = ""
    floor: str = ""
    low: str = ""
    top: str = ""
    skip: int = 0
    full: bool = False
    walking: bool = False


async def poll(http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
    """One page of the source whose turn it is. Raises what the notifications' answer stands for.

    A source that a person asked for may fail by itself: an arrival says so, the place in it is kept, the turn goes on.
    """
    sources = sources_of(login)
    turn, marks = _read(cursor)
    here = next((index for index, source in enumerate(sources) if source.name == turn), 0)
    source = sources[here]
    mark = marks.get(source.name)
    if mark is not None and source.late and not mark.at:
        mark = None  # what a search or a hashtag suddenly finds after it had nothing may be years of it
    now = datetime.now(UTC)
    try:
        sheet = await ask(http, login, source, _place(source, mark) if mark else ())
    except LoginDead:
        raise
    except RateLimited as error:
        if not source.asked_for:
            raise
        # One source may have a limit of its own: it keeps its place, and the others come before it is asked again.
        return Page((), _write(sources, here + 1, marks), wait=error.after)
    except NetworkError as error:
        if isinstance(error, Refused) and mark is not None and await _takes_no_place(http, login, source):
            del marks[source.name]
            return _begun_anew(sources, here, marks, error, now)
        return _passed_over(sources, here, marks, error, now)
    fresh = _fresh(sheet, mark)
    moved = _moved(sheet, mark, fresh)
    news = _news(sheet, mark, fresh)
    marks[source.name] = replace(moved, seen=(moved.seen + "".join(news))[-VERSION * SEEN :]) if source.late else moved
    following = here if moved.walking else here + 1
    arrivals = (sheet.arrival(now),) if news or (sheet.items and not sheet.ids) else ()
    return Page(arrivals, _write(sources, following, marks), more=following < len(sources), wait=sheet.room.wait)


async def _takes_no_place(http: httpx.AsyncClient, login: Login, source: Source) -> bool:
    """Whether it is the place that is refused, rather than the source."""
    try:
        await ask(http, login, source, ())
    except NetworkError:
        return False
    return True


def _begun_anew(
    sources: Sequence[Source], here: int, marks: Mapping[str, Mark], error: NetworkError, now: datetime
) -> Page:
    reason = (
        f"the instance no longer knows the place where the last poll stopped, so it begins at the newest page;"
        f" what came between is missing: bring it by a backfill ({error.message})"
    )
    return Page((note(sources[here], reason, now),), _write(sources, here, marks), more=True)


def _passed_over(
    sources: Sequence[Source], here: int, marks: Mapping[str, Mark], error: NetworkError, now: datetime
) -> Page:
    if not sources[here].asked_for:
        raise error
    reason = f"passed over, and asked again at the next poll: {error.message}"
    following = here + 1
    arrivals = (note(sources[here], reason, now),)
    return Page(arrivals, _write(sources, following, marks), more=following < len(sources))


# ---------------------------------------------------------------- one step of a walk


def _floor(source: Source, mark: Mark) -> str:
    if mark.walking:
        return mark.floor
    return some_time_before(mark.at, LATE_BY) if source.late else mark.at


def _place(source: Source, mark: Mark) -> list[tuple[str, str]]:
    floor = _floor(source, mark)
    place = [("min_id", floor)] if floor else []
    if source.offset:
        return [*place, ("offset", str(mark.skip))] if mark.skip else place
    return [*place, ("max_id", mark.low)] if mark.low else place


def _fresh(sheet: Sheet, mark: Mark | None) -> list[str]:
    """The ids that this walk has not seen yet."""
    if mark is None:
        return list(sheet.ids)
    floor = _floor(sheet.source, mark)
    return [i for i in sheet.ids if after(i, floor) and (not mark.low or after(mark.low, i))]


def _news(sheet: Sheet, mark: Mark | None, fresh: Sequence[str]) -> list[str]:
    """The versions in a page that were not seen before. Where nothing comes late, every fresh thing is one."""
    if mark is None or not sheet.source.late:
        return sheet.versions if fresh else []
    seen = {mark.seen[place : place + VERSION] for place in range(0, len(mark.seen), VERSION)}
    return [version for version in sheet.versions if version not in seen]


def _moved(sheet: Sheet, mark: Mark | None, fresh: Sequence[str]) -> Mark:
    """Where the source is read on. At its first look that is above the newest page."""
    if mark is None:
        return Mark(at=highest(sheet.ids))
    floor = _floor(sheet.source, mark)
    top = highest([mark.top, *fresh])
    whole = len(sheet.ids) >= min(FULL, sheet.source.limit)
    full = mark.full or whole
    if fresh and whole:
        low = min(fresh, key=order)
        return replace(mark, floor=floor, low=low, top=top, skip=mark.skip + len(sheet.ids), full=full, walking=True)
    at = highest([mark.at, top])
    if full and after(top, floor):
        return Mark(at=at, seen=mark.seen, floor=top, walking=True)
    return Mark(at=at, seen=mark.seen)


# ---------------------------------------------------------------- the cursor


def _read(cursor: str | None) -> tuple[str, dict[str, Mark]]:
    """The source whose turn it is, and every mark. A mark that can't be read is none: that source begins anew."""
    try:
        value = json.loads(cursor or "{}")
    except (ValueError, RecursionError):
        value = {}
    if not isinstance(value, dict):
        return "", {}
    given = value.get("marks")
    marks = {name: mark for name, raw in (given if isinstance(given, dict) else {}).items() if (mark := _mark(raw))}
    return str(value.get("turn")), marks


def _mark(raw: object) -> Mark | None:
    try:
        mark = Mark(**raw) if isinstance(raw, dict) else None
    except TypeError:
        return None
    kept = mark is not None and all(type(getattr(mark, one.name)) is type(one.default) for one in fields(mark))
    return mark if kept else None


def _write(sources: Sequence[Source], following: int, marks: Mapping[str, Mark]) -> str:
    """The cursor; after the last source it is the first one's turn again. Marks of terms that went are dropped."""
    turn = sources[following % len(sources)].name
    kept = {source.name: marks[source.name] for source in sources if source.name in marks}
    return json.dumps({"turn": turn, "marks": {name: _plain(mark) for name, mark in kept.items()}})


def _plain(mark: Mark) -> dict[str, object]:
    """Only what differs from a fresh mark: a cursor has a mark for every term."""
    return {name: value for name, value in asdict(mark).items() if value != getattr(Mark(), name)}
