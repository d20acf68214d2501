"""A scheduler that ends, or stands still, at each point of its way; another one takes over; what became of it all."""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.models.enums import Network, OutgoingKind
from tests.faults.effects.lies import LATE_SECONDS, Lie
from tests.faults.effects.nursery import Child, Nursery
from tests.faults.effects.stage import Effect, End, Spotted, Stage
from tests.faults.effects.tally import Fate, Tally

_RUN_SECONDS = 60.0  # within which a scheduler that nobody hinders has settled an effect
_SETTLE_SECONDS = 90.0  # within which another one has, that takes over
_MORE_SECONDS = 1.5  # what a scheduler still does once the effect is settled
_LATER_SECONDS = 3.0  # given to one that goes on after it stood still
_LOOK_SECONDS = 0.05
_TIMES = 4  # that a point is tried to be reached


@dataclass(frozen=True, slots=True)
class Scenario:
    """One effect on one network that lies in one way."""

    kind: OutgoingKind
    network: Network
    lie: Lie


@dataclass(frozen=True, slots=True)
class Blow:
    """What a scheduler does to itself at a point: it is killed, or stands still for so long and then goes on."""

    number: signal.Signals = signal.SIGKILL
    stands_still: float = 0.0

    def is_dealt(self, child: Child) -> bool:
        return child.stands_still if self.number is signal.SIGSTOP else not child.lives


@dataclass(frozen=True, slots=True)
class Point:
    """A place of the way that an effect goes in a scenario: the `time`th with these words."""

    scenario: Scenario
    number: int
    words: str
    time: int

    def __str__(self) -> str:
        return f"{self.scenario.lie.name}, point {self.number}: {self.words}"


@dataclass(frozen=True, slots=True)
class Ended:
    """An effect, what was done to it, and where it stood still: by itself, and in the end."""

    effect: Effect
    where: str
    by_itself: End
    last: End


KILL = Blow()


async def count(stage: Stage, nursery: Nursery, scenario: Scenario, *, ways: int = 2) -> list[Point]:
    """Every point that an unhindered scheduler comes by from claim to settling, in order.

    The shortest of several ways: a scheduler that is slow does more, since it looks before it sends what is not young.
    """
    going = [_way(stage, nursery, scenario, on) for on in await stage.spots(scenario.network, scenario.lie, ways)]
    way = min((way for way in await asyncio.gather(*going) if way), key=len, default=[])
    assert way, f"{scenario} does not end well with nobody hindering it"
    seen: Counter[str] = Counter()
    points = []
    for number, words in enumerate(way, 1):
        seen[words] += 1
        points.append(Point(scenario, number, words, seen[words]))
    return points


async def _way(stage: Stage, nursery: Nursery, scenario: Scenario, on: Spotted) -> list[str]:
    """The points of one way; none where it did not end in its time."""
    async with stage.counting, nursery.lane() as url:
        effect = await stage.ask(scenario.kind, on, scenario.lie)
        await stage.lanes.give(effect.id, url)
        child = await nursery.start(url)
        end = await stage.end(effect, seconds=_RUN_SECONDS)
        await asyncio.sleep(_MORE_SECONDS)
        child.tell(signal.SIGKILL)
        await child.ended()
        await stage.lanes.take(effect.id)
    return child.reached if end.state == "live" else []


async def at_points(
    stage: Stage, nursery: Nursery, points: Sequence[Point], *, blow: Blow = KILL, at_once: int = 4
) -> Tally:
    """The blow at each of these points, on an effect of its own each, `at_once` at the same time."""
    run = _Run(stage, nursery, blow, asyncio.Semaphore(at_once))
    by_lie: dict[Scenario, list[Point]] = {}
    for point in points:
        by_lie.setdefault(point.scenario, []).append(point)
    going = []
    for scenario, some in by_lie.items():
        spots = await stage.spots(scenario.network, scenario.lie, len(some))
        going += [asyncio.create_task(run.until_dealt(point, on)) for point, on in zip(some, spots, strict=True)]
    ended = [one for several in await asyncio.gather(*going) for one in several]
    await asyncio.sleep(LATE_SECONDS)
    fates = [await fate(stage, one) for one in ended]
    return Tally(points=len(points), fates=fates, missed=[str(point) for point in run.missed])


async def fate(stage: Stage, ended: Ended) -> Fate:
    """What is there now of an effect that stood still a while ago."""
    return Fate(
        ended.where,
        ended.last.state,
        len(await stage.copies(ended.effect)),
        ended.by_itself.after,
        doubted=ended.last.doubted,
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
    blow: Blow
    room: asyncio.Semaphore
    missed: list[Point] = field(default_factory=list)

    async def until_dealt(self, point: Point, on: Spotted) -> list[Ended]:
        """The blow at one point. Where the machine was so slow that the effect went another way, once more."""
        ended = []
        for _ in range(_TIMES):
            reached, one = await self._once(point, on)
            ended.append(one)
            if reached:
                return ended
            (on,) = await self.stage.spots(point.scenario.network, point.scenario.lie, 1)
        self.missed.append(point)
        return ended

    async def _once(self, point: Point, on: Spotted) -> tuple[bool, Ended]:
        """Whether the blow was dealt, and what came of the effect."""
        async with self.room, self.nursery.lane() as url:
            effect = await self.stage.ask(point.scenario.kind, on, point.scenario.lie)
            await self.stage.lanes.give(effect.id, url)
            child = await self.nursery.start(url, at=(point.words, point.time), number=self.blow.number)
            reached = await self._dealt(child, effect)
            if not reached:
                child.tell(signal.SIGKILL)
                await child.ended()
            if self.blow.number is signal.SIGSTOP:
                return reached, await self._goes_on(child, effect, str(point))
            await self.stage.lanes.take(effect.id)
        await self.stage.lanes.free(effect.id)
        return reached, await brought_to_end(self.stage, effect, str(point))

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
