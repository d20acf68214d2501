"""A pool says who waits for a connection, and who waited in vain."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.db import Database
from tests.conftest import TestDatabase


def shown(name: str, pool: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"pool": pool})


async def hold(db: Database, holding: asyncio.Event, until: asyncio.Event) -> None:
    async with db.session() as session:
        await session.execute(text("SELECT 1"))
        holding.set()
        await until.wait()


async def ask(db: Database) -> None:
    async with db.session() as session:
        await session.execute(text("SELECT 1"))


async def test_who_waits_for_the_only_connection_is_shown_while_it_waits_and_counted_after(
    database: TestDatabase,
) -> None:
    db = Database(database.app_url, name="narrow", size=1)
    holding, until = asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(hold(db, holding, until))
    await holding.wait()
    asker = asyncio.create_task(ask(db))
    async with asyncio.timeout(20):
        while shown("parvis_pool_waiting", "narrow") != 1:
            await asyncio.sleep(0.01)

    assert shown("parvis_pool_size", "narrow") == 1
    assert shown("parvis_pool_used", "narrow") == 1
    until.set()
    await asyncio.gather(holder, asker)
    assert (shown("parvis_pool_waiting", "narrow"), shown("parvis_pool_used", "narrow")) == (0, 0)
    assert shown("parvis_pool_wait_seconds_count", "narrow") == 1
    await db.close()


async def test_nobody_waits_while_a_connection_is_free(database: TestDatabase) -> None:
    db = Database(database.app_url, name="wide", size=2)
    await asyncio.gather(ask(db), ask(db))
    assert shown("parvis_pool_wait_seconds_count", "wide") == 0
    await db.close()


async def test_who_waits_in_vain_is_counted(database: TestDatabase) -> None:
    db = Database(database.app_url, name="short", size=1)
    db.engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    holding, until = asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(hold(db, holding, until))
    await holding.wait()
    with pytest.raises(PoolTimeout):
        await ask(db)

    assert shown("parvis_pool_exhausted_total", "short") == 1
    until.set()
    await holder
    await db.close()


async def test_a_closed_pool_is_shown_no_more(database: TestDatabase) -> None:
    db = Database(database.app_url, name="gone", size=1)
    await ask(db)
    await db.close()
    assert shown("parvis_pool_size", "gone") is None
