"""The network is away for a while, in each of its ways, and a page's calls are counted where it has a budget."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.services.sandbox.conftest import Page, open_page
from tests.services.sandbox.test_deliveries import free_port, process


async def _away(network: httpx.AsyncClient, **effect: object) -> httpx.Response:
    return await network.post("/api/faults", json={"effect": {"type": "away", **effect}})


async def _back(network: httpx.AsyncClient, path: str = "/api/posts") -> float:
    """After how many seconds it answers again."""
    began = time.monotonic()
    async with asyncio.timeout(20):
        while True:
            try:
                if (await network.get(path)).status_code == 200:
                    return time.monotonic() - began
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def _ask_for(network: httpx.AsyncClient, seconds: float) -> None:
    """Ask until nobody listens; a connection that stood open is hung up first."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(httpx.RemoteProtocolError, httpx.ReadError):
            await network.get("/api/posts")
        await asyncio.sleep(0.02)


async def test_while_it_is_away_every_call_is_answered_so_and_afterwards_none(network: httpx.AsyncClient) -> None:
    await _away(network, seconds=1)
    for _ in range(3):
        assert (await network.get("/api/posts")).status_code == 503
    assert [one["effect"]["type"] for one in (await network.get("/api/faults")).json()["faults"]] == ["away"]
    assert await _back(network) <= 5
    assert (await network.get("/api/faults")).json()["faults"] == []


async def test_it_may_be_away_for_one_page_alone(network: httpx.AsyncClient, page: Page) -> None:
    bistro = await open_page(network, "bistro")
    await network.post(
        "/api/faults", json={"match": {"account": "cafe"}, "effect": {"type": "away", "seconds": 60, "status": 502}}
    )
    assert (await page.get("/me")).status_code == 502
    assert (await bistro.get("/me")).status_code == 200


async def test_while_it_is_away_connections_may_be_cut(network: httpx.AsyncClient) -> None:
    await _away(network, seconds=1, how="reset")
    for _ in range(2):
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await network.get("/api/posts")
    assert await _back(network) <= 5


async def test_while_it_is_away_nobody_may_listen_and_then_it_is_there_with_all_it_knew(tmp_path: Path) -> None:
    async with process(tmp_path, free_port()) as (_, client):
        page = await open_page(client)
        await page.publish(text="before")
        assert (await _away(client, seconds=4, how="refused")).status_code == 201
        with pytest.raises(httpx.ConnectError):
            await _ask_for(client, seconds=4)
        assert await _back(client) > 0
        assert [post["text"] for post in (await client.get("/api/posts")).json()["posts"]] == ["before"]


async def test_a_door_that_cannot_be_closed_says_so(network: httpx.AsyncClient) -> None:
    answer = await _away(network, how="refused")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


async def test_a_budget_counts_down_refuses_what_is_too_much_and_begins_anew(
    network: httpx.AsyncClient, page: Page
) -> None:
    await network.put("/api/accounts/cafe/habits", json={"budget": {"calls": 2, "seconds": 2}})
    answers = [await page.publish(text=f"news {number}") for number in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 429]
    assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["1", "0", "0"]
    wait = int(answers[2].headers["retry-after"])
    assert answers[2].headers["x-ratelimit-reset"] == str(wait)
    assert 1 <= wait <= 2
    assert (await page.get("/me")).status_code == 200, "what only reads is free"
    await asyncio.sleep(wait)
    assert (await page.publish(text="later")).status_code == 201
    assert (await page.get("/posts", since="2020-01-01T00:00:00Z")).json()["posts"][-1]["text"] == "later"


async def test_a_page_without_a_budget_is_not_counted(page: Page) -> None:
    assert "x-ratelimit-remaining" not in (await page.publish(text="news")).headers
