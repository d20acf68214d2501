"""The rig and the door's benchmark, in their short form: real servers, real processes, a real proof."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator

import asyncpg
import pytest

from tests.benchmarks import door, loader
from tests.benchmarks.measuring import PROCESSOR, RATE, Plan, Unverified
from tests.benchmarks.rig import DidNotStart, Rig, processor, rig


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("bench")) as found:
        yield found


async def test_the_doors_benchmark_runs_and_proves_its_work(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "COUNTS", {name: (count, 200) for name, (count, _) in door.COUNTS.items()})
    result = await door.measure(made, Plan(made.work, rounds=1, short=True))
    assert [it.name for it in result.sides] == [door.PARVIS, door.BARE, door.TEMPLATE]
    assert all(it[RATE].median > 0 for it in result.sides)
    assert result.side(door.PARVIS)[PROCESSOR].median > 0
    assert len(result.targets) == 3


async def test_durability_is_on(made: Rig) -> None:
    connection = await asyncpg.connect(made.urls.superuser)
    assert [await connection.fetchval(f"SHOW {name}") for name in ("fsync", "synchronous_commit")] == ["on", "on"]
    await connection.close()


async def test_rows_that_were_acknowledged_and_are_not_there_are_found(made: Rig) -> None:
    async with made.database() as database:
        turn = door.Turn(made, database, loader.Signer("/webhooks/hook", "whsec_QUFB"))
        load = loader.Load(1.0, Counter({200: 1}), [0.001], acknowledged=[0])
        with pytest.raises(Unverified, match="the rows are not those acknowledged"):
            await turn.prove(load, ["msg_run_0"], "SELECT key FROM arrival", "run")


async def test_an_answer_that_is_no_acknowledgement_is_found(made: Rig) -> None:
    async with made.database() as database:
        turn = door.Turn(made, database, loader.Signer("/webhooks/hook", "whsec_QUFB"))
        load = loader.Load(1.0, Counter({503: 1}), [0.001])
        with pytest.raises(Unverified, match="not all were acknowledged"):
            await turn.prove(load, ["msg_run_0"], None, "run")


async def test_a_process_that_ends_says_why(made: Rig) -> None:
    with pytest.raises(DidNotStart, match="No module named"):
        async with made.reference("no_such_reference"):
            pass


async def test_processes_end_with_their_block(made: Rig) -> None:
    async with made.reference("bare_asgi") as running:
        assert running.processor() > 0
        assert running.memory() > 1_000_000
        assert os.sched_getaffinity(running.pid) == made.tested
    assert running.child.poll() is not None


async def test_processor_time_of_children_counts() -> None:
    before = processor(os.getpid())
    child = await asyncio.create_subprocess_exec("python3", "-c", "sum(range(5_000_000))")
    await child.wait()
    assert processor(os.getpid()) > before


@pytest.mark.parametrize("size", [300, 600, 1000])
def test_a_delivery_has_the_size_that_was_asked_for(size: int) -> None:
    assert len(loader.delivery("msg_0123456789ab_12345", size)) == size


def test_a_request_carries_its_own_id() -> None:
    request = loader.Signer("/webhooks/hook_x", "whsec_QUFB").request("msg_1", b"{}")
    assert request.startswith(b"POST /webhooks/hook_x HTTP/1.1\r\n")
    assert b"\r\nwebhook-id: msg_1\r\n" in request
