"""One api for each test of GraphQL."""

from collections.abc import AsyncIterator

import pytest

from shared.models.enums import Network
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.services.api.graphql.asking import Api, running


@pytest.fixture
async def api(database: TestDatabase) -> AsyncIterator[Api]:
    async with running(database.settings.model_copy(update={"rate_limit": 0})) as found:
        yield found


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand, Network.GENERIC, name="Letters")
