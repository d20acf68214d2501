"""A repeat of a request has no second effect."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.db import Database
from shared.ids import Prefix, typeid
from shared.models.enums import KeyScope
from tests.conftest import House, HouseBrand
from tests.services.api.rest.conftest import Caller, problem

POST = {"text": "Nieuwe openingsuren"}


async def _posts(caller: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await caller.get("/posts")).json()["data"]
    return found


async def test_a_repeat_gets_the_same_answer_and_no_second_effect(caller: Caller) -> None:
    key = {"idempotency-key": "order-7"}
    first = await caller.post("/posts", POST, headers=key)
    again = await caller.post("/posts", POST, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(await _posts(caller)) == 1


async def test_the_same_key_with_another_body_or_address_is_422(caller: Caller) -> None:
    key = {"idempotency-key": "order-7"}
    made = await caller.post("/posts", POST, headers=key)

    assert problem(await caller.post("/posts", {"text": "x"}, headers=key), 422)["code"] == "idempotency_mismatch"
    elsewhere = await caller.post(f"/posts/{made.json()['id']}/cancel", headers=key)
    assert problem(elsewhere, 422)["code"] == "idempotency_mismatch"


async def test_a_key_that_is_running_is_409(caller: Caller, brand: HouseBrand, app_db: Database) -> None:
    async with app_db.session() as session:
        name = f"{brand.user_id}:order-7"
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:n, 7205759))"), {"n": name})
        running = await caller.post("/posts", POST, headers={"idempotency-key": "order-7"})
    after = await caller.post("/posts", POST, headers={"idempotency-key": "order-7"})

    assert problem(running, 409)["code"] == "idempotency_running"
    assert after.status_code == 201


async def test_ten_at_once_with_one_key_have_one_effect(caller: Caller) -> None:
    key = {"idempotency-key": "order-7"}
    answers = await asyncio.gather(*(caller.post("/posts", POST, headers=key) for _ in range(10)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len(await _posts(caller)) == 1


async def test_an_effect_that_failed_leaves_no_row(caller: Caller) -> None:
    key = {"idempotency-key": "order-7"}
    problem(await caller.post("/posts", {"text": "x", "colour": "red"}, headers=key), 422)

    assert (await caller.post("/posts", POST, headers=key)).status_code == 201


async def test_another_user_may_use_the_same_key(caller: Caller, house: House, client: httpx.AsyncClient) -> None:
    other = await house.brand("Other")

    theirs = Caller(client, typeid(Prefix.BRAND, other.brand_id), other.api_key)
    key = {"idempotency-key": "order-7"}
    mine = await caller.post("/posts", POST, headers=key)
    second = await theirs.post("/posts", POST, headers=key)

    assert (mine.status_code, second.status_code) == (201, 201)
    assert "idempotency-replayed" not in second.headers


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9", "a\tb"])
async def test_a_key_that_cant_be_one_is_422(caller: Caller, key: str) -> None:
    response = await caller.post("/posts", POST, headers={"idempotency-key": key.encode("latin-1")})

    assert problem(response, 422)["code"] == "bad_idempotency_key"


async def test_connecting_twice_shows_the_secret_again_and_connects_once(caller: Caller) -> None:
    key = {"idempotency-key": "connect"}
    first = await caller.post("/channels", {"network": "generic"}, headers=key)
    again = await caller.post("/channels", {"network": "generic"}, headers=key)

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await caller.get("/channels")).json()["data"]) == 1


async def test_what_is_kept_does_not_hold_the_secret_in_clear(caller: Caller, owner_db: Database) -> None:
    made = await caller.post("/channels", {"network": "generic"}, headers={"idempotency-key": "connect"})

    async with owner_db.session() as session:
        kept = (await session.execute(text("SELECT answer::text FROM idempotency_key"))).scalar_one()
    assert made.json()["secret"] not in kept


async def test_nobody_is_shown_what_another_key_was_answered(caller: Caller, house: House, brand: HouseBrand) -> None:
    key = {"idempotency-key": "connect"}
    await caller.post("/channels", {"network": "generic"}, headers=key)
    other_user = await house.brand("Other")
    stranger = caller.as_(other_user.api_key)
    reader = caller.as_(await house.key(brand, KeyScope.READ))

    problem(await stranger.post("/channels", {"network": "generic"}, headers=key), 404)
    refused = problem(await reader.post("/channels", {"network": "generic"}, headers=key), 422)
    assert refused["code"] == "idempotency_mismatch"


async def test_whoever_loses_the_brand_loses_the_kept_answer(caller: Caller, owner_db: Database) -> None:
    key = {"idempotency-key": "connect"}
    await caller.post("/channels", {"network": "generic"}, headers=key)
    async with owner_db.session() as session:
        await session.execute(text('DELETE FROM "grant"'))

    problem(await caller.post("/channels", {"network": "generic"}, headers=key), 404)
