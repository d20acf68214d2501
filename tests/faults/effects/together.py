"""Many effects at once, some to every lie, while something happens to the whole house."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import redis.asyncio

from tests.faults.effects.lies import LATE_SECONDS
from tests.faults.effects.points import Scenario, brought_to_end, fate
from tests.faults.effects.stage import Stage
from tests.faults.effects.tally import Tally

_FLUSH_SECONDS = 0.2

Trouble = Callable[[Stage], AbstractAsyncContextManager[None]]


async def all_lies(stage: Stage, scenarios: Sequence[Scenario], *, each: int, trouble: Trouble) -> Tally:
    """`each` effects of every scenario, due at the same moment, in the middle of the trouble."""
    spots = [(it, on) for it in scenarios for on in await stage.spots(it.network, it.lie, each)]
    asked = [(it, await stage.ask(it.kind, on, it.lie)) for it, on in spots]
    async with trouble(stage):
        await stage.lanes.free(*(effect.id for _, effect in asked))
        ends = [asyncio.create_task(brought_to_end(stage, effect, _words(scenario))) for scenario, effect in asked]
        ended = await asyncio.gather(*ends)
    await asyncio.sleep(LATE_SECONDS)
    return Tally(fates=[await fate(stage, one) for one in ended])


def _words(scenario: Scenario) -> str:
    return f"{scenario.kind.value} on {scenario.network.value}, {scenario.lie.name}"


@contextlib.asynccontextmanager
async def nothing(_: Stage) -> AsyncIterator[None]:
    """No trouble."""
    yield


@contextlib.asynccontextmanager
async def two_schedulers(stage: Stage) -> AsyncIterator[None]:
    """Another scheduler beside the first."""
    watch = stage.rig.watch
    if "second scheduler" in watch.pids:
        stage.rig.give_back("second scheduler")
    else:
        await stage.rig.another("scheduler", "second scheduler")
    await asyncio.sleep(2)
    try:
        yield
    finally:
        stage.rig.take_away("second scheduler")


@contextlib.asynccontextmanager
async def flushed(stage: Stage) -> AsyncIterator[None]:
    """FLUSHALL five times a second."""

    async def flush() -> None:
        async with redis.asyncio.Redis.from_url(stage.rig.redis_url) as client:
            while True:
                await client.flushall()
                await asyncio.sleep(_FLUSH_SECONDS)

    task = asyncio.create_task(flush())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def postgres_restarted(*after: float) -> Trouble:
    """`kill -9` of PostgreSQL so many seconds after the effects fell due, each time into crash recovery."""

    @contextlib.asynccontextmanager
    async def trouble(stage: Stage) -> AsyncIterator[None]:
        async def restart() -> None:
            for seconds in after:
                await asyncio.sleep(seconds)
                stage.rig.kill("postgres")
                await stage.rig.ready()

        task = asyncio.create_task(restart())
        try:
            yield
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return trouble
