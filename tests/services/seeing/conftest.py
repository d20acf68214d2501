from collections.abc import AsyncIterator

import pytest

from services.ingest.handlers import Worker
from shared import http
from shared.db import Database
from shared.queues import Queues
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
async def worker(database: TestDatabase, worker_db: Database, house: House) -> AsyncIterator[Worker]:
    assert database.settings.redis_url is not None
    queues = Queues(database.settings.redis_url)
    async with http.client(database.settings) as client:
        yield Worker(worker_db, queues, house.vault, client, database.settings)
    await queues.close()
