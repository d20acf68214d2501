"""The migration that compares words otherwise makes the index of what was recorded before anew."""

import importlib

import asyncpg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.local.servers import ServerUrls
from shared.contract import Deleted
from shared.db import Database, driver_url
from tests.conftest import House, HouseBrand, TestDatabase, on_database
from tests.domain.listening.test_finding import searched
from tests.services.api.graphql.asking import at, hear, said

_FINDING = importlib.import_module("shared.migrations.versions.0019_finding")


def _index_anew(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        _FINDING.index_anew()


async def test_what_was_recorded_before_is_found_after_the_migration(
    house: House, brand: HouseBrand, database: TestDatabase, worker_db: Database, app_db: Database,
    servers: ServerUrls,
) -> None:  # fmt: skip
    channel = await house.channel(brand)
    facts = [said(name, "une réclamation", language="fr") for name in ("kept", "gone")]
    await hear(worker_db, channel, *facts, Deleted("gone", at(1)), reader=None)
    superuser = await asyncpg.connect(on_database(servers.superuser, database.name))
    try:
        await superuser.execute("UPDATE mention_search SET tsv = to_tsvector('french', 'une réclamation')")
        assert await searched(app_db, brand, "reclamation") == {}
        engine = create_async_engine(driver_url(database.owner_url))
        async with engine.begin() as connection:
            await connection.run_sync(_index_anew)
        await engine.dispose()
        assert await searched(app_db, brand, "reclamation") == {"kept": ["réclamation"]}
        assert await superuser.fetchval("SELECT count(*) FROM mention_search") == 1
        assert await superuser.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'mention'")
    finally:
        await superuser.close()
