"""A scheduler that ends, or stands still, at each point of its way; another one takes over; what became of it all."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass

from shared.models.enums import Network
from tests.faults.effects.lies import LATE_SECONDS, Lie
from tests.faults.effects.nursery import Child, Nursery
from tests.faults.effects.stage import Effect, End, Spotted, Stage
from tests.faults.effects.tally import Fate, Tally

_RUN_SECONDS = 60.0  # within which a scheduler that nobody hinders has settled an effect
_SETTLE_SECONDS = 90.0  # within which another one has, that takes over
_MORE_SECONDS = 1.5  # what a scheduler still does once the effect is settled
_LATER_SECONDS = 3.0  # given to one that goes on after it stood still
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Scenario:
    """One effect on one network that lies in one way."""

    network: Network
    lie: Lie


@dataclass(frozen=True, slots=True)
class Blow:
    """What a scheduler does to itself at a point: it is killed, or stands still for so long and then goes on."""

    number: signal.Signals = signal.SIGKILL
    stands_still: float = 0.0

    def is_dealt(self, child: Child) -> bool:
        return child.stands_still if self.number is signal.SIGSTOP else not child.lives


KILL = Blow()


async def count(stage: Stage, nursery: Nursery, scenario: Scenario) -> list[str]:
    """Every point that an unhindered scheduler comes by from claim to settling, in order."""
    (spotted,) = await stage.spots(scenario.network, scenario.lie, 1)
    async with nursery.lane() as url:
        effect = await stage.publish(spotted, scenario.lie)
        await stage.lanes.give(effect.id, url)
        child = await nursery.start(url)
        end = await stage.end(effect, seconds=_RUN_SECONDS)
        await asyncio.sleep(_MORE_SECONDS)
        child.tell(signal.SIGKILL)
        await child.ended()
        await stage.lanes.take(effect.id)
    assert end.state == "live", f"with nobody hindering it: {end}"
    return child.reached


async def at_points(
    stage: Stage, nursery: Nursery, scenario: Scenario, *, every: int = 1, blow: Blow = KILL, at_once: int = 6
) -> Tally:
    """The blow at every `every`th point, each on an effect of its own, `at_once` at the same time."""
    points = await count(stage, nursery, scenario)
    chosen = range(1, len(points) + 1, every)
    spots = await stage.spots(scenario.network, scenario.lie, len(chosen))
    tally, room = Tally(points=len(points)), asyncio.Semaphore(at_once)
    run = _Run(stage, nursery, scenario.lie, blow, room, tally.missed.append)
    ends = await asyncio.gather(
        *(run.one(number, points[number - 1], spotted) for number, spotted in zip(chosen, spots, strict=True))
    )
    await asyncio.sleep(LATE_SECONDS)
    tally.fates = [await fate(stage, ended) for ended in ends]
    return tally


@dataclass(frozen=True, slots=True)
class Ended:
    """An effect, what was done to it, and where it stood still: by itself, and in the end."""

    effect: Effect
    where: str
    by_itself: End
    last: End


async def fate(stage: Stage, ended: Ended) -> Fate:
    """What is there now of an effect that stood still a while ago."""
    return Fate(
        ended.where,
        ended.last.state,
        await stage.copies(ended.effect),
        ended.by_itself.after,
        doubted=await stage.doubted(ended.effect),
        by_person=ended.by_itself.needs_person,
        message=ended.last.message,
    )


async def brought_to_end(stage: Stage, effect: Effect, where: str) -> Ended:
    """Wait until the effect stands still; where a person is needed, do what one does, and wait again."""
    found = await stage.end(effect, seconds=_SETTLE_SECONDS)
    last = found
    if found.needs_person:
        await stage.by_person(effect, found)
        last = await stage.end(effect, seconds=_SETTLE_SECONDS)
    return Ended(effect, where, found, last)


@dataclass(frozen=True, slots=True)
class _Run:
    stage: Stage
    nursery: Nursery
    lie: Lie
    blow: Blow
    room: asyncio.Semaphore
    missed: Callable[[str], None]

    async def one(self, number: int, words: str, spotted: Spotted) -> Ended:
        """The blow at one point, and the rest of that effect's way."""
        where = f"point {number}, {words}"
        async with self.room, self.nursery.lane() as url:
            effect = await self.stage.publish(spotted, self.lie)
            await self.stage.lanes.give(effect.id, url)
            child = await self.nursery.start(url, at=number, number=self.blow.number)
            if not await self._dealt(child, effect):
                self.missed(where)
                child.tell(signal.SIGKILL)
                await child.ended()
            if self.blow.number is signal.SIGSTOP:
                return await self._goes_on(child, effect, where)
            await self.stage.lanes.take(effect.id)
        await self.stage.lanes.free(effect.id)
        return await brought_to_end(self.stage, effect, where)

    async def _dealt(self, child: Child, effect: Effect) -> bool:
        """Whether the scheduler came to its point, before it had nothing more to do."""
        clock = asyncio.get_running_loop().time
        until = clock() + _RUN_SECONDS
        over = False
        while not self.blow.is_dealt(child):
            if clock() > until:
                return False
            if not over and await self.stage.is_over(effect):
                over, until = True, clock() + _MORE_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    async def _goes_on(self, child: Child, effect: Effect, where: str) -> Ended:
        """While it stands still another one takes over; then it goes on as if nothing had been."""
        clock = asyncio.get_running_loop().time
        until = clock() + self.blow.stands_still
        await self.stage.lanes.free(effect.id)
        ended = await brought_to_end(self.stage, effect, where)
        await asyncio.sleep(max(0.0, until - clock()))
        child.tell(signal.SIGCONT)
        await asyncio.sleep(_LATER_SECONDS)
        child.tell(signal.SIGKILL)
        await child.ended()
        await self.stage.lanes.take(effect.id)
        last = await self.stage.end(effect, seconds=_SETTLE_SECONDS)
        return Ended(effect, where, ended.by_itself, last)
