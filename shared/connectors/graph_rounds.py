"""Polling Graph in rounds: every source is looked at in turn, and none waits for another one's million comments.

A poll's cursor holds the steps that are still to be taken, each with the moment down to which it reads. So a source's
own mark may move on as soon as its first page was read: what lies between is a step in the same cursor.
"""

import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

import orjson

from shared.contract import Page, RawArrival
from shared.errors import LoginDead, LoginExpired, NetworkError, RateLimited, Refused

# What an arrival's headers say of it: which question it answers, and about which thing.
SOURCE, ABOUT = "graph-source", "graph-about"

CALLS = 6  # steps that one poll takes before what it has is kept
_DEEP_CALLS = 3  # of which so many may go back into what is old
_ROUND = 60  # seconds: a round that began within it is gone on with, not begun again
_OVERLAP = 300  # seconds: what was said a moment before a round began may not have been shown to it yet
_AGAIN_AFTER = 24 * 3600  # seconds until a source that was refused is asked again
_WATCHED = 50
_DEEP_OF_ONE = 3
_DEEPEST = 20_000  # pages: a walk that is longer goes in a circle


@dataclass(frozen=True, slots=True)
class Step:
    """One page to read. `after` is its place in an edge (empty: the first page), `since` where the walk ends."""

    source: str
    about: str = ""
    after: str = ""
    since: int = 0
    pages: int = 0


@dataclass(slots=True)
class State:
    """What a cursor holds. `seen` is what a network's own reading keeps of the things that it watches."""

    began: int = 0
    good: bool = False  # something was answered: of a backfill in this call, of a poll in this round
    filling: bool = False
    since: dict[str, int] = field(default_factory=dict)
    off: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    todo: list[Step] = field(default_factory=list)

    @classmethod
    def of(cls, network: str, cursor: str | None) -> "State":
        """Raises Refused for a cursor that is not ours."""
        if cursor is None:
            return cls()
        try:
            value = orjson.loads(cursor)
            todo = [Step(**step) for step in value.pop("todo")]
            return cls(**value, todo=todo)
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
            raise Refused(network, "the cursor is not one of this connector's") from None

    def cursor(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    def watch(self, thing: str, value: int) -> None:
        """Keep a value of the thing, and of the newest 50 only."""
        self.seen.pop(thing, None)
        self.seen[thing] = value
        while len(self.seen) > _WATCHED:
            self.seen.pop(next(iter(self.seen)))

    def add(self, step: Step) -> None:
        """Put a step behind the others. Several walks into the past of one thing become one that covers them."""
        same = [
            one
            for one in self.todo
            if (one.source, one.about, bool(one.after)) == (step.source, step.about, bool(step.after))
        ]
        if len(same) >= (_DEEP_OF_ONE if step.after else 1):
            self.todo.remove(same[-1])
            step = replace(step, since=min(step.since, same[-1].since))
        self.todo.append(step)


@dataclass(frozen=True, slots=True)
class Read:
    """What a step brought. `asked` is false where there was nothing to ask about: no proof that the login may ask."""

    arrivals: tuple[RawArrival, ...] = ()
    follow: tuple[Step, ...] = ()
    wait: timedelta | None = None
    asked: bool = True


Take = Callable[[State, Step], Awaitable[Read]]


async def poll(network: str, cursor: str | None, sources: tuple[str, ...], take: Take) -> Page:
    """Some steps of a round; the beginning of a new one where the last has ended or a minute has passed."""
    state = State.of(network, cursor)
    now = _now()
    if not state.todo or now - state.began >= _ROUND:
        state.began, state.good = now, False
        first = [Step(one, since=state.since.get(one, 0)) for one in sources if state.off.get(one, 0) <= now]
        # What a source still owes of the last round's beginning, its new first page brings as well.
        state.todo = [*first, *(step for step in state.todo if step.about or step.after)]
    return await _take(state, take)


async def backfill(network: str, since: datetime, cursor: str | None, sources: tuple[str, ...], take: Take) -> Page:
    """Some steps of the walk through everything from `since` on. `reached` is said at its end, when it is true."""
    state = State.of(network, cursor)
    if cursor is None:
        state = State(began=_now(), filling=True)
        state.todo = [Step(source, since=int(since.timestamp())) for source in sources]
    state.good = False
    page = await _take(state, take)
    if state.todo:
        return replace(page, more=True)
    return replace(page, cursor=None, more=False, reached=since)


def arrival(step: Step, body: bytes, asked_at: datetime, *, about: str | None = None) -> RawArrival:
    """An answer as it will be kept. Within an hour the same answer is the same arrival: it says nothing new."""
    digest = hashlib.sha256(body).hexdigest()[:40]
    about = step.about if about is None else about
    key = f"{step.source}:{about[:100]}:{asked_at:%Y%m%dT%H}:{digest}"
    return RawArrival(key, body, asked_at, {SOURCE: step.source, ABOUT: about})


def onward(step: Step, place: str | None, oldest: datetime | None) -> tuple[Step, ...]:
    """The page after this one, where the walk has not come down to its end yet.

    A first look, which has no end to come down to, is content with what a page holds.
    """
    if place is None or place == step.after or not step.since or step.pages >= _DEEPEST:
        return ()
    if oldest is not None and oldest.timestamp() < step.since:
        return ()
    return (replace(step, after=place, pages=step.pages + 1),)


def _move_mark(state: State, step: Step) -> None:
    """A source's first page was read: what it holds beyond is a step of its own, so its mark moves on."""
    if not step.after and not step.about:
        state.since[step.source] = state.began - _OVERLAP


@dataclass(slots=True)
class _Progress:
    """What some steps have come to."""

    arrivals: list[RawArrival] = field(default_factory=list)
    later: list[Step] = field(default_factory=list)
    calls: int = 0
    deep: int = 0
    done: int = 0
    wait: timedelta | None = None
    failed: NetworkError | None = None

    def is_enough(self, step: Step, *, filling: bool) -> bool:
        deep_enough = bool(step.after) and not filling and self.deep >= _DEEP_CALLS
        return self.wait is not None or self.calls >= CALLS or deep_enough


async def _take(state: State, take: Take) -> Page:
    """Take steps until enough calls were made, first pages before what lies deeper.

    A step that fails keeps no other one waiting.
    """
    fresh = deque(step for step in state.todo if not step.after)
    deep = deque(step for step in state.todo if step.after)
    state.todo, progress = [], _Progress()
    while fresh or deep:
        step = (fresh or deep).popleft()
        if progress.is_enough(step, filling=state.filling):
            state.add(step)
            continue
        for following in await _one(state, step, take, progress):
            (deep if following.after else fresh).append(following)
    more = bool(state.todo) and progress.wait is None
    state.todo += progress.later
    if progress.failed is not None and not progress.done and not state.good:
        raise progress.failed
    return Page(tuple(progress.arrivals), state.cursor(), more, progress.wait)


async def _one(state: State, step: Step, take: Take, progress: _Progress) -> Sequence[Step]:
    """Take a step; the steps that follow from it."""
    progress.calls += 1
    progress.deep += bool(step.after)
    try:
        read = await take(state, step)
    except (LoginDead, LoginExpired):
        raise
    except RateLimited as error:
        progress.wait, progress.failed = error.after, progress.failed or error
        progress.later.append(step)
    except Refused as error:
        # For good: this thing is gone, or this source is not for us. The self-test says which sources are.
        progress.failed = progress.failed or error
        if not step.about:
            state.off[step.source] = _now() + _AGAIN_AFTER
    except NetworkError as error:
        progress.failed = progress.failed or error
        progress.later.append(step)
    else:
        progress.done += read.asked
        state.good = state.good or read.asked
        _move_mark(state, step)
        progress.arrivals += read.arrivals
        progress.wait = max(filter(None, (progress.wait, read.wait)), default=None)
        return read.follow
    return ()


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
