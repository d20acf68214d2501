"""Documents of the common form are answered without the executor, as it would have answered them, byte for byte."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from services.api.graphql import quick
from services.api.graphql.engine import Asked, Engine, dump
from shared.db import Database
from shared.domain.brands import keys
from shared.errors import NotAuthenticated
from shared.ids import Prefix, new_uuid, typeid, typeids
from shared.models.enums import KeyScope
from tests.conftest import House, HouseBrand
from tests.services.api.graphql.asking import Api, brand_id
from tests.services.api.graphql.test_lookahead import ENGINE, Dice, answers, filled

__all__ = ["filled"]

PAGE = """query ($b: ID!, $first: Int = 2, $after: String, $where: MentionFilter) { brand(id: $b) {
    id name timezone languages kind: __typename
    newest: mentions(first: $first, after: $after, where: $where) { nodes { id text author { id } } pageInfo {
        endCursor hasNextPage } }
    mentions(first: 3, order: OLDEST) { edges { cursor node { id thread { id } } } } } }"""


async def quickly(api: Api, key: str, query: str, variables: dict[str, Any], engine: Engine = ENGINE) -> bytes | None:
    """The answer by the quick way; None where it leaves it to the ordinary one."""
    services = api.app.state.services
    found = quick.read(engine, services, Asked(query, variables, None))
    done = await quick.run(found, services, key) if found is not None else None
    return dump(done[0]) if done is not None else None


async def test_random_documents_are_answered_alike_by_both_ways(api: Api, filled: HouseBrand) -> None:
    taken = 0
    for seed in range(60):
        query = Dice(seed).query()
        variables = {"b": brand_id(filled), "first": random.Random(seed).randint(1, 9), "yes": True, "no": False}
        _, ordinary, _ = await answers(api, filled, query, variables)
        found = await quickly(api, filled.api_key, query, variables)
        assert found in {None, ordinary}, query
        taken += found is not None
    assert taken > 40


@pytest.mark.parametrize(
    "where",
    [
        None,
        {"kinds": ["REVIEW"]},
        {"networks": [], "deleted": None},
        {"since": "2025-11-20T09:01:00Z", "until": "2025-11-20T11:04:00+02:00", "authorKinds": ["CONSUMER", "UNKNOWN"]},
        {"authorId": "idn_00000000000000000000000000", "channelIds": ["nonsense"]},
        {"minRating": 4, "languages": ["fr"], "visibility": "PUBLIC", "search": "  "},
    ],
)
async def test_filters_and_the_brands_own_words_are_read_alike(api: Api, filled: HouseBrand, where: Any) -> None:
    variables = {"b": brand_id(filled), "where": where}
    _, ordinary, _ = await answers(api, filled, PAGE, variables)
    assert await quickly(api, filled.api_key, PAGE, variables) == ordinary


async def test_a_cursor_leads_to_the_next_page(api: Api, filled: HouseBrand) -> None:
    first = await api.data(PAGE, filled.api_key, b=brand_id(filled))
    variables = {"b": brand_id(filled), "after": first["brand"]["newest"]["pageInfo"]["endCursor"]}
    _, ordinary, _ = await answers(api, filled, PAGE, variables)
    assert await quickly(api, filled.api_key, PAGE, variables) == ordinary


@pytest.mark.parametrize(
    "variables",
    [
        {"after": "bad"},
        {"first": 0},
        {"first": "many"},
        {"where": {"since": "yesterday"}},
        {"where": {"search": "hello"}},
        {"where": {"nothing": 1}},
    ],
)
async def test_what_is_refused_or_searched_goes_the_ordinary_way(
    api: Api, filled: HouseBrand, variables: dict[str, Any]
) -> None:
    asked = {"b": brand_id(filled), **variables}
    assert (await api.post(PAGE, filled.api_key, b=brand_id(filled))).status_code == 200
    assert await quickly(api, filled.api_key, PAGE, asked, api_engine(api)) is None
    assert (await api.post(PAGE, filled.api_key, **asked)).status_code == 200


async def test_a_foreign_brand_is_null_and_nothing_of_it_is_read(api: Api, filled: HouseBrand, house: House) -> None:
    other = await house.brand("Other")
    await api.data(PAGE, filled.api_key, b=brand_id(filled))
    assert await quickly(api, other.api_key, PAGE, {"b": brand_id(filled)}) is None
    assert await api.data(PAGE, other.api_key, b=brand_id(filled)) == {"brand": None}


async def test_a_key_that_may_not_read_is_refused_as_ever(api: Api, filled: HouseBrand, house: House) -> None:
    narrow = await house.key(filled, KeyScope.PUBLISH)
    await api.data(PAGE, filled.api_key, b=brand_id(filled))
    assert await quickly(api, narrow, PAGE, {"b": brand_id(filled)}) is None
    assert await api.code(PAGE, narrow, b=brand_id(filled)) == "NOT_ALLOWED"


async def test_a_revoked_key_stops_with_the_next_request(
    api: Api, filled: HouseBrand, house: House, owner_db: Database
) -> None:
    async with owner_db.session() as session:
        key, plain = await keys.create(
            session, organization_id=filled.organization_id, user_id=filled.user_id, name="short",
            scopes=[KeyScope.READ], brand_id=None, expires_at=None, now=datetime.now(UTC),
        )  # fmt: skip
    for _ in range(2):
        assert (await api.post(PAGE, plain, b=brand_id(filled))).status_code == 200
    async with owner_db.session() as session:
        await keys.revoke(session, key_id=key.id, now=datetime.now(UTC))
    assert (await api.post(PAGE, plain, b=brand_id(filled))).status_code == 401
    with pytest.raises(NotAuthenticated):
        await quickly(api, plain, PAGE, {"b": brand_id(filled)})


async def test_nothing_of_a_request_is_left_on_its_connection(api: Api, filled: HouseBrand, app_db: Database) -> None:
    async with app_db.lent() as connection:
        async with app_db.lent() as another:
            assert another is not connection
        assert await connection.fetchval("SELECT current_setting('transaction_read_only')") == "on"
    await quickly(api, filled.api_key, PAGE, {"b": brand_id(filled)})
    async with app_db.session() as session:
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
        assert raw is not None
        assert await raw.fetchval("SELECT parvis.seen_brands()") is None
        assert await raw.fetchval("SELECT current_setting('transaction_read_only')") == "off"


def api_engine(api: Api) -> Engine:
    """The engine that answers over HTTP knows the documents that were asked there."""
    engine = next(layer.kwargs["engine"] for layer in api.app.user_middleware if "engine" in layer.kwargs)
    assert isinstance(engine, Engine)
    return engine


def test_ids_are_named_alike_one_by_one_and_all_at_once() -> None:
    for many in (0, 1, 2, 127, 128, 129, 300):
        ids = [new_uuid() for _ in range(many)]
        assert typeids(Prefix.MENTION, ids) == [typeid(Prefix.MENTION, one) for one in ids]
