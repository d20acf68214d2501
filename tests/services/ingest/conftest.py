from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.services.ingest.doorstep import Doorstep, open_door


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
