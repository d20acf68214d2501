"""What a failing statement tells, and what it keeps to itself."""

import asyncio
import contextlib
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.local.servers import ServerUrls
from shared.db import Database, driver, is_passing
from tests.conftest import TestDatabase, on_database


async def test_a_failing_statement_does_not_tell_what_people_wrote(app_db: Database) -> None:
    with pytest.raises(DBAPIError) as failure:
        async with app_db.session() as session:
            await session.execute(text("SELECT 1 / 0 WHERE :said <> ''"), {"said": "my private words"})

    assert "private words" not in str(failure.value)


async def test_the_drivers_statements_are_of_the_sessions_transaction(app_db: Database) -> None:
    async with app_db.session() as session:
        assert (await driver(session)).is_in_transaction()


async def test_a_reading_session_writes_nothing(app_db: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        async with app_db.reading() as session:
            await session.execute(text("DELETE FROM mention"))


async def test_a_borrower_that_is_cancelled_anywhere_leaves_no_transaction_to_the_next(database: TestDatabase) -> None:
    assert database.settings.database_url is not None
    db = Database(database.settings.database_url, name="one", size=1)

    async def read() -> None:
        async with db.reading() as session:
            await (await driver(session)).fetchval("SELECT 1")

    for steps in range(300):
        reading = asyncio.create_task(read())
        for _ in range(steps % 60):
            await asyncio.sleep(0)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        async with db.session() as session:
            assert (await session.execute(text("SHOW transaction_read_only"))).scalar_one() == "off"
            connection = await driver(session)
        assert not connection.is_in_transaction()
    await db.close()


async def test_a_transaction_that_stands_still_is_ended_and_its_locks_with_it(database: TestDatabase) -> None:
    stopped = Database(database.worker_url, name="stopped", size=1, stillness=timedelta(milliseconds=200))
    other = Database(database.worker_url, name="other", size=1)
    lock = text("SELECT pg_advisory_xact_lock(42)")

    async def stand_still() -> None:
        async with stopped.session() as holder:
            await holder.execute(lock)
            async with other.session() as waiting:
                await waiting.execute(lock)  # waits for ever where the holder's lock stays
            await holder.execute(lock)

    with pytest.raises(DBAPIError) as failure:
        await stand_still()
    assert is_passing(failure.value)
    await stopped.close()
    await other.close()


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DiskFullError,
        asyncpg.OutOfMemoryError,
        asyncpg.PostgresIOError,
        asyncpg.IdleInTransactionSessionTimeoutError,
        asyncpg.AdminShutdownError,
    ],
)
def test_a_server_without_room_or_on_its_way_down_is_no_fault_of_the_rows(error: type[asyncpg.PostgresError]) -> None:
    assert is_passing(error("…"))


@pytest.mark.parametrize(
    "error", [asyncpg.UntranslatableCharacterError, asyncpg.UniqueViolationError, asyncpg.ProgramLimitExceededError]
)
def test_what_is_wrong_with_the_rows_does_not_pass(error: type[asyncpg.PostgresError]) -> None:
    assert not is_passing(error("…"))


async def test_a_transaction_that_lasts_too_long_is_ended_though_it_is_not_idle(database: TestDatabase) -> None:
    """As that of a process which is stopped between two messages of one statement."""
    stopped = Database(database.worker_url, name="stopped", size=1, stillness=timedelta(milliseconds=100))
    try:
        with pytest.raises(DBAPIError) as ended:
            async with stopped.session() as session:
                await session.execute(text("SELECT pg_sleep(5)"))
        assert is_passing(ended.value)
    finally:
        await stopped.close()


async def test_connections_that_the_server_closed_are_opened_again(
    servers: ServerUrls, app_db: Database, database: TestDatabase
) -> None:
    async with app_db.session() as one, app_db.session() as another:
        await driver(one)
        await driver(another)
    owner = await asyncpg.connect(on_database(servers.superuser, database.name))
    ended = await owner.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'parvis_app'"
    )
    await owner.close()
    assert len(ended) >= 2
    await asyncio.sleep(0.1)  # the news of their end is on its way

    async with app_db.session() as one, app_db.lent() as another_connection:
        assert await (await driver(one)).fetchval("SELECT 1") == 1
        assert await another_connection.fetchval("SELECT 1") == 1
