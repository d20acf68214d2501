"""Group commit on a real table."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from services.ingest.group import Group
from services.ingest.rows import kept_headers, storable_key
from services.ingest.storing import Away, Closed, NewArrival
from shared.ids import Prefix, new_uuid, typeid
from tests.conftest import TestDatabase
from tests.services.ingest.doorstep import Kept, wire_to

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOOK, OTHER_HOOK = new_uuid(), new_uuid()


def arrival(
    key: str, *, hook_id: UUID = HOOK, body: bytes = b"{}", headers: str = "{}", stamp: datetime = NOW
) -> NewArrival:
    return NewArrival(new_uuid(), hook_id, key, headers, body, stamp, NOW)


@asynccontextmanager
async def group_on(
    url: str, *, rows: int = 2000, size: int = 2**26, on_commit: Callable[[], None] = lambda: None
) -> AsyncIterator[Group]:
    group = Group(url, rows=rows, size=size, on_commit=on_commit)
    await group.open()
    try:
        yield group
    finally:
        await group.close()


@pytest.fixture(autouse=True)
async def hooks(database: TestDatabase) -> None:
    connection = await asyncpg.connect(database.owner_url)
    await connection.executemany(
        "INSERT INTO hook (id, network, key_digests, secret, created_at) VALUES ($1, 'generic', '{}', '', $2)",
        [(HOOK, NOW), (OTHER_HOOK, NOW)],
    )
    await connection.close()


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[Kept]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


async def test_many_at_once_are_all_kept(database: TestDatabase, kept: Kept) -> None:
    rows = [arrival(f"k{n}") for n in range(1500)]
    async with group_on(database.door_url) as group:
        found = await asyncio.gather(*[group.add(row) for row in rows])
    assert found == [(typeid(Prefix.ARRIVAL, row.id), False) for row in rows]
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 1500


async def test_they_share_commits(database: TestDatabase) -> None:
    commits: list[int] = []
    async with group_on(database.door_url, on_commit=lambda: commits.append(1)) as group:
        await asyncio.gather(*[group.add(arrival(f"k{n}")) for n in range(300)])
    assert 1 <= len(commits) <= 4


async def test_one_after_another_are_kept_without_a_wait(database: TestDatabase) -> None:
    async with group_on(database.door_url) as group:
        async with asyncio.timeout(10):
            for n in range(100):
                await group.add(arrival(f"k{n}"))


async def test_arrivals_that_come_while_flushers_fall_idle_are_never_overlooked(database: TestDatabase) -> None:
    async def one_by_one(group: Group, name: int) -> None:
        for n in range(60):
            await group.add(arrival(f"{name}-{n}"))
            for _ in range((name + n) % 4):
                await asyncio.sleep(0)

    async with group_on(database.door_url) as group, asyncio.timeout(60):
        await asyncio.gather(*[one_by_one(group, name) for name in range(7)])


async def test_a_row_that_postgres_refuses_fails_alone(database: TestDatabase, kept: Kept) -> None:
    bad = arrival("bad", headers="not json")
    good = [arrival(f"k{n}") for n in range(5)]
    async with group_on(database.door_url) as group:
        outcomes = await asyncio.gather(
            *[group.add(row) for row in [*good[:2], bad, *good[2:]]], return_exceptions=True
        )
        assert isinstance(outcomes[2], Away)
        assert await group.add(arrival("next"))
    assert {row["key"] for row in await kept.fetch("SELECT key FROM arrival")} == {"k0", "k1", "k2", "k3", "k4", "next"}


async def test_a_row_that_the_driver_refuses_fails_alone(database: TestDatabase, kept: Kept) -> None:
    async with group_on(database.door_url) as group:
        outcomes = await asyncio.gather(
            group.add(arrival("good")), group.add(arrival("bad\ud800")), return_exceptions=True
        )
    assert isinstance(outcomes[1], Away)
    assert [row["key"] for row in await kept.fetch("SELECT key FROM arrival")] == ["good"]


async def test_the_same_key_in_one_batch_is_kept_once(database: TestDatabase, kept: Kept) -> None:
    rows = [arrival("same", body=b"%d" % n) for n in range(10)]
    async with group_on(database.door_url) as group:
        found = await asyncio.gather(*[group.add(row) for row in rows])
    assert {one.arrival_id for one in found} == {typeid(Prefix.ARRIVAL, rows[0].id)}
    assert [one.duplicate for one in found] == [False] + [True] * 9
    assert bytes(await kept.fetchval("SELECT body FROM arrival")) == b"0"


async def test_stored_keys_among_new_ones_are_told_apart(database: TestDatabase) -> None:
    async with group_on(database.door_url) as group:
        first = [await group.add(arrival(f"k{n}")) for n in range(0, 20, 2)]
        found = await asyncio.gather(*[group.add(arrival(f"k{n}")) for n in range(20)])
    assert [one.duplicate for one in found] == [True, False] * 10
    assert [one.arrival_id for one in found[::2]] == [one.arrival_id for one in first]


async def test_only_new_ones_ring(database: TestDatabase) -> None:
    commits: list[int] = []
    async with group_on(database.door_url, on_commit=lambda: commits.append(1)) as group:
        await group.add(arrival("k"))
        await group.add(arrival("k"))
    assert len(commits) == 1


async def test_past_its_bytes_the_buffer_is_full(database: TestDatabase) -> None:
    async with wire_to(database.door_url) as wire, group_on(wire.url(database.door_url), size=100) as group:
        wire.frozen.clear()
        waiting = asyncio.ensure_future(group.add(arrival("a", body=b"x" * 60)))
        await asyncio.sleep(0)
        with pytest.raises(Away, match="too many"):
            await group.add(arrival("b", body=b"x" * 60))
        wire.frozen.set()
        await waiting
        assert not (await group.add(arrival("b", body=b"x" * 60))).duplicate


async def test_a_failed_insert_of_an_absent_table_is_away_and_mends_itself(database: TestDatabase, owner: Kept) -> None:
    async with group_on(database.door_url) as group:
        await group.add(arrival("a"))
        await owner.execute("REVOKE INSERT ON arrival FROM parvis_door")
        outcomes = await asyncio.gather(*[group.add(arrival(f"k{n}")) for n in range(3)], return_exceptions=True)
        assert all(isinstance(outcome, Away) for outcome in outcomes)
        await owner.execute("GRANT INSERT ON arrival TO parvis_door")
        async with asyncio.timeout(30):
            while not await is_kept(group, arrival("after")):
                await asyncio.sleep(0.05)


async def is_kept(group: Group, row: NewArrival) -> bool:
    try:
        await group.add(row)
    except Away:
        return False
    return True


async def test_closing_keeps_what_was_taken(database: TestDatabase, kept: Kept) -> None:
    group = Group(database.door_url, rows=2000, size=2**26, on_commit=lambda: None)
    await group.open()
    waiting = [asyncio.ensure_future(group.add(arrival(f"k{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await group.close()
    assert [one.duplicate for one in await asyncio.gather(*waiting)] == [False] * 50
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 50


async def test_a_request_that_is_cut_off_does_not_disturb_its_batch(database: TestDatabase, kept: Kept) -> None:
    async with group_on(database.door_url) as group:
        tasks = [asyncio.ensure_future(group.add(arrival(f"k{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [False, True, False]
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 3


async def test_a_repeat_whose_first_one_was_cut_off_hears_of_it_all_the_same(
    database: TestDatabase, kept: Kept
) -> None:
    async with group_on(database.door_url) as group:
        first = asyncio.ensure_future(group.add(arrival("same")))
        repeat = asyncio.ensure_future(group.add(arrival("same")))
        await asyncio.sleep(0)
        first.cancel()
        found = await repeat
    assert found.duplicate
    [row] = await kept.fetch("SELECT id FROM arrival")
    assert found.arrival_id == typeid(Prefix.ARRIVAL, row["id"])


async def test_one_that_cannot_be_told_leaves_the_others_of_its_batch_alone(database: TestDatabase) -> None:
    def broken(_: object) -> None:
        raise RuntimeError

    async with group_on(database.door_url) as group:
        group.take(arrival("first"), broken)
        assert not (await group.add(arrival("second"))).duplicate


async def test_a_repeat_that_is_cut_off_itself_leaves_the_first_alone(database: TestDatabase, kept: Kept) -> None:
    async with group_on(database.door_url) as group:
        first = asyncio.ensure_future(group.add(arrival("same")))
        repeat = asyncio.ensure_future(group.add(arrival("same")))
        await asyncio.sleep(0)
        repeat.cancel()
        assert not (await first).duplicate
    assert repeat.cancelled()


@pytest.mark.parametrize("key", ["", "msg_1", "k" * 200, "café"])
def test_an_ordinary_key_is_kept_as_it_is(key: str) -> None:
    assert storable_key(key) == key


def test_keys_that_postgres_cannot_hold_stay_apart() -> None:
    odd = ["a\x00", "a\ufffd", "a\ud800", "a\ud801", "k" * 201, "k" * 10_000]
    stored = [storable_key(key) for key in odd]
    assert len(set(stored)) == len(odd)
    assert all("\x00" not in key and len(key.encode()) <= 800 for key in stored)


def test_a_header_with_u0000_is_made_storable() -> None:
    assert kept_headers([("user-agent", "a\x00b")]) == '{"user-agent":"a\ufffdb"}'


async def test_a_hook_that_was_removed_takes_nothing(database: TestDatabase, kept: Kept) -> None:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("UPDATE hook SET removed_at = now() WHERE id = $1", HOOK)
    await connection.close()

    async with group_on(database.door_url) as group:
        with pytest.raises(Closed):
            await group.add(arrival("late"))

    assert await kept.fetchval("SELECT count(*) FROM arrival") == 0
