"""The scheduler's loops: each looks into PostgreSQL by itself, the doorbell only wakes it earlier."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.scheduler import sweeps
from services.scheduler.house import House, passes
from services.scheduler.sending import Sending
from shared import queues
from shared.domain import leases
from shared.domain.events import sequencer
from shared.domain.listening import polls
from shared.log import logger
from shared.queues import Handler, PollChannel, SendOutgoing, Task

_log = logger("scheduler")

NUMBER_SECONDS = 0.05  # how often events that wait for their number are looked for
EVENTS = 1000
POLLS = 500
RING_AGAIN_SECONDS = 5.0
SWEEP_SECONDS = 60.0
BEAT_SECONDS, BEAT_LASTS = 3.0, timedelta(seconds=15)
STUCK_SECONDS = 30.0

Round = Callable[[], Awaitable[float]]


def heart_name() -> str:
    """Under which name the schedulers of this machine (or container) say that they are alive."""
    return f"scheduler:{socket.gethostname()}"


class Scheduler:
    """Sends, numbers, rings and sweeps until it is stopped; one loop failing never stops the others."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._sending = Sending(house)
        self._seat = sequencer.Seat(house.holder)
        self._rung: dict[UUID, float] = {}
        self._turned: dict[str, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish what is in hand within the settings' time."""
        settings = self._house.settings
        assert settings.redis_url is not None
        told: dict[type[Task], Handler] = {SendOutgoing: self._woken}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop("sending", self._sending.round, stop, self._sending.wake))
            group.create_task(self._loop("numbering", self.number, stop))
            group.create_task(self._loop("ringing", self.ring, stop))
            group.create_task(self._loop("sweeping", self._sweep, stop, watched=False))
            group.create_task(self._loop("beating", self.beat, stop, watched=False))
            group.create_task(queues.run_worker(settings.redis_url, queues.SCHEDULER, told, stop, grace=1.0))
        await self._sending.finish(settings.shutdown_seconds * 0.8)

    async def number(self) -> float:
        """Give committed events their numbers and tell the apis."""
        async with self._house.db.session() as session:
            brands = await sequencer.number(session, limit=EVENTS, seat=self._seat)
        await self._house.queues.publish(brands)
        return 0.0 if brands else NUMBER_SECONDS

    async def ring(self) -> float:
        """Ring for the channels that are due; who answers claims them, and sweeps for itself where Redis is away."""
        async with self._house.db.session() as session:
            due = await polls.due(session, limit=POLLS)
        now = time.monotonic()
        self._rung = {channel: at for channel, at in self._rung.items() if now - at < RING_AGAIN_SECONDS}
        for one in due:
            if one.channel_id in self._rung:
                continue
            if not await self._house.queues.send(PollChannel(one.channel_id, one.brand_id)):
                break
            self._rung[one.channel_id] = now
        return self._house.settings.sweep_seconds

    async def beat(self) -> float:
        """Say that this scheduler is alive, unless one of its loops stands still."""
        stuck = [name for name, at in self._turned.items() if time.monotonic() - at > STUCK_SECONDS]
        if stuck:
            _log.error("scheduler.stuck", loops=stuck)
            return BEAT_SECONDS
        async with self._house.db.session() as session:
            await leases.beat(session, heart_name(), self._house.holder, BEAT_LASTS)
        return BEAT_SECONDS

    async def _sweep(self) -> float:
        await sweeps.sweep(self._house)
        return SWEEP_SECONDS

    async def _woken(self, _: SendOutgoing) -> None:
        self._sending.wake.set()

    async def _loop(
        self, name: str, round_: Round, stop: asyncio.Event, wake: asyncio.Event | None = None, *, watched: bool = True
    ) -> None:
        """Rounds until `stop`. A failure is said, and the next round comes; PostgreSQL being away is no surprise."""
        stopping: asyncio.Task[Any] = asyncio.create_task(stop.wait())
        pause = 0.1
        try:
            while not stop.is_set():
                if watched:
                    self._turned.setdefault(name, time.monotonic())
                try:
                    wait = await round_()
                except Exception as error:
                    if passes(error):
                        _log.warning("scheduler.waits", loop=name, error=type(error).__name__)
                    else:
                        _log.exception("scheduler.failed", loop=name)
                    wait = pause = min(pause * 2, 2.0)
                else:
                    pause = 0.1
                    if watched:
                        self._turned[name] = time.monotonic()
                await _rest(wait, stopping, wake)
        finally:
            stopping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await stopping


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
