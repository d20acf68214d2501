"""The key that sealed something is gone from PARVIS_SECRET_KEYS for good: what can go on does, and nothing is a 500."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import channels, hooks
from shared.ids import Prefix, typeid
from shared.models.enums import Network
from shared.vault import Vault
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.services.api.graphql.asking import Api, running

NEW = "a key that never met the old one"
CREATE = "mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code } } }"
RENEW = "mutation ($input: UpdateChannelInput!) { updateChannel(input: $input) { channel { id } errors { code } } }"


@pytest.fixture
async def before(database: TestDatabase) -> AsyncIterator[Api]:
    """The api as it was, with the old key."""
    async with running(database.settings) as found:
        yield found


@pytest.fixture
async def after(database: TestDatabase) -> AsyncIterator[Api]:
    """The api over the same rows, with another key only."""
    async with running(database.settings.model_copy(update={"secret_keys": (SecretStr(NEW),)})) as found:
        yield found


@pytest.fixture
async def page(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(
        brand, Network.FACEBOOK, external_id="1234", credentials={"app_secret": "the old one", "verify_token": "old"}
    )


async def _rest(api: Api, method: str, path: str, brand: HouseBrand, body: Any, **headers: str) -> httpx.Response:
    address = f"/v1/brands/{typeid(Prefix.BRAND, brand.brand_id)}{path}"
    headers = {"authorization": f"Bearer {brand.api_key}", **headers}
    return await api.client.request(method, address, json=body, headers=headers)


async def _secret(db: Database, channel: HouseChannel, *keys: str) -> tuple[tuple[str, ...], str | None]:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        hook = (await hooks.by_ids(session, scope, [channel.channel.hook_id]))[channel.channel.hook_id]
    secret = hooks.open_secret(Vault(keys), hook.id, hook.secret)
    return secret.keys, secret.verify_token


async def test_new_credentials_are_taken_and_stand_alone(
    after: Api, brand: HouseBrand, page: HouseChannel, app_db: Database
) -> None:
    answer = await _rest(
        after, "PATCH", f"/channels/{typeid(Prefix.CHANNEL, page.id)}", brand,
        {"credentials": {"app_secret": "the new one", "verify_token": "new"}},
    )  # fmt: skip

    assert answer.status_code == 200, answer.text
    assert await _secret(app_db, page, NEW) == (("the new one",), "new")


async def test_new_credentials_are_taken_over_graphql_too(
    after: Api, brand: HouseBrand, page: HouseChannel, app_db: Database
) -> None:
    given = {"id": typeid(Prefix.CHANNEL, page.id), "credentials": {"app_secret": "the new one"}}
    data = await after.data(RENEW, brand.api_key, input=given)

    assert data == {"updateChannel": {"channel": {"id": given["id"]}, "errors": []}}
    assert await _secret(app_db, page, NEW) == (("the new one",), None)


async def test_a_signing_key_of_ours_waits_for_its_own_key_while_the_credentials_are_new(
    after: Api, house: House, brand: HouseBrand, app_db: Database
) -> None:
    letters = await house.channel(brand, credentials={"url": "https://old.example", "secret": "whsec_b2xk"})
    answer = await _rest(
        after, "PATCH", f"/channels/{typeid(Prefix.CHANNEL, letters.id)}", brand,
        {"credentials": {"url": "http://127.0.0.1:9/posts", "secret": "whsec_bmV3"}},
    )  # fmt: skip

    assert answer.status_code == 200, answer.text
    async with app_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        channel = await channels.get(session, scope, letters.id)
        login = await channels.login(session, scope, Vault([NEW]), channel)
    assert login.credentials["secret"] == "whsec_bmV3"
    assert await _secret(app_db, letters, NEW, "a key of the tests") == ((letters.secret,), None)


async def test_a_repeat_says_that_it_was_done_and_does_nothing_again(
    before: Api, after: Api, brand: HouseBrand
) -> None:
    body, key = {"text": "once"}, {"idempotency-key": "once"}
    first = await _rest(before, "POST", "/posts", brand, body, **key)
    again = await _rest(after, "POST", "/posts", brand, body, **key)

    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_sealed")
    assert again.json()["retryable"] is False
    listed = (await _rest(after, "GET", "/posts", brand, None)).json()["data"]
    assert [post["id"] for post in listed] == [first.json()["id"]]


async def test_a_repeat_over_graphql_says_so_too(before: Api, after: Api, brand: HouseBrand) -> None:
    before.headers = after.headers = {"idempotency-key": "once"}
    given = {"brandId": typeid(Prefix.BRAND, brand.brand_id), "text": "once"}
    await before.data(CREATE, brand.api_key, input=given)

    data = await after.data(CREATE, brand.api_key, input=given)

    assert data == {"createPost": {"post": None, "errors": [{"code": "IDEMPOTENCY_SEALED"}]}}
