"""A bare id is looked up over a thousand brands; whoever sees more says in `Parvis-Brand` which one is meant."""

import pytest
from sqlalchemy import text

from shared.db import Database
from shared.ids import Prefix, typeid
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, brand_id

NODE = "query ($id: ID!) { node(id: $id) { id } }"
PAUSE = "mutation ($id: ID!) { pauseChannel(input: {id: $id}) { channel { id } errors { code } } }"


async def _grant_more(db: Database, brand: HouseBrand, count: int) -> None:
    """Grants on so many brands more; nothing else of them is needed to be looked up."""
    async with db.session() as session:
        await session.execute(
            text(
                'INSERT INTO "grant" (id, organization_id, brand_id, role)'
                " SELECT gen_random_uuid(), :organization, gen_random_uuid(), 'owner' FROM generate_series(1, :count)"
            ),
            {"organization": brand.organization_id, "count": count},
        )


@pytest.fixture
def channel_id(channel: HouseChannel) -> str:
    return typeid(Prefix.CHANNEL, channel.id)


async def test_a_thousand_brands_are_looked_through(
    api: Api, owner_db: Database, brand: HouseBrand, channel_id: str
) -> None:
    await _grant_more(owner_db, brand, 999)

    assert await api.data(NODE, brand.api_key, id=channel_id) == {"node": {"id": channel_id}}


async def test_more_need_the_header(api: Api, owner_db: Database, brand: HouseBrand, channel_id: str) -> None:
    await _grant_more(owner_db, brand, 1000)
    node = await api.code(NODE, brand.api_key, id=channel_id)
    paused = await api.data(PAUSE, brand.api_key, id=channel_id)

    assert node == "BRAND_NEEDED"
    assert paused == {"pauseChannel": {"channel": None, "errors": [{"code": "BRAND_NEEDED"}]}}


async def test_with_the_header_they_are_found_in_that_brand_and_in_no_other(
    api: Api, owner_db: Database, house: House, brand: HouseBrand, channel_id: str
) -> None:
    await _grant_more(owner_db, brand, 1000)
    other = await house.brand("Other")
    api.headers = {"parvis-brand": brand_id(brand)}
    found = await api.data(NODE, brand.api_key, id=channel_id)
    paused = await api.data(PAUSE, brand.api_key, id=channel_id)
    api.headers = {"parvis-brand": brand_id(other)}
    elsewhere = await api.data(NODE, brand.api_key, id=channel_id)

    assert found == {"node": {"id": channel_id}}
    assert paused == {"pauseChannel": {"channel": {"id": channel_id}, "errors": []}}
    assert elsewhere == {"node": None}


async def test_a_brand_that_is_named_needs_no_header(api: Api, owner_db: Database, brand: HouseBrand) -> None:
    await _grant_more(owner_db, brand, 1000)
    read = "query ($id: ID!) { brand(id: $id) { name } }"

    assert await api.data(read, brand.api_key, id=brand_id(brand)) == {"brand": {"name": "Dunes"}}
