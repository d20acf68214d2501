from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.local.servers import ServerUrls
from shared.db import Database
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase, on_database
from tests.services.ingest.doorstep import Doorstep, open_door
from tests.services.ingest.practice import Practice, practice


@pytest.fixture
async def door(database: TestDatabase) -> AsyncIterator[Doorstep]:
    async with open_door(database.settings) as doorstep:
        yield doorstep


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
async def kept(database: TestDatabase) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that sees every arrival."""
    connection = await asyncpg.connect(database.worker_url)
    yield connection
    await connection.close()


@pytest.fixture
async def network(
    database: TestDatabase, servers: ServerUrls, worker_db: Database, house: House, brand: HouseBrand, tmp_path: Path
) -> AsyncIterator[Practice]:
    """The practice network, and a worker beside it."""
    superuser = on_database(servers.superuser, database.name)
    async with practice(database, superuser, worker_db, house, brand, tmp_path) as found:
        yield found
