"""Terms, and looking back: begun, watched by `node`, called off."""

from typing import Any

import pytest

from shared.ids import Prefix, typeid
from shared.models.enums import Network
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, brand_id

BEGIN = """mutation ($input: BackfillChannelInput!) { backfillChannel(input: $input) {
  operation { id status kind channel { id terms } since progress { arrivals reachedAt message } result { arrivals } }
  errors { code path } } }"""
CANCEL = """mutation ($input: CancelOperationInput!) { cancelOperation(input: $input) {
  operation { status result { arrivals reachedAt } } errors { code } } }"""
NODE = "query ($id: ID!) { node(id: $id) { __typename ... on Operation { status problem { code } } } }"
UPDATE = """mutation ($input: UpdateChannelInput!) { updateChannel(input: $input) {
  channel { terms loginExpiresAt } errors { code path } } }"""
CONNECT = """mutation ($input: ConnectChannelInput!) { connectChannel(input: $input) {
  channel { id } errors { code path } } }"""
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture
async def practice(house: House, brand: HouseBrand) -> HouseChannel:
    """A channel of a network that can look back, and is not there."""
    return await house.channel(
        brand,
        Network.SANDBOX,
        external_id="cafe",
        base_url="http://127.0.0.1:9",
        credentials={"access_token": "x"},
    )


async def begin(api: Api, brand: HouseBrand, channel: HouseChannel, **more: Any) -> dict[str, Any]:
    given = {"id": typeid(Prefix.CHANNEL, channel.id), "since": SINCE, **more}
    found: dict[str, Any] = (await api.data(BEGIN, brand.api_key, input=given))["backfillChannel"]
    return found


async def test_looking_back_is_begun_watched_and_called_off(
    api: Api, brand: HouseBrand, practice: HouseChannel
) -> None:  # fmt: skip
    begun = await begin(api, brand, practice)
    operation = begun["operation"]
    watched = await api.data(NODE, brand.api_key, id=operation["id"])
    ended = await api.data(CANCEL, brand.api_key, input={"id": operation["id"]})

    assert begun["errors"] == []
    assert (operation["status"], operation["kind"], operation["result"]) == ("PENDING", "BACKFILL", None)
    assert operation["progress"] == {"arrivals": 0, "reachedAt": None, "message": "0 arrivals"}
    assert watched["node"] == {"__typename": "Operation", "status": "PENDING", "problem": None}
    assert ended["cancelOperation"]["operation"] == {
        "status": "CANCELLED",
        "result": {"arrivals": 0, "reachedAt": None},
    }


async def test_a_channel_is_read_anew(api: Api, brand: HouseBrand, channel: HouseChannel) -> None:
    query = """mutation ($input: RereadChannelInput!) { rereadChannel(input: $input) {
      operation { kind status progress { mentions changed message } } errors { code } } }"""
    told = {"id": typeid(Prefix.CHANNEL, channel.id)}
    first = (await api.data(query, brand.api_key, input=told))["rereadChannel"]
    second = (await api.data(query, brand.api_key, input=told))["rereadChannel"]
    assert first["operation"] == {
        "kind": "READING", "status": "PENDING",
        "progress": {"mentions": 0, "changed": 0, "message": "0 mentions read again, 0 read otherwise"},
    }  # fmt: skip
    assert second == {"operation": None, "errors": [{"code": "ALREADY_RUNNING"}]}


async def test_a_repeat_under_its_key_begins_nothing_new(
    api: Api, brand: HouseBrand, practice: HouseChannel
) -> None:  # fmt: skip
    api.headers["idempotency-key"] = "once"

    first, second = [await begin(api, brand, practice) for _ in range(2)]

    assert second["operation"]["id"] == first["operation"]["id"]


async def test_what_can_not_be_begun_says_why(api: Api, brand: HouseBrand, practice: HouseChannel) -> None:
    await begin(api, brand, practice)

    assert (await begin(api, brand, practice))["errors"] == [{"code": "ALREADY_RUNNING", "path": []}]
    late = await begin(api, brand, practice, since="2999-01-01T00:00:00Z")
    assert late["errors"] == [{"code": "INVALID", "path": ["since"]}]


async def test_terms_are_changed_and_shown(api: Api, brand: HouseBrand, practice: HouseChannel) -> None:
    given = {"id": typeid(Prefix.CHANNEL, practice.id), "terms": ["#parvis"]}

    changed = await api.data(UPDATE, brand.api_key, input=given)

    assert changed["updateChannel"] == {"channel": {"terms": ["#parvis"], "loginExpiresAt": None}, "errors": []}


async def test_a_network_that_is_away_connects_nothing(api: Api, brand: HouseBrand) -> None:
    given = {
        "brandId": brand_id(brand), "network": "SANDBOX", "baseUrl": "http://127.0.0.1:9",
        "credentials": {"access_token": "x"},
    }  # fmt: skip

    answer = await api.data(CONNECT, brand.api_key, input=given)

    assert answer["connectChannel"] == {"channel": None, "errors": [{"code": "UNAVAILABLE", "path": []}]}


async def test_new_credentials_are_not_taken_while_nobody_can_say_whose_they_are(
    api: Api, brand: HouseBrand, practice: HouseChannel
) -> None:
    given = {"id": typeid(Prefix.CHANNEL, practice.id), "credentials": {"access_token": "y"}}

    answer = await api.data(UPDATE, brand.api_key, input=given)

    assert answer["updateChannel"]["errors"] == [{"code": "UNAVAILABLE", "path": []}]
