"""How a worker turns: loops that look into PostgreSQL by themselves, and a heartbeat that says that they still do."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from prometheus_client import Counter, Gauge
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.db import Database, is_passing
from shared.domain import leases
from shared.log import logger

_log = logger("rounds")

BEAT_SECONDS, BEAT_LASTS = 3.0, timedelta(seconds=15)
STUCK_SECONDS = 30.0
_CHECK_SECONDS = 5.0

Round = Callable[[], Awaitable[float]]

_turned_at = Gauge("parvis_loop_turned_timestamp_seconds", "When a worker's loop last did its round well.", ["loop"])
_failures = Counter(
    "parvis_loop_failures_total", "Rounds that failed, by loop; `away` where PostgreSQL was.", ["loop", "why"]
)


def passes(error: BaseException) -> bool:
    """Whether the same may succeed in a moment: PostgreSQL is away or busy."""
    return is_passing(error) or isinstance(error, PoolTimeout)


def heart_name(service: str) -> str:
    """Under which name the copies of a service on this machine (or container) say that they are alive."""
    return f"{service}:{socket.gethostname()}"


class Rounds:
    """The loops of one worker process. One failing never stops the others; one that stands still stops the heart."""

    def __init__(self, db: Database, service: str, holder: UUID, stop: asyncio.Event) -> None:
        self._db = db
        self._service = service
        self._holder = holder
        self._stop = stop
        self._turned: dict[str, float] = {}

    async def run(self, loops: Sequence[Coroutine[Any, Any, None]], *, grace: float) -> None:
        """Run the loops until the stop. What is in the middle of something gets `grace` seconds, then is broken off.

        A loop ends before the stop only by a mistake of ours: then all end, and the process is started again.
        """
        tasks = [asyncio.create_task(loop) for loop in loops]
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stop.set()
            await stopping
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def turn(self, name: str, round_: Round, *, wake: asyncio.Event | None = None, watched: bool = True) -> None:
        """Rounds until the stop, each saying how long to wait for the next; `wake` cuts the wait short.

        A failure is said, and the next round comes; PostgreSQL being away is no surprise.
        """
        stopping: asyncio.Task[Any] = asyncio.create_task(self._stop.wait())
        turned_at = _turned_at.labels(name)
        turned_at.set_to_current_time()
        pause = 0.1
        try:
            while not self._stop.is_set():
                if watched:
                    self._turned.setdefault(name, time.monotonic())
                if wake is not None:
                    wake.clear()
                try:
                    wait = await round_()
                except Exception as error:
                    _failures.labels(name, "away" if passes(error) else "broken").inc()
                    if passes(error):
                        _log.warning("round.waits", service=self._service, loop=name, error=type(error).__name__)
                    else:
                        _log.exception("round.failed", service=self._service, loop=name)
                    wait = pause = min(pause * 2, 2.0)
                else:
                    pause = 0.1
                    turned_at.set_to_current_time()
                    if watched:
                        self._turned[name] = time.monotonic()
                await _rest(wait, stopping, wake)
        finally:
            stopping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await stopping

    async def beat(self) -> float:
        """Say that this process is alive, unless one of its watched loops stands still."""
        stuck = [name for name, at in self._turned.items() if time.monotonic() - at > STUCK_SECONDS]
        if stuck:
            _log.error("round.stuck", service=self._service, loops=stuck)
            return BEAT_SECONDS
        async with self._db.session() as session:
            await leases.beat(session, heart_name(self._service), self._holder, BEAT_LASTS)
        return BEAT_SECONDS


async def check(service: str, url: str | None) -> str | None:
    """What is wrong with this machine's copy of a worker, in a sentence; None where it is alive."""
    if url is None:
        return "PARVIS_WORKER_DATABASE_URL is not set"
    db = Database(url, name=f"{service} check", size=1)
    try:
        async with asyncio.timeout(_CHECK_SECONDS), db.reading() as session:
            if await leases.beats(session, heart_name(service)):
                return None
    except Exception as error:
        return f"PostgreSQL can't be asked: {type(error).__name__}"
    finally:
        await db.close()
    return f"no {service} on this machine has said lately that it is alive"


async def _rest(seconds: float, stopping: "asyncio.Task[Any]", wake: asyncio.Event | None) -> None:
    """Wait, but not past a stop or a wake-up."""
    if wake is None:
        await asyncio.wait({stopping}, timeout=seconds)
        return
    woken: asyncio.Task[Any] = asyncio.create_task(wake.wait())
    try:
        await asyncio.wait({stopping, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        woken.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await woken
