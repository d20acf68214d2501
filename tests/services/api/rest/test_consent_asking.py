"""Asking for a consent: who may, to which frontend, by which app."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.db import Database
from shared.domain.brands import consents
from shared.models.enums import KeyScope
from tests.conftest import House, HouseBrand
from tests.services.api import journey
from tests.services.api.journey import RETURN, query_of
from tests.services.api.rest.conftest import Caller, problem
from tests.services.api.rest.consenting import authorize, connect, consented


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://front.example.evil.example/",
        "https://front.example@evil.example/",
        "https://front.example:444/",
        "http://front.example/",
        "https://front.example\\@evil.example/",
        "https://evil.example\\.front.example/",
        "//front.example/",
        "/channels",
        "javascript:alert(1)//https://front.example",
        "https://front.example/\r\nset-cookie: a=b",
        "https://front.exämple/",
        "https://front.example:x/",
        "",
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_no_frontends(caller: Caller, url: str) -> None:
    body = {"network": "sandbox", "base_url": "http://127.0.0.1:9", "return_url": url}
    refused = problem(await caller.post("/channels/authorize", body), 422)
    assert refused["errors"][0]["pointer"] == "/return_url"


@pytest.mark.parametrize("url", ["https://front.example", "https://FRONT.example:443/x", "http://127.0.0.1:8000/docs"])
async def test_a_frontends_origin_and_the_apis_own_are_allowed(
    caller: Caller, network: journey.Network, url: str
) -> None:
    assert await authorize(caller, network, return_url=url)


async def test_a_star_among_the_origins_sends_nobody_anywhere() -> None:
    with pytest.raises(Exception, match="PARVIS_CORS_ORIGINS"):
        consents.check_return_url("https://evil.example/", ["*"])


async def test_a_network_that_asks_nobody_says_how_to_connect_it(caller: Caller) -> None:
    answer = await caller.post("/channels/authorize", {"network": "generic", "return_url": RETURN})
    assert problem(answer, 422)["code"] == "no_consent"


async def test_a_network_with_servers_needs_one(caller: Caller) -> None:
    answer = await caller.post("/channels/authorize", {"network": "sandbox", "return_url": RETURN})
    assert problem(answer, 422)["errors"][0]["pointer"] == "/base_url"


async def test_a_server_on_a_private_address_is_not_asked(caller: Caller) -> None:
    body = {"network": "sandbox", "base_url": "https://10.0.0.1", "return_url": RETURN}
    assert problem(await caller.post("/channels/authorize", body), 422)["code"] == "address_not_allowed"


async def test_asking_needs_the_right_to_connect_channels(
    caller: Caller, network: journey.Network, house: House, brand: HouseBrand
) -> None:
    reader = caller.as_(await house.key(brand, KeyScope.READ))
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN}
    problem(await reader.post("/channels/authorize", body), 403)
    consent = await consented(caller, network)
    problem(await reader.get(f"/consents/{consent}"), 403)
    problem(await connect(reader, consent), 403)


async def test_a_repeat_under_the_same_key_is_the_same_question(caller: Caller, network: journey.Network) -> None:
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN}
    first, again = [
        await caller.post("/channels/authorize", body, headers={"idempotency-key": "once"}) for _ in range(2)
    ]
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


# ---------------------------------------------------------------- registering with a server


async def test_asking_many_at_once_registers_with_the_server_once(
    caller: Caller, network: journey.Network, owner_db: Database
) -> None:
    asked = await asyncio.gather(*(authorize(caller, network) for _ in range(5)))
    assert len({query_of(url)["client_id"] for url in asked}) == 1
    async with owner_db.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM app"))).scalar_one() == 1


async def test_a_server_that_does_not_register_us_can_be_asked_again(caller: Caller, network: journey.Network) -> None:
    await network.fault("POST /api/oauth/apps", "500")
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN}
    refused = problem(await caller.post("/channels/authorize", body), 503)
    assert refused["retryable"]
    assert await authorize(caller, network)


async def test_an_api_that_has_moved_registers_its_new_way_back(
    app: FastAPI, caller: Caller, network: journey.Network
) -> None:
    first = await authorize(caller, network)
    services = app.state.services
    moved = services.settings.model_copy(update={"api_url": "https://api.elsewhere.example/"})
    app.state.services = replace(services, settings=moved)
    again = await authorize(caller, network)
    assert query_of(again)["redirect_uri"] == "https://api.elsewhere.example/v1/oauth/sandbox/callback"
    assert query_of(again)["client_id"] != query_of(first)["client_id"]
    await network.allow(again)


async def test_a_server_that_has_forgotten_us_is_registered_with_again_before_a_person_is_sent_there(
    caller: Caller, network: journey.Network, tmp_path: Path
) -> None:
    first = await authorize(caller, network)
    with closing(sqlite3.connect(tmp_path / "sandbox.db")) as memory, memory:
        memory.execute("DELETE FROM client")
    asked = await asyncio.gather(*(authorize(caller, network) for _ in range(3)))
    assert len({query_of(url)["client_id"] for url in asked}) == 1
    assert query_of(asked[0])["client_id"] != query_of(first)["client_id"]
    await network.allow(asked[0])


async def test_a_page_of_the_server_names_the_server(
    caller: Caller, network: journey.Network, owner_db: Database
) -> None:
    await authorize(caller, network)
    assert (await authorize(caller, network, base_url=f"{network.url}/pages/cafe")).startswith(f"{network.url}/oauth/")
    async with owner_db.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM app"))).scalar_one() == 1
