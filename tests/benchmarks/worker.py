"""The ingest worker: from a kept delivery to facts that a frontend reads, beside one arq job for each mention."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from redis.asyncio import Redis

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import queries
from shared.domain.listening.queries import QueryDraft
from shared.queues import Queues, SettleArrivals
from tests.benchmarks import deliveries
from tests.benchmarks.deliveries import Writers
from tests.benchmarks.hearts import beats
from tests.benchmarks.measuring import (
    POSTGRES,
    PROCESSOR,
    RATE,
    Figure,
    Plan,
    Result,
    Round,
    Samples,
    Side,
    Target,
    in_turns,
    ratio,
    verify,
)
from tests.benchmarks.references import arq_per_mention
from tests.benchmarks.rig import Rig, Running
from tests.conftest import HouseChannel, TestDatabase

ONE, MANY, FULL = "one brand, a mention each", "40 brands, a mention each", "one brand, 20 mentions each"
NAIVE = "one arq job a mention"
BRANDS = 40
# What each brand listens for.
QUERIES = (
    "colis OR pakje OR order OR Bestellung", "delivery NEAR/3 slow", '"pas encore arrivé" OR "nog niet aangekomen"',
    "merci équipe -colis", "schön* AND danke", "#lanternes OR @parvis", "helpful staff", "author:noor1*",
    "lang:de AND (zu spät OR leider)", "sentiment:negative AND (service OR team)",
)  # fmt: skip
PER_CORE = Figure("a core", "/s")
_LOOK_SECONDS = 0.01
_PATIENCE = 120.0
_REFERENCE = ("-m", "tests.benchmarks.references.arq_per_mention")


async def measure(rig: Rig, plan: Plan) -> Result:
    """Kept deliveries until all of them are settled, by the worker as it runs, beside one arq job for each mention."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(_case(rig, plan, 1, brands=1, per_delivery=1))
        many = await stack.enter_async_context(_case(rig, plan, 2, brands=BRANDS, per_delivery=1))
        full = await stack.enter_async_context(_case(rig, plan, 3, brands=1, per_delivery=20))
        naive = await stack.enter_async_context(_naive(rig, plan, 4))
        rounds: dict[str, Round] = {
            ONE: one.round(plan.pick(6_000, 200)),
            MANY: many.round(plan.pick(6_000, 200)),
            FULL: full.round(plan.pick(12_000, 400)),
            NAIVE: naive.round(plan.pick(500, 50)),
        }
        sides = await in_turns(rounds, rounds=plan.rounds)
    return Result(
        title="Mentions through the worker",
        what="Deliveries of signed generic JSON (25 words, four languages, half of them answers), as the door keeps"
        " them. Then the bell is rung, and the time taken until the last is settled: parsed, read for language, moods"
        " and intents, merged, threaded, held against copies, indexed for search, asked"
        f" {len(QUERIES)} queries of its brand, counted in the sums, told as events. The worker is one process on one"
        " core; PostgreSQL (fsync on) has the others. “A core” is what one core would do if it did PostgreSQL's part as"
        " well. The naive side is an arq job for each mention with a session over SQLModel tables and a commit, which"
        " records the same tables under the same role and policies and reads nothing.",
        sides=sides,
        targets=_targets(sides),
        verified="after each round there was one mention, one search row and one event for each mention delivered, the"
        " day's and the hour's sums were those of the mentions, and every arrival was settled; of ours more than a"
        " tenth matched a query.",
        notes=(_SHARES, _DONE, _MANY),
    )


# Taken on busy cores, by pg_stat_statements and by the statements alone.
_SHARES = """PostgreSQL's part of a mention that comes alone, by statement: writing its row with six indexes and three \
foreign keys 32 %, its search row 27 % (to_tsvector alone 20–40 µs), claiming and settling its arrival 27 %, event, \
thread and identity 14 %. The worker's own part is spread over reading, merging, digests and arrays. These shares are \
of before texts were read for moods, held against others for copies, and summed by query and model."""
_DONE = """What was done: mentions are written from arrays (5–7 µs a row of PostgreSQL's; from JSON 15–18); \
a key is digested once a batch; a first version takes no stamp for each of its facts; both sums in one round trip; a \
session asks once for its driver's connection; four times as many arrivals a claim while more wait, so that each of 40 \
brands has 50 of them in a transaction and not 12; two transactions side by side."""
_MANY = """Where a claim holds few mentions of each of many brands, a brand's transaction costs \
by its 18 round trips."""


def _targets(sides: Sequence[Side]) -> list[Target]:
    found = [
        Target(f"mentions/s a core, {name}", side[PER_CORE].median, "≥", limit, "/s")
        for limit in (1_500, 3_000)
        for side in sides
        if (name := side.name) != NAIVE
    ]
    return [*found, Target("mentions/s a core, of the naive job's", ratio(sides, PER_CORE, ONE, NAIVE), "≥", 5)]


# What every table must hold, for so many mentions delivered.
_COUNTS = """
SELECT (SELECT count(*) FROM mention WHERE heard) AS mention,
       (SELECT count(DISTINCT external_id) FROM mention) AS external_id,
       (SELECT count(*) FROM mention WHERE thread_id IS NULL OR author_id IS NULL) AS astray,
       (SELECT count(*) FROM mention_search) AS mention_search,
       (SELECT coalesce(sum(mentions), 0) FROM rollup_day) AS rollup_day,
       (SELECT coalesce(sum(mentions), 0) FROM rollup_hour) AS rollup_hour,
       (SELECT count(*) FROM event WHERE type = 'mention.recorded') AS event,
       (SELECT count(*) FROM arrival WHERE state <> 'settled') AS unsettled
"""


@dataclass
class _Case:
    """One side: its worker, its database, and what it has been given so far."""

    rig: Rig
    database: TestDatabase
    channels: Sequence[HouseChannel]
    per_delivery: int
    writers: Writers
    running: Running
    watching: "asyncpg.Connection[Any]"
    queues: Queues
    given: int = 0
    listens: bool = True

    def round(self, mentions: int) -> Round:
        """A round of so many mentions."""

        async def turn() -> Samples:
            bodies = self.writers.bodies(mentions // self.per_delivery, self.per_delivery)
            ids = await self.before(await deliveries.keep(self.database, self.channels, bodies))
            samples = await settling(self.rig, self.running, self.watching, mentions, lambda: self.begin(ids))
            self.given += mentions
            await prove(self.watching, self.given)
            if self.listens:
                matched = await self.watching.fetchval("SELECT count(DISTINCT mention_id) FROM match")
                verify(matched * 10 > self.given, f"of {self.given} mentions {matched} match a query")
            return samples

        return turn

    async def before(self, ids: list[UUID]) -> list[UUID]:
        """Nothing: the worker would find them by itself within a second."""
        return ids

    async def begin(self, ids: list[UUID]) -> None:
        await self.queues.send(SettleArrivals())


class _NaiveCase(_Case):
    async def before(self, ids: list[UUID]) -> list[UUID]:
        """The jobs lie in the queue when the time begins: the worker stands still until then."""
        os.kill(self.running.pid, signal.SIGSTOP)
        assert self.database.settings.redis_url is not None
        await arq_per_mention.enqueue(self.database.settings.redis_url, ids)
        return ids

    async def begin(self, ids: list[UUID]) -> None:
        os.kill(self.running.pid, signal.SIGCONT)


@asynccontextmanager
async def _case(rig: Rig, plan: Plan, shelf: int, *, brands: int, per_delivery: int) -> AsyncIterator[_Case]:
    async with _database(rig, shelf) as database, _parts(rig, database, brands) as (channels, watching, queues):
        await _listen(database, {channel.brand.brand_id for channel in channels})
        worker = rig.service("services.ingest.worker", database.settings, ready=beats(watching, "ingest-worker"))
        async with worker as running:
            yield _Case(rig, database, channels, per_delivery, Writers(plan.seed), running, watching, queues)


async def _listen(database: TestDatabase, brand_ids: Iterable[UUID]) -> None:
    db = Database(database.owner_url, name="filling", size=1)
    try:
        for brand_id in brand_ids:
            async with db.session() as session:
                scope = await scopes.house(session, brand_id)
                for n, expression in enumerate(QUERIES):
                    draft = QueryDraft(name=f"Query {n}", expression=expression)
                    await queries.create(session, scope, draft=draft, now=datetime.now(UTC))
    finally:
        await db.close()


@asynccontextmanager
async def _naive(rig: Rig, plan: Plan, shelf: int) -> AsyncIterator[_Case]:
    async with _database(rig, shelf) as database, _parts(rig, database, 1) as (channels, watching, queues):
        told = {"DATABASE": database.worker_url, "REDIS": str(database.settings.redis_url)}
        environment = {**os.environ, **told}
        async with rig.process("arq_per_mention", (sys.executable, *_REFERENCE), environment=environment) as running:
            writers = Writers(plan.seed)
            yield _NaiveCase(rig, database, channels, 1, writers, running, watching, queues, listens=False)


@asynccontextmanager
async def _database(rig: Rig, shelf: int) -> AsyncIterator[TestDatabase]:
    """A database, and a shelf of Valkey's own beside it: a bell is heard by all the workers of its queue."""
    async with rig.database() as database:
        redis_url = f"{rig.urls.redis.rpartition('/')[0]}/{shelf}"
        yield TestDatabase(database.settings.model_copy(update={"redis_url": redis_url}), database.name)


@asynccontextmanager
async def _parts(
    rig: Rig, database: TestDatabase, brands: int
) -> AsyncIterator[tuple[list[HouseChannel], "asyncpg.Connection[Any]", Queues]]:
    assert database.settings.redis_url is not None
    async with rig.house(database) as house:
        channels = [await house.channel(await house.brand(f"Brand {n}")) for n in range(brands)]
    watching = await asyncpg.connect(rig.urls.superuser.rpartition("/")[0] + f"/{database.name}")
    queues = Queues(database.settings.redis_url)
    async with Redis.from_url(database.settings.redis_url) as redis:
        await redis.flushdb()
    try:
        yield channels, watching, queues
    finally:
        await queues.close()
        await watching.close()


async def settling(
    rig: Rig,
    worker: Running,
    watching: "asyncpg.Connection[Any]",
    mentions: int,
    begin: Callable[[], Coroutine[Any, Any, object]],
) -> Samples:
    """What it takes, from `begin` on, until the worker has settled all that waits: so many mentions."""
    used = [worker.processor(), rig.postgres_processor()]
    began = time.perf_counter()
    await begin()
    await _settled(watching, worker)
    seconds = time.perf_counter() - began
    mine, theirs = worker.processor() - used[0], rig.postgres_processor() - used[1]
    return {
        RATE: mentions / seconds,
        PROCESSOR: mine / mentions * 1e6,
        POSTGRES: theirs / mentions * 1e6,
        PER_CORE: mentions / (mine + theirs),
    }


async def _settled(watching: "asyncpg.Connection[Any]", worker: Running) -> None:
    end = time.monotonic() + _PATIENCE
    while await watching.fetchval("SELECT EXISTS (SELECT FROM arrival WHERE state = 'received')"):
        verify(time.monotonic() < end, f"arrivals still waited after {_PATIENCE:.0f} s: {worker.said()[-400:]}")
        await asyncio.sleep(_LOOK_SECONDS)


async def prove(watching: "asyncpg.Connection[Any]", mentions: int) -> None:
    found = dict(await watching.fetchrow(_COUNTS) or {})
    wanted = {name: 0 if name in {"astray", "unsettled"} else mentions for name in found}
    verify(found == wanted, f"of {mentions} mentions there are {found}")
