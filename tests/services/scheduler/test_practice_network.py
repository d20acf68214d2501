"""Posts go to the practice network once, whatever it is told to do wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.sandbox.app import create_app
from shared.models.enums import Network, PostStatus
from tests.conftest import HouseChannel
from tests.services.sandbox.conftest import served
from tests.services.scheduler.conftest import Yard, until

PUBLISH = {"method": "POST", "path": "/api/v1/posts"}


async def channel(yard: Yard, client: httpx.AsyncClient) -> HouseChannel:
    opened = (await client.post("/api/accounts", json={"account": "dunes"})).json()
    return await yard.house.channel(
        yard.brand,
        Network.SANDBOX,
        external_id="dunes",
        base_url=str(client.base_url).rstrip("/"),
        credentials={"access_token": opened["token"]},
    )


async def posted(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/api/posts", params={"account": "dunes"})).json()["posts"]
    return found


@pytest.mark.parametrize(
    "effect",
    [
        None,
        {"type": "created_then_500"},
        {"type": "created_then_500", "show_late": 5},
        {"type": "created_then_400"},
        {"type": "reset"},
        {"type": "reset", "done": False},
        {"type": "timeout", "seconds": 3},
        {"type": "status", "status": 429, "retry_after": 1},
        {"type": "status", "status": 500},
        {"type": "show_late", "seconds": 5},
    ],
    ids=str,
)
async def test_a_post_is_there_once(yard: Yard, tmp_path: Path, effect: dict[str, Any] | None) -> None:
    async with (
        served(lambda url: create_app(tmp_path / "sandbox" / "sandbox.db", url)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
        yard.scheduler(),
    ):
        there = await channel(yard, client)
        if effect is not None:
            told = await client.post("/api/faults", json={"match": PUBLISH, "effect": effect, "count": 1})
            assert told.status_code == 201, told.text
        post = await yard.publish(there)
        await yard.becomes(post, PostStatus.PUBLISHED, 40)

        async def is_shown() -> bool:
            return bool(await posted(client))

        await until(is_shown)
        assert len(await posted(client)) == 1


async def test_an_expired_token_holds_the_post_until_the_channel_has_a_new_one(yard: Yard, tmp_path: Path) -> None:
    async with (
        served(lambda url: create_app(tmp_path / "sandbox" / "sandbox.db", url)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
        yard.scheduler(),
    ):
        there = await channel(yard, client)
        await client.post("/api/faults", json={"match": PUBLISH, "effect": "expired_token", "count": 1})
        post = await yard.publish(there)
        await yard.becomes(post, PostStatus.HELD)
        assert await posted(client) == []


async def test_a_post_whose_login_has_run_out_goes_out_once_with_a_new_one(yard: Yard, tmp_path: Path) -> None:
    async with (
        served(lambda url: create_app(tmp_path / "sandbox" / "sandbox.db", url)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
        yard.scheduler(),
    ):
        await client.post("/api/accounts", json={"account": "dunes"})
        pair = (await client.post("/api/accounts/dunes/login", json={})).json()
        there = await yard.house.channel(
            yard.brand,
            Network.SANDBOX,
            external_id="dunes",
            base_url=url,
            credentials={name: pair[name] for name in ("access_token", "refresh_token")},
        )
        later = datetime.now(UTC) + timedelta(hours=2)
        await client.post("/api/clock", json={"at": later.isoformat()})

        post = await yard.publish(there)
        await yard.becomes(post, PostStatus.PUBLISHED, 40)

        assert len(await posted(client)) == 1
