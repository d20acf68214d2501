"""Due posts: how late each gets into its sender's hands when thousands are due in one second, beside arq's deferral."""

import asyncio
import os
import random
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import orjson

from shared.ids import new_uuid
from tests.benchmarks.measuring import (
    P50,
    P99,
    POSTGRES,
    PROCESSOR,
    Figure,
    Plan,
    Result,
    Round,
    Samples,
    Target,
    in_turns,
    percentile,
    ratio,
    verify,
)
from tests.benchmarks.references import arq_deferral
from tests.benchmarks.rig import Ready, Rig
from tests.conftest import TestDatabase

PARVIS, ARQ, TUNED = "Parvis", "arq's _defer_until", "the same, tuned"
MOST = Figure("latest", "ms")
SMALL = Figure("p99 of the small brands", "ms")
LANES = 20
BRANDS = 100
LARGE = 0.9  # of the posts are one brand's
_PATIENCE = 120.0

Waits = Callable[[Sequence[tuple[str, float]]], Awaitable[None]]


async def measure(rig: Rig, plan: Plan) -> Result:
    """10,000 posts of 100 brands due in one second: how late each is handed to its sender, beside arq's deferral."""
    count, later = plan.pick(10_000, 300), plan.pick(50_000, 500)
    async with rig.database() as database, rig.house(database):
        turn = _Turn(rig, database, count, later, random.Random(plan.seed))
        rounds: dict[str, Round] = {PARVIS: turn.ours, ARQ: turn.arqs, TUNED: turn.tuned_arqs}
        sides = await in_turns(rounds, rounds=plan.rounds, warm_up=0 if plan.short else 1)
    return Result(
        title="Posts due at once",
        what=f"{count:,} posts due at random moments of one second, over {LANES} networks' hosts and {BRANDS} brands,"
        f" of which one holds {LARGE:.0%}, while {later:,} later ones wait. A post counts from"
        " its due time until one process has it in its sender's hands: with Parvis claimed (lease and fence, 200 at a"
        " time, committed to PostgreSQL with fsync on) and handed over; with arq the deferred job running: at its"
        " defaults, and with 1,000 jobs at once and a look every 10 ms. Nobody's sender calls anything.",
        sides=sides,
        targets=[
            Target("p99", next(it for it in sides if it.name == PARVIS)[P99].median, "≤", 250, "ms"),
            Target(
                "p99 of the small brands", next(it for it in sides if it.name == PARVIS)[SMALL].median, "≤", 250, "ms"
            ),
            Target("p99, of arq's", ratio(sides, P99, PARVIS, ARQ), "≤", 1 / 20),
            Target("p99, of arq's, tuned", ratio(sides, P99, PARVIS, TUNED), "≤", 1 / 20),
        ],
        verified="after each round every post had been handed over, none before its time, none twice, and none was left"
        " to claim.",
    )


class _Turn:
    """Makes the rounds of each side."""

    def __init__(self, rig: Rig, database: TestDatabase, count: int, later: int, chance: random.Random) -> None:
        self._rig, self._database = rig, database
        self._count, self._later, self._chance = count, later, chance
        self._brands = [new_uuid() for _ in range(BRANDS)]
        self._small: set[str] = set()

    async def ours(self) -> Samples:
        """Posts in `due_outgoing`, as scheduling leaves them there."""
        file = self._file()
        argv = (sys.executable, "-m", "tests.benchmarks.claiming", self._database.worker_url, str(self._count))
        samples = await self._run((*argv, str(file)), file, self._schedule, {})
        connection = await asyncpg.connect(self._database.owner_url)
        try:
            claims = await connection.fetch("SELECT fence, count(*) FROM due_outgoing WHERE fence > 0 GROUP BY 1")
            # Their leases end before the next round, whose process claims from its first moment.
            await connection.execute("DELETE FROM due_outgoing")
        finally:
            await connection.close()
        verify([tuple(row) for row in claims] == [(1, self._count)], f"claimed so often: {claims}")
        return samples

    async def tuned_arqs(self) -> Samples:
        """The same jobs, for a worker that takes many at once and looks often."""
        return await self.arqs(tuned="1")

    async def arqs(self, tuned: str = "") -> Samples:
        """Posts as deferred jobs."""
        redis_url, file = f"{self._rig.urls.redis.rpartition('/')[0]}/5", self._file()
        told = {"REDIS": redis_url, "COUNT": str(self._count), "FILE": str(file), "TUNED": tuned}

        async def wait(due: Sequence[tuple[str, float]]) -> None:
            await arq_deferral.enqueue(redis_url, due)

        return await self._run((sys.executable, "-m", "tests.benchmarks.references.arq_deferral"), file, wait, told)

    def _file(self) -> Path:
        return self._rig.work / f"{uuid.uuid4().hex}.json"

    async def _run(self, argv: Sequence[str], file: Path, wait: Waits, told: dict[str, str]) -> Samples:
        environment = {**os.environ, **told}
        async with self._rig.process(
            file.stem, argv, environment=environment, ready=_exists(file.with_suffix(".ready"))
        ) as running:
            start = time.time() + 2 + self._count / 1_000
            due = [(str(new_uuid()), start + self._chance.random()) for _ in range(self._count)]
            await wait(due)
            verify(time.time() < start, "they were due before all of them waited")
            used = running.processor(), self._rig.postgres_processor()
            await _until(file)
            mine = running.processor() - used[0]
            theirs = self._rig.postgres_processor() - used[1]
        taken = orjson.loads(file.read_bytes())
        prove(taken, due)
        late = [seconds * 1e3 for _, seconds in taken]
        small = [seconds * 1e3 for name, seconds in taken if name in self._small] or late
        return {
            SMALL: percentile(small, 0.99),
            P50: percentile(late, 0.5),
            P99: percentile(late, 0.99),
            MOST: max(late),
            PROCESSOR: mine / self._count * 1e6,
            POSTGRES: theirs / self._count * 1e6,
        }

    async def _schedule(self, due: Sequence[tuple[str, float]]) -> None:
        large, *small = self._brands
        owners = [large if number < LARGE * len(due) else small[number % len(small)] for number in range(len(due))]
        self._small = {name for (name, _), owner in zip(due, owners, strict=True) if owner != large}
        rows = [
            (uuid.UUID(name), owner, f"host-{number % LANES}.example", datetime.fromtimestamp(at, UTC), 0)
            for number, ((name, at), owner) in enumerate(zip(due, owners, strict=True))
        ]
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        rows += [
            (new_uuid(), self._brands[number % BRANDS], "later.example", tomorrow + timedelta(seconds=number), 0)
            for number in range(self._later)
        ]
        connection = await asyncpg.connect(self._database.owner_url)
        try:
            columns = ["outgoing_id", "brand_id", "lane", "due_at", "fence"]
            await connection.copy_records_to_table("due_outgoing", records=rows, columns=columns)
            await connection.execute("ANALYZE due_outgoing")
        finally:
            await connection.close()


def prove(taken: Sequence[tuple[str, float]], due: Sequence[tuple[str, float]]) -> None:
    """Raise Unverified unless each that was due was handed over once, and not before its time."""
    names = [name for name, _ in taken]
    verify(len(names) == len(set(names)), f"{len(names) - len(set(names))} were handed over twice")
    verify(set(names) == {name for name, _ in due}, "not the posts that were due were handed over")
    verify(min(late for _, late in taken) > -0.002, "one was handed over before its time")


def _exists(file: Path) -> Ready:
    async def exists() -> bool:
        return file.exists()

    return exists


async def _until(file: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while not file.exists():
        verify(time.monotonic() < end, f"not all posts were handed over in {_PATIENCE:.0f} s")
        await asyncio.sleep(0.05)
