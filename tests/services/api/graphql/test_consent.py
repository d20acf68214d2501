"""Connecting by consent over GraphQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HouseBrand, TestDatabase
from tests.services.api import journey
from tests.services.api.graphql.asking import Api, brand_id, running
from tests.services.api.journey import RETURN, come_back, query_of

AUTHORIZE = """mutation ($input: AuthorizeChannelInput!) {
  authorizeChannel(input: $input) { authorizeUrl errors { code message path } } }"""
CONSENT = """query ($b: ID!, $c: ID!) { brand(id: $b) { consent(id: $c) {
  id network status error expiresAt choices { externalId name baseUrl missing channel { id status } } } } }"""
CONNECT = """mutation ($input: ConnectChannelInput!) {
  connectChannel(input: $input) { channel { id externalId network findings { ok } } errors { code message path } } }"""


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[journey.Network]:
    async with journey.opened(tmp_path) as found:
        yield found


@pytest.fixture
async def api(database: TestDatabase) -> AsyncIterator[Api]:
    async with running(database.settings.model_copy(update={"cors_origins": (journey.FRONT,)})) as found:
        yield found


async def authorize(api: Api, brand: HouseBrand, **changes: Any) -> dict[str, Any]:
    given = {"brandId": brand_id(brand), "network": "SANDBOX", "returnUrl": RETURN, **changes}
    payload: dict[str, Any] = (await api.data(AUTHORIZE, brand.api_key, input=given))["authorizeChannel"]
    return payload


async def consented(api: Api, brand: HouseBrand, network: journey.Network) -> str:
    asked = await authorize(api, brand, baseUrl=network.url)
    assert asked["errors"] == []
    back = await network.allow(asked["authorizeUrl"])
    return query_of((await come_back(api.client, back)).headers["location"])["consent"]


async def test_a_choice_of_a_consent_becomes_a_channel(api: Api, brand: HouseBrand, network: journey.Network) -> None:
    consent = await consented(api, brand, network)
    given = {"brandId": brand_id(brand), "consentId": consent, "externalId": "shop"}
    payload = (await api.data(CONNECT, brand.api_key, input=given))["connectChannel"]
    assert payload["errors"] == []
    assert (payload["channel"]["externalId"], payload["channel"]["network"]) == ("shop", "SANDBOX")
    assert all(finding["ok"] for finding in payload["channel"]["findings"])
    again = (await api.data(CONNECT, brand.api_key, input=given))["connectChannel"]
    assert again["channel"]["id"] == payload["channel"]["id"]
    found = (await api.data(CONSENT, brand.api_key, b=brand_id(brand), c=consent))["brand"]["consent"]
    assert (found["status"], found["error"]) == ("GIVEN", None)
    assert [(one["externalId"], one["channel"] and one["channel"]["id"]) for one in found["choices"]] == [
        ("cafe", None),
        ("shop", payload["channel"]["id"]),
    ]


async def test_what_is_wrong_with_a_question_is_said_at_its_place(api: Api, brand: HouseBrand) -> None:
    payload = await authorize(api, brand, baseUrl="http://127.0.0.1:9", returnUrl="https://evil.example/")
    assert payload["authorizeUrl"] is None
    assert [(one["code"], one["path"]) for one in payload["errors"]] == [("RETURN_URL_NOT_ALLOWED", ["returnUrl"])]


@pytest.mark.parametrize("id_", ["consent_01h2xcejqtf2nbrexx3vqjhp41", "nonsense"])
async def test_a_consent_that_is_not_there_is_null_and_connects_nothing(api: Api, brand: HouseBrand, id_: str) -> None:
    found = await api.data(CONSENT, brand.api_key, b=brand_id(brand), c=id_)
    given = {"brandId": brand_id(brand), "consentId": id_}
    payload = (await api.data(CONNECT, brand.api_key, input=given))["connectChannel"]
    assert found["brand"]["consent"] is None
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]


async def test_neither_a_network_nor_a_consent_is_an_error_at_the_network(api: Api, brand: HouseBrand) -> None:
    payload = (await api.data(CONNECT, brand.api_key, input={"brandId": brand_id(brand)}))["connectChannel"]
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("REQUIRED", ["network"])]
