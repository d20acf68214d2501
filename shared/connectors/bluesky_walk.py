"""Polling lists that are newest first, so that nothing between two polls is lost and the newest never waits.

A poll asks for the newest page of each list. Where that page does not reach what was brought before, a **gap** is left:
the cursor remembers where it begins and where it ends, and it is walked through page by page, over as many polls as it
takes. After ROUND pages of gaps the newest pages are due again. Each call is one step, and its arrivals are kept
together with its cursor: a crash repeats a step and loses none.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from shared.connectors.bluesky_lists import NOTIFICATIONS, Listed, Source, arrival, failed, page, sources
from shared.connectors.bluesky_posts import time
from shared.connectors.bluesky_xrpc import NETWORK, Session, rest, session
from shared.contract import Login, Page, RawArrival
from shared.errors import LoginDead, LoginExpired, NetworkError, RateLimited, Refused, Unavailable

NEWEST = 50  # entries that every poll asks for: what turns up late among them is found, too
WALK = 100  # entries of a gap's page
AT_ONCE = 4  # newest pages a call
ROUND = 10  # gap pages before the newest are due again
MOST_GAPS = 8
PATIENCE = 10  # pages of a gap that lead nowhere
TRIES = 3  # failures of a gap's page, before its cursor is given up

_OF_ALL = (RateLimited, LoginDead, LoginExpired)  # what is not about one list


@dataclass(slots=True)
class Gap:
    """What lies between two pages that were brought: from `next` (empty: the list's beginning) back to `until`."""

    next: str
    until: datetime | None
    last: datetime | None = None
    idle: int = 0
    tries: int = 0


@dataclass(slots=True)
class Stream:
    """What is known of one list: its newest time, the identities of its newest page, and its gaps, newest first."""

    top: datetime | None = None
    heard: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


@dataclass(slots=True)
class Walk:
    """Where polling stands. `due`: lists whose newest page is still to be asked for in this round; `tired`: those whose
    gaps failed in it; `pages`: gap pages walked in it."""

    streams: dict[str, Stream] = field(default_factory=dict)
    due: list[str] = field(default_factory=list)
    tired: list[str] = field(default_factory=list)
    pages: int = 0

    def walkable(self) -> list[str]:
        """The lists with gaps that can be walked now."""
        return [name for name, stream in self.streams.items() if stream.gaps and name not in self.tired]

    def begin(self, wanted: list[Source]) -> None:
        """Keep to the lists that are wanted, and begin a round where the last one is over."""
        names = [source.id for source in wanted]
        self.streams = {name: stream for name, stream in self.streams.items() if name in names}
        self.due = [name for name in self.due if name in names]
        if not self.due and (self.pages >= ROUND or not self.walkable()):
            self.due, self.tired, self.pages = names, [], 0


async def poll(http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
    """One step: the newest pages that are due, else one page of a gap."""
    here = session(login)
    wanted = sources(here, login.terms)
    walk = read_cursor(cursor)
    walk.begin(wanted)
    by_name = {source.id: source for source in wanted}
    newest = walk.due[:AT_ONCE]
    arrivals: list[RawArrival] = []
    wait: timedelta | None = None
    for name in newest or walk.walkable()[:1]:
        try:
            step = _newest if newest else _older
            wait = await step(http, here, by_name[name], walk, arrivals)
        except RateLimited as error:
            if newest and name == NOTIFICATIONS:
                raise
            # The round ends here, so that the next one does not begin with what was too much for the network.
            walk.due, walk.tired, wait = [], list(walk.streams), error.after
        if wait is not None:
            break
    # Where gaps were walked, the newest are asked for once more before the poll ends: that took a while.
    more = wait is None and bool(walk.due or walk.walkable() or (walk.pages and not walk.tired))
    return Page(tuple(arrivals), write_cursor(walk), more, wait)


async def _newest(
    http: httpx.AsyncClient, here: Session, source: Source, walk: Walk, arrivals: list[RawArrival]
) -> timedelta | None:
    """Bring the newest page of a list, and note the gap that it leaves. How long the network wants to rest."""
    try:
        listed = await page(http, here, source, limit=NEWEST, cursor=None)
    except NetworkError as error:
        # Of the notifications the poll itself speaks; a search that fails must not keep them back.
        if source.id == NOTIFICATIONS or isinstance(error, _OF_ALL):
            raise
        arrivals.append(failed(source, error))
        walk.due.remove(source.id)
        return None
    stream = walk.streams.get(source.id)
    known = stream or Stream()
    heard = set(known.heard)
    fresh = [index for index, item in enumerate(listed.items) if item.id not in heard]
    if fresh:
        arrivals.append(arrival(source, listed, fresh))
    if stream is not None and listed.next is not None and not _reaches(listed, known, len(fresh)):
        known.gaps.insert(0, Gap(listed.next, known.top, listed.oldest))
        if len(known.gaps) > MOST_GAPS:
            # Two neighbours become one that holds both: what lies between them is brought twice, not lost.
            oldest = known.gaps.pop()
            known.gaps[-1].until = oldest.until
    known.heard = [item.id for item in listed.items]
    known.top = max(filter(None, (known.top, listed.newest)), default=None)
    walk.streams[source.id] = known
    walk.due.remove(source.id)
    return rest(listed.response)


def _reaches(listed: Listed, known: Stream, fresh: int) -> bool:
    """Whether a page reaches back to what was brought before."""
    if fresh < len(listed.items):
        return True
    return listed.oldest is not None and known.top is not None and listed.oldest < known.top


async def _older(
    http: httpx.AsyncClient, here: Session, source: Source, walk: Walk, arrivals: list[RawArrival]
) -> timedelta | None:
    """Walk one page through a list's newest gap. A gap that leads nowhere is said, and begun again from the top."""
    stream = walk.streams[source.id]
    gap = stream.gaps[0]
    walk.pages += 1
    try:
        listed = await page(http, here, source, limit=WALK, cursor=gap.next)
        _progress(gap, listed, source)
    except NetworkError as error:
        if isinstance(error, _OF_ALL):
            raise
        arrivals.append(failed(source, error))
        walk.tired.append(source.id)
        gap.tries += 1
        if isinstance(error, Refused) or gap.tries >= TRIES:
            gap.next, gap.last, gap.tries = "", None, 0
        return None
    gap.tries = 0
    if listed.items:
        arrivals.append(arrival(source, listed))
    if listed.next is None or (gap.until is not None and listed.oldest is not None and listed.oldest < gap.until):
        stream.gaps.pop(0)
    else:
        gap.next = listed.next
    # The next step is another list's, where another has a gap as well.
    walk.streams = {name: it for name, it in walk.streams.items() if name != source.id} | {source.id: stream}
    return rest(listed.response)


def _progress(gap: Gap, listed: Listed, source: Source) -> None:
    """Count the pages that do not lead further back. Raises Unavailable where there are too many of them."""
    onwards = listed.oldest is not None and (gap.last is None or listed.oldest < gap.last)
    gap.idle = 0 if onwards else gap.idle + 1
    if onwards:
        gap.last = listed.oldest
    if listed.next is not None and (gap.idle >= PATIENCE or listed.next == gap.next):
        gap.idle, gap.tries = 0, TRIES
        raise Unavailable(NETWORK, f"{source.label}: the network gives the same page again and again", unsent=True)


# ---------------------------------------------------------------- the cursor


def read_cursor(cursor: str | None) -> Walk:
    """Where an earlier step left off; the beginning where there was none, or where it is not ours to read."""
    try:
        kept: Any = orjson.loads(cursor or "")
        return Walk(
            {
                str(name): Stream(
                    time(stream["top"]),
                    [str(one) for one in stream["heard"]],
                    [
                        Gap(
                            str(gap["next"]), time(gap["until"]), time(gap["last"]), int(gap["idle"]), int(gap["tries"])
                        )
                        for gap in stream["gaps"]
                    ],
                )
                for name, stream in kept["streams"].items()
            },
            [str(name) for name in kept["due"]],
            [str(name) for name in kept["tired"]],
            int(kept["pages"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Walk()


def write_cursor(walk: Walk) -> str:
    return orjson.dumps(walk).decode()
