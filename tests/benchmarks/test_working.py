"""The benchmarks of worker, latency, due posts and memory in their short form, and what their proofs find out."""

from collections.abc import Iterator

import asyncpg
import pytest

from tests.benchmarks import deliveries, due, latency, memory, worker
from tests.benchmarks.deliveries import Writers
from tests.benchmarks.measuring import MEMORY, P50, P99, RATE, Plan, Unverified
from tests.benchmarks.rig import Rig, rig

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("bench")) as found:
        yield found


@pytest.fixture
def plan(made: Rig) -> Plan:
    return Plan(made.work, rounds=1, short=True)


async def test_the_workers_benchmark_runs_and_proves_its_work(made: Rig, plan: Plan) -> None:
    result = await worker.measure(made, plan)
    assert [it.name for it in result.sides] == [worker.ONE, worker.MANY, worker.FULL, worker.NAIVE]
    assert all(it[RATE].median > 0 for it in result.sides)


async def test_a_webhook_is_seen_by_every_reader(made: Rig, plan: Plan) -> None:
    result = await latency.measure(made, plan)
    assert [it.name for it in result.sides] == [latency.REST, latency.GRAPHQL, latency.SOCKET]
    assert all(0 < it[P50].median <= it[P99].median for it in result.sides)


async def test_every_due_post_is_handed_over_once(made: Rig, plan: Plan) -> None:
    result = await due.measure(made, plan)
    assert [it.name for it in result.sides] == [due.PARVIS, due.ARQ, due.TUNED]


async def test_every_services_memory_is_told(made: Rig, plan: Plan) -> None:
    result = await memory.measure(made, plan)
    assert len(result.sides) == 8
    assert all(it[MEMORY].median > 1 for it in result.sides)


@pytest.mark.parametrize("table", ["mention", "mention_search", "event", "rollup_day", "rollup_hour"])
async def test_a_mention_that_is_missing_anywhere_is_found(made: Rig, table: str) -> None:
    async with made.database() as database:
        connection = await asyncpg.connect(made.urls.superuser.rpartition("/")[0] + f"/{database.name}")
        with pytest.raises(Unverified, match=f"'{table}': 0"):
            await worker.prove(connection, 1)
        await connection.close()


async def test_an_arrival_that_waits_is_found(made: Rig) -> None:
    async with made.database() as database, made.house(database) as house:
        channel = await house.channel(await house.brand())
        await deliveries.keep(database, [channel], Writers().bodies(1, 1))
        connection = await asyncpg.connect(made.urls.superuser.rpartition("/")[0] + f"/{database.name}")
        with pytest.raises(Unverified, match="'unsettled': 1"):
            await worker.prove(connection, 0)
        await connection.close()


@pytest.mark.parametrize(
    ("taken", "why"),
    [
        ([("a", 0.1), ("a", 0.1)], "twice"),
        ([("a", 0.1)], "not the posts"),
        ([("a", 0.1), ("b", -0.5)], "before its time"),
    ],
)
def test_posts_lost_doubled_or_early_are_found(taken: list[tuple[str, float]], why: str) -> None:
    with pytest.raises(Unverified, match=why):
        due.prove(taken, [("a", 0.0), ("b", 0.0)])
