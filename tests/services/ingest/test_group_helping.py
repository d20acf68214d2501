"""When a second flusher helps the first: where many wait, where the first takes long, where it is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.ingest.group import MANY_ROWS, Group
from services.ingest.storing import Away, Kept, connect, store
from tests.conftest import TestDatabase
from tests.services.ingest.test_group import arrival, group_on, hooks

__all__ = ["hooks"]  # the fixture: what these arrivals are for

NEVER = 3600.0
_HELD = "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = any(pg_blocking_pids(pid))"


@asynccontextmanager
async def held_up(database: TestDatabase, group: Group) -> AsyncIterator["asyncio.Future[Kept]"]:
    """One commit of this group, which has to wait for someone else's transaction until the block ends."""
    connection, statement = await connect(database.door_url)
    watching = await asyncpg.connect(database.owner_url)
    try:
        async with connection.transaction():
            await store(connection, statement, [arrival("held")])
            first = asyncio.ensure_future(group.add(arrival("held")))
            async with asyncio.timeout(20):
                while not await watching.fetchval(_HELD, connection.get_server_pid()):
                    await asyncio.sleep(0.005)
            yield first
    finally:
        await watching.close()
        await connection.close()
    await asyncio.gather(first, return_exceptions=True)


async def test_a_few_wait_for_a_short_commit_and_go_together(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.group.LONG_SECONDS", NEVER)
    async with group_on(database.door_url) as group:
        async with held_up(database, group) as first:
            few = asyncio.gather(*[group.add(arrival(f"k{n}")) for n in range(MANY_ROWS - 1)])
            await asyncio.wait([few], timeout=0.3)
            assert not few.done()
            assert not first.done()
        assert not any(one.duplicate for one in await few)


async def test_many_do_not_wait(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.group.LONG_SECONDS", NEVER)
    async with group_on(database.door_url) as group, held_up(database, group) as first:
        async with asyncio.timeout(20):
            await asyncio.gather(*[group.add(arrival(f"k{n}")) for n in range(MANY_ROWS)])
        assert not first.done()


async def test_what_comes_after_a_commit_took_long_does_not_wait_for_it(database: TestDatabase) -> None:
    async with group_on(database.door_url) as group, held_up(database, group) as first:
        await asyncio.sleep(0.1)
        async with asyncio.timeout(20):
            await group.add(arrival("other"))
        assert not first.done()


async def test_what_waits_for_a_commit_that_is_lost_is_kept_by_the_other(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.group.LONG_SECONDS", NEVER)
    monkeypatch.setattr("services.ingest.storing.COMMIT_SECONDS", 1.0)
    async with group_on(database.door_url) as group, held_up(database, group) as first:
        waiting = asyncio.ensure_future(group.add(arrival("other")))
        with pytest.raises(Away):
            await first
        async with asyncio.timeout(20):
            assert not (await waiting).duplicate


async def test_closing_waits_for_no_more_than_it_has_to(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.group.LONG_SECONDS", NEVER)
    group = Group(database.door_url, rows=2000, size=2**26, on_commit=lambda: None)
    await group.open()
    async with held_up(database, group) as first:
        other = asyncio.ensure_future(group.add(arrival("other")))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(group.close())
        async with asyncio.timeout(20):
            assert not (await other).duplicate
        assert not first.done()
    await closing
