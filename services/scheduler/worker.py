"""The scheduler's loops: each looks into PostgreSQL by itself, the doorbell only wakes it earlier."""

import asyncio
import time
from uuid import UUID

from services.rounds import Rounds
from services.scheduler import measuring, planning, sweeps
from services.scheduler.clocks import Clocks
from services.scheduler.delivering import Delivering
from services.scheduler.house import House
from services.scheduler.mailing import Mailing
from services.scheduler.noticing import Noticing
from services.scheduler.sending import Sending
from services.scheduler.watching import Watching
from shared import queues
from shared.domain.events import sequencer
from shared.domain.listening import polls
from shared.queues import DeliverWebhooks, Handler, PollChannel, SendOutgoing, Task

NUMBER_SECONDS = 0.05  # how often events that wait for their number are looked for
EVENTS = 1000
POLLS = 500
RING_AGAIN_SECONDS = 5.0
SWEEP_SECONDS = 60.0
ZONES_SECONDS = 24 * 3600.0
_GRACE_SECONDS = 1.0
SERVICE = "scheduler"


class Scheduler:
    """Sends, numbers, rings and sweeps until it is stopped; one loop failing never stops the others."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._sending = Sending(house)
        self._noticing = Noticing(house)
        self._mailing = Mailing(house)
        self._delivering = Delivering(house)
        self._watching = Watching(house)
        self._clocks = Clocks(house, self._sending.wake)
        self._seat = sequencer.Seat(house.holder)
        self._rung: dict[UUID, float] = {}
        self._zones_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish what is in hand within the settings' time."""
        settings = self._house.settings
        assert settings.redis_url is not None
        told: dict[type[Task], Handler] = {SendOutgoing: self._woken, DeliverWebhooks: self._delivering.woken}
        turning = Rounds(self._house.db, SERVICE, self._house.holder, stop)
        loops = [
            turning.turn("sending", self._sending.round, wake=self._sending.wake),
            turning.turn("numbering", self.number),
            turning.turn("ringing", self.ring),
            turning.turn("noticing", self._noticing.round, wake=self._noticing.wake),
            turning.turn("mailing", self._mailing.round, wake=self._mailing.wake),
            turning.turn("delivering", self._delivering.round, wake=self._delivering.wake),
            turning.turn("watching", self._watching.round, watched=False),
            turning.turn("clocks", self._clocks.round, watched=False),
            turning.turn("sweeping", self._sweep, watched=False),
            turning.turn("measuring", self._measure, watched=False),
            turning.turn("beating", turning.beat, watched=False),
            queues.run_worker(settings.redis_url, queues.SCHEDULER, told, stop, grace=_GRACE_SECONDS / 2),
        ]
        try:
            await turning.run(loops, grace=_GRACE_SECONDS)
        finally:
            seconds = settings.shutdown_seconds * 0.7
            await asyncio.gather(
                self._sending.finish(seconds), self._mailing.finish(seconds), self._delivering.finish(seconds)
            )

    async def number(self) -> float:
        """Give committed events their numbers and tell the apis."""
        written: list[UUID] = []
        async with self._house.db.lent() as connection:  # asked for all the time, and mostly in vain
            if not await sequencer.is_wanted(connection):
                return NUMBER_SECONDS
        async with self._house.db.session() as session:
            brands = await sequencer.number(session, limit=EVENTS, seat=self._seat, told=written.extend)
        if brands:
            self._noticing.wake.set()
        await self._house.queues.publish(brands)
        measuring.numbered(written, now=self._house.clock())
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

    async def _sweep(self) -> float:
        await sweeps.sweep(self._house)
        # At the start, since that is when other rules come with a new image, and once a day.
        if time.monotonic() >= self._zones_at:
            await planning.follow_zones(self._house)
            self._zones_at = time.monotonic() + ZONES_SECONDS
        return SWEEP_SECONDS

    async def _measure(self) -> float:
        return await measuring.measure(self._house)

    async def _woken(self, _: SendOutgoing) -> None:
        self._sending.wake.set()
