"""What a failing statement tells, and what it keeps to itself."""

import asyncio
import contextlib

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import Database, driver
from tests.conftest import TestDatabase


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
