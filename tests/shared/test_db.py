"""What a failing statement tells, and what it keeps to itself."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import Database, driver


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
