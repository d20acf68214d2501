"""One fault under load: deliveries, readers and posts all along, the injury, recovery, and every invariant."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.faults import invariants, state
from tests.faults.catalogue import FAULTS, REFERENCES
from tests.faults.posters import Poster
from tests.faults.readers import Client, Table
from tests.faults.rig import Json, Rig
from tests.faults.scene import RECOVER_SECONDS, Fault, Scene, visible
from tests.faults.senders import Heard, Senders, letters
from tests.faults.state import State
from tests.faults.world import World

RATE = 320.0
_CALM_RATE = 100_000.0
_ALONG_SECONDS = 2.0  # of load before the injury
_FINISH_SECONDS = 240.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and from which seed. `count` deliveries are sent, at the rate, around the injury."""

    seed: int
    short: bool
    count: int


@dataclass
class Outcome:
    """What came of one run, as the table shows it."""

    name: str
    seed: int
    date: str
    faults: dict[str, int]
    deliveries: int
    rate: float
    posts: int
    recover: float | None
    breaches: dict[str, list[str]] = field(default_factory=dict)
    skipped: str | None = None

    @property
    def held(self) -> bool:
        return not self.breaches and self.skipped is None


class Calm:
    """The states that worlds end in without any fault, each found once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], State] = {}

    async def state(self, rig: Rig, world: World) -> State:
        """Deliver the world to a brand of its own, in peace. Raises Breach where even that goes wrong."""
        place = (world.seed, world.count)
        if place not in self._known:
            self._known[place] = await _in_peace(rig, world)
        return self._known[place]


async def _in_peace(rig: Rig, world: World) -> State:
    brand = await rig.brand("In peace")
    heard = await Senders(rig.door, letters(world, brand), rate=_CALM_RATE, seed=0).run()
    connection = await rig.look()
    try:
        if not await invariants.drained(connection):
            raise invariants.Breach("without any fault, deliveries were not settled")
        wrong = await invariants.as_said(connection, brand, world)
        wrong += await invariants.settled(connection, brand, heard)
        if wrong:
            raise invariants.Breach(f"without any fault: {wrong}")
        return await state.read(connection, invariants.brand_id(brand))
    finally:
        await connection.close()


@dataclass
class _Storm:
    """The brand under load and everybody around it."""

    brand: Json
    senders: Senders
    client: Client
    table: Table
    poster: Poster
    heard: Heard = field(default_factory=Heard)


async def run(rig: Rig, calm: Calm, name: str, fault: Fault, plan: Plan, say: Say = lambda _: None) -> Outcome:
    """Inflict one fault and look at everything."""
    if missing := fault.missing():
        return Outcome(name, plan.seed, _today(), {}, 0, 0.0, 0, None, skipped=missing)
    await _all_work(rig)
    world = World(plan.seed, plan.count)
    storm = await _gather(rig, world, plan)
    seconds = fault.short_seconds if plan.short else fault.seconds
    scene = Scene(rig, storm.senders, Random(plan.seed), seconds, plan.short, said=lambda deed: say(f"    {deed}"))
    began = time.monotonic()
    async with _load(storm) as sending:
        await asyncio.sleep(_ALONG_SECONDS / 2 if plan.short else _ALONG_SECONDS)
        await fault.inflict(scene)
        say(f"    over; {storm.senders.sent} of {plan.count} deliveries sent, {storm.senders.done} taken")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(sending), _FINISH_SECONDS)
        took = time.monotonic() - began
        storm.poster.stop()
        breaches = await _breaches(rig, calm, world, storm, scene)
    return Outcome(
        name, plan.seed, _today(), dict(scene.did), storm.senders.done, storm.senders.done / took,
        len(storm.poster.published), max(scene.recoveries, default=None), breaches,
    )  # fmt: skip


async def run_wrong(rig: Rig, calm: Calm, name: str, plan: Plan, say: Say = lambda _: None) -> Outcome:
    """A wrong design in the place of one of ours, under the fault that has to show it."""
    wrong = REFERENCES[name]
    await _all_work(rig)
    await calm.state(rig, World(plan.seed, plan.count))  # by the right design
    async with rig.instead(wrong.service, module=wrong.module):
        return await run(rig, calm, name, FAULTS[wrong.fault], plan, say)


async def _all_work(rig: Rig) -> None:
    """Wait until each process does its work: one that is still starting can't be hurt. Raises Breach."""
    connection = await rig.look()
    try:
        if not await visible(rig, seconds=RECOVER_SECONDS) or not await invariants.drained(connection):
            raise invariants.Breach("the house does not work before the fault")
    finally:
        await connection.close()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


async def _gather(rig: Rig, world: World, plan: Plan) -> _Storm:
    brand = await rig.brand("In the storm")
    senders = Senders(rig.door, letters(world, brand), rate=RATE, seed=plan.seed)
    return _Storm(brand, senders, Client(rig, brand), Table(rig, brand), Poster(rig), senders.heard)


@contextlib.asynccontextmanager
async def _load(storm: _Storm) -> "AsyncIterator[asyncio.Task[Heard]]":
    """Senders, readers and posts, running; all of them end with the block."""
    sending = asyncio.create_task(storm.senders.run())
    others: list[Coroutine[Any, Any, None]] = [storm.client.run(), storm.table.run(), storm.poster.run()]
    tasks: list[asyncio.Task[Any]] = [sending, *map(asyncio.create_task, others)]
    try:
        yield sending
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise outcome


async def _breaches(rig: Rig, calm: Calm, world: World, storm: _Storm, scene: Scene) -> dict[str, list[str]]:
    """Every invariant by its name, where it does not hold."""
    found: dict[str, list[str]] = {"the fault itself": scene.breaches}
    found[invariants.ACCEPTED] = invariants.accepted(storm.senders.post, storm.heard)
    connection = await rig.look()
    try:
        if not await invariants.drained(connection):
            found[invariants.SETTLED] = ["arrivals or events still wait"]
        await invariants.caught_up(connection, storm.brand, storm.client, storm.table)
        found.setdefault(invariants.SETTLED, []).extend(await invariants.settled(connection, storm.brand, storm.heard))
        extra = Heard(acknowledged=scene.extra)
        found[invariants.SETTLED] += await invariants.settled(connection, rig.example, extra)
        found[invariants.EXPECTED] = await invariants.as_said(connection, storm.brand, world)
        found[invariants.ORDER] = await invariants.ordered(connection, storm.brand, storm.client, storm.table)
        found[invariants.POSTS] = await storm.poster.breaches()
        found[invariants.NOTHING_LEFT] = await invariants.nothing_left(connection, rig)
        without = await calm.state(rig, world)
        found[invariants.STATE] = await invariants.same_state(connection, storm.brand, without)
    finally:
        await connection.close()
    return {name: wrong for name, wrong in found.items() if wrong}
