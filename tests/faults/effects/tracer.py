"""Numbers the points at which a scheduler may die: every await of the sending path that suspends, every commit.

A point is an await of our own code, told apart by the statement or the step of an HTTP exchange that it stands in, once
before it is done; a COMMIT counts once more when it has come back. What a driver does within one of these (opening a
connection, preparing a statement, reading an answer in pieces) differs from run to run, and so is no point of its own:
the numbers are the same for the same scenario.
"""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Generator, Iterator
from pathlib import Path
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any

_ROOT = Path(__file__).parents[3]
_OURS = tuple(str(_ROOT / name) + "/" for name in ("services", "shared"))
_ROOTS = tuple(str(_ROOT / name) for name in ("services/scheduler/sending.py", "services/logins.py"))
_STATEMENT, _COMMIT = "_prepare_and_execute", "commit"
_PIECES = "_chunks"  # of an answer: how many there are is chance
_LOCKS = "handle_async_request"  # a connection's own, before anything is sent: whether it has to wait is chance
# What CPython puts between two coroutines, and has no name for the inner one.
_OPAQUE = frozenset({"coroutine_wrapper", "async_generator_asend", "async_generator_athrow", "anext_awaitable"})

Reached = Callable[[str], None]
_AWAITED = (CoroutineType, AsyncGeneratorType, GeneratorType)


class Tracer:
    """Counts points in the order in which they are reached, and tells each to `reached`, by its place in words."""

    def __init__(self, reached: Reached) -> None:
        self._reached = reached
        self._claimed = False

    def install(self) -> None:
        """Follow every task that the running loop starts from now on."""
        asyncio.get_running_loop().set_task_factory(self._task)

    def _task(self, loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> "asyncio.Task[Any]":
        return asyncio.Task(_Followed(coro, self), loop=loop, **more)

    def place(self, coro: Any) -> "Place | None":
        """Where in the sending path a suspended task stands; None where it is not in it."""
        links = list(_chain(coro))
        frames = [frame for _, frame in links]
        if not any(frame.f_code.co_filename in _ROOTS for frame in frames) or self._is_idle(frames):
            return None
        own = max(n for n, frame in enumerate(frames) if frame.f_code.co_filename.startswith(_OURS))
        if frames[own].f_code.co_name == _PIECES:
            return None
        awaited = links[own + 1][0] if own + 1 < len(links) else None
        below = [(link, frame.f_code) for link, frame in links[own + 1 :]]
        if any(code.co_name == "greenlet_spawn" for _, code in below):
            found = next(((link, code.co_name) for link, code in below if _is_sql(code)), None)
            if found is None:
                return None
            return Place(_words(frames[own], found[1]), (awaited, found[0]), is_commit=found[1] == _COMMIT)
        step = next((code.co_name for _, code in reversed(below) if "/httpcore/_async/http11" in code.co_filename), "")
        if step == _LOCKS:
            return None
        return Place(_words(frames[own], step), (awaited, step))

    def reach(self, words: str) -> None:
        """A point is there."""
        self._reached(words)

    def _is_idle(self, frames: list[FrameType]) -> bool:
        """Whether this is a look for something due that, after the first claim, has not found anything."""
        looks = [frame for frame in frames if frame.f_code.co_name == "round" and frame.f_code.co_filename in _ROOTS]
        if looks and not looks[0].f_locals.get("claims"):
            return self._claimed
        self._claimed = True
        return False


class Place:
    """One await. Two are the same while they hold the same objects, which are kept so that none takes another's id."""

    def __init__(self, words: str, holds: tuple[object, object], *, is_commit: bool = False) -> None:
        self.words, self.is_commit = words, is_commit
        self._holds = holds

    def is_same(self, other: "Place | None") -> bool:
        if other is None:
            return False
        mine, theirs = self._holds, other._holds
        return self.words == other.words and mine[0] is theirs[0] and (mine[1] is theirs[1] or mine[1] == theirs[1])


class _Followed(Coroutine[Any, Any, Any]):
    """A task's coroutine that looks, at each suspension, where it stands."""

    def __init__(self, coro: Coroutine[Any, Any, Any], tracer: Tracer) -> None:
        self._coro, self._tracer = coro, tracer
        self._at: Place | None = None

    def send(self, value: Any) -> Any:
        self._back()
        waits_for = self._coro.send(value)
        self._away()
        return waits_for

    def throw(self, *error: Any) -> Any:
        self._back()
        waits_for = self._coro.throw(*error)
        self._away()
        return waits_for

    def close(self) -> None:
        self._coro.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coro.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coro, name)

    def _back(self) -> None:
        if self._at is not None and self._at.is_commit:
            words, self._at = f"{self._at.words}, done", None
            self._tracer.reach(words)

    def _away(self) -> None:
        place = self._tracer.place(self._coro)
        if place is not None and not place.is_same(self._at):
            self._tracer.reach(place.words)
        self._at = place or self._at


def _chain(link: Any) -> Iterator[tuple[Any, FrameType]]:
    """From a task's coroutine inwards, as far as there are frames: what awaits, and where it stands."""
    while link is not None:
        if type(link).__name__ in _OPAQUE:
            link = next((it for it in gc.get_referents(link) if isinstance(it, _AWAITED)), None)
            continue
        match link:
            case CoroutineType():
                frame, inner = link.cr_frame, link.cr_await
            case AsyncGeneratorType():
                frame, inner = link.ag_frame, link.ag_await
            case GeneratorType():
                frame, inner = link.gi_frame, link.gi_yieldfrom
            case _:
                return
        if frame is None:
            return
        yield link, frame
        link = inner


def _is_sql(code: CodeType) -> bool:
    if code.co_name == _COMMIT:
        return "/asyncpg/" in code.co_filename
    return code.co_name == _STATEMENT


def _words(frame: FrameType, step: str) -> str:
    """The place as a reader finds it."""
    file = Path(frame.f_code.co_filename).relative_to(_ROOT)
    what = {_STATEMENT: "a statement", _COMMIT: "the commit"}.get(step, step.strip("_").replace("_", " "))
    return f"{file}:{frame.f_lineno} {frame.f_code.co_name}{f', {what}' if what else ''}"
