"""What the services hold in memory: idle, and the worker under deliveries as large as the door takes."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg

from shared.queues import Queues, SettleArrivals
from tests.benchmarks import deliveries
from tests.benchmarks.deliveries import Writers
from tests.benchmarks.hearts import beats
from tests.benchmarks.measuring import MEMORY, Figure, Plan, Result, Samples, Side, Target, side, verify
from tests.benchmarks.rig import Rig, Running
from tests.conftest import HouseChannel, TestDatabase

ALONE = Figure("its own share", "MB")  # what it shares with others counted in parts (PSS)
PEAK = Figure("most ever", "MB")
_SERVICES = {"services.api": 150, "services.ingest": 150, "services.scheduler": 150, "services.ingest.worker": 300}
_HEARTS = {"services.scheduler": "scheduler", "services.ingest.worker": "ingest-worker"}
_IDLE_SECONDS = 3.0
_PATIENCE = 600.0


async def measure(rig: Rig, plan: Plan) -> Result:
    """Resident memory of each service when idle, and of the worker after deliveries as large as the door takes."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(rig.database())
        house = await stack.enter_async_context(rig.house(database))
        channel = await house.channel(await house.brand())
        watching = await asyncpg.connect(rig.urls.superuser.rpartition("/")[0] + f"/{database.name}")
        stack.push_async_callback(watching.close)
        running = {
            module: await stack.enter_async_context(
                rig.service(module, database.settings, ready=beats(watching, heart) if heart else None)
            )
            for module, heart in ((module, _HEARTS.get(module)) for module in _SERVICES)
        }
        await asyncio.sleep(_IDLE_SECONDS)
        idle = [side(f"{module}, idle", [_memory(it)]) for module, it in running.items()]
        loaded = await _loads(plan, database, channel, watching, running["services.ingest.worker"])
    return Result(
        title="Memory",
        what="Resident memory of each service as a process of its own: three seconds after its start with nothing to"
        " do; and of the worker after bursts of deliveries of 1,000 mentions, then of texts of 90,000 characters, 3 MB"
        " each, all of them waiting at once.",
        sides=[*idle, *loaded],
        targets=_targets(idle, loaded),
        verified="every delivery of the bursts was settled, and its mentions are in PostgreSQL.",
    )


def _targets(idle: list[Side], loaded: list[Side]) -> list[Target]:
    found = [
        Target(it.name, it[MEMORY].median, "≤", limit, "MB") for it, limit in zip(idle, _SERVICES.values(), strict=True)
    ]
    # What a burst takes does not grow with the burst: the second of each kind adds next to nothing.
    first, second = loaded[1], loaded[3]
    return [
        *found,
        Target("worker, most after two of each, of one's", second[PEAK].median / first[PEAK].median, "≤", 1.3),
    ]


async def _loads(
    plan: Plan, database: TestDatabase, channel: HouseChannel, watching: "asyncpg.Connection[Any]", worker: Running
) -> list[Side]:
    many, large = plan.pick(40, 2), plan.pick(20, 2)
    found, expected = [], 0
    for turn in ("first", "second"):
        for name, count, mentions, words in (
            (f"deliveries of 1,000 mentions, {turn} {many}", many, 1_000, 25),
            (f"deliveries of 3 MB of long texts, {turn} {large}", large, 35, 14_000),
        ):
            expected += count * mentions
            await _settle(database, channel, watching, Writers(plan.seed, words).bodies(count, mentions), expected)
            found.append(side(f"services.ingest.worker, {name}", [_memory(worker)]))
    return found


async def _settle(
    database: TestDatabase, channel: HouseChannel, watching: "asyncpg.Connection[Any]", bodies: Iterator[bytes],
    expected: int,
) -> None:  # fmt: skip
    await deliveries.keep(database, [channel], bodies)
    assert database.settings.redis_url is not None
    queues = Queues(database.settings.redis_url)
    await queues.send(SettleArrivals())
    await queues.close()
    end = time.monotonic() + _PATIENCE
    while await watching.fetchval("SELECT EXISTS (SELECT FROM arrival WHERE state = 'received')"):
        verify(time.monotonic() < end, f"deliveries still waited after {_PATIENCE:.0f} s")
        await asyncio.sleep(0.1)
    found = await watching.fetchval("SELECT count(*) FROM mention WHERE heard")
    verify(found == expected, f"of {expected} mentions {found} are there")


def _memory(running: Running) -> Samples:
    told = Path(f"/proc/{running.pid}/status").read_text("ascii")
    peak = next(int(line.split()[1]) for line in told.splitlines() if line.startswith("VmHWM:"))
    rollup = Path(f"/proc/{running.pid}/smaps_rollup").read_text("ascii")
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return {MEMORY: running.memory() / 1e6, ALONE: own * 1024 / 1e6, PEAK: peak * 1024 / 1e6}
