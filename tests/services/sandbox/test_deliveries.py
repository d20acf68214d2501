"""Webhooks: signed, repeated until taken, and not lost with the process."""

import asyncio
import hashlib
import hmac
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from services.sandbox.deliveries import wait_after
from tests.services.sandbox.conftest import Page, Receiver, open_page, say


async def test_a_change_is_delivered_signed_in_the_published_shape(
    network: httpx.AsyncClient, page: Page, receiver: Receiver
) -> None:
    await page.listen(receiver, "s3cret")
    post_id = await say(network, "Bonjour")
    (taken,) = await receiver.wait_for(1)
    expected = "sha256=" + hmac.new(b"s3cret", taken.body, hashlib.sha256).hexdigest()
    assert taken.headers["x-sandbox-signature"] == expected
    assert taken.headers["x-sandbox-delivery"].startswith("d_")
    assert taken.headers["content-type"] == "application/json"
    body = orjson.loads(taken.body)
    (change,) = body.pop("changes")
    assert body == {"object": "sandbox", "account": "cafe"}
    assert set(change) == {"number", "verb", "at", "post"}
    assert change["post"] == (await network.get(f"/api/posts/{post_id}")).json()
    assert [change] == (await page.get("/posts")).json()["changes"]


async def test_every_kind_of_change_is_delivered(network: httpx.AsyncClient, page: Page, receiver: Receiver) -> None:
    await page.listen(receiver)
    post_id = await say(network, kind="message")
    await network.patch(f"/api/posts/{post_id}", json={"text": "b"})
    await network.post(f"/api/posts/{post_id}/reactions", json={"as": "tom"})
    await network.post(f"/api/posts/{post_id}/reactions", json={"as": "tom", "on": False})
    await network.delete(f"/api/posts/{post_id}")
    taken = await receiver.wait_for(5)
    verbs = {orjson.loads(one.body)["changes"][0]["verb"] for one in taken}
    assert verbs == {"created", "edited", "reacted", "unreacted", "deleted"}


async def test_what_is_not_taken_comes_again_as_the_same_delivery(
    network: httpx.AsyncClient, page: Page, receiver: Receiver
) -> None:
    receiver.answers = [503]
    await page.listen(receiver)
    await say(network)
    first, second = await receiver.wait_for(2)
    assert (first.headers["x-sandbox-delivery"], first.body) == (second.headers["x-sandbox-delivery"], second.body)
    async with asyncio.timeout(30):
        while (await page.get("/me")).json()["webhook"]["waiting"]:
            await asyncio.sleep(0.02)
    assert (await page.get("/me")).json()["webhook"] == {"url": receiver.url, "waiting": 0, "given_up": 0}


async def test_nothing_is_delivered_after_the_webhook_is_removed(
    network: httpx.AsyncClient, page: Page, receiver: Receiver
) -> None:
    receiver.answers = [500]
    await page.listen(receiver)
    await say(network)
    await receiver.wait_for(1)
    assert (await network.delete("/api/v1/webhook", headers=page.headers)).status_code == 204
    await say(network)
    await asyncio.sleep(1.5)
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("url", ["ftp://x.example/", "nonsense", "http://", "http://[x/"])
async def test_an_address_that_cannot_be_called_is_refused(page: Page, url: str) -> None:
    answer = await page.client.put("/api/v1/webhook", json={"url": url, "secret": "s"}, headers=page.headers)
    assert answer.status_code == 422


def test_the_waits_double_up_to_a_minute() -> None:
    assert [wait_after(tries) for tries in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


# ---------------------------------------------------------------- the process itself


@asynccontextmanager
async def process(folder: Path, port: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """`python -m services.sandbox`, ready to be asked; killed afterwards where it still runs."""
    environment = {
        **os.environ, "PARVIS_DATA_DIR": str(folder), "PARVIS_SANDBOX_PORT": str(port), "PARVIS_HOST": "127.0.0.1"
    }  # fmt: skip
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.sandbox", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            await _until_ready(child, client)
            yield child, client
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _until_ready(child: asyncio.subprocess.Process, client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            assert child.returncode is None, "the network ended by itself"
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


async def test_posts_and_undelivered_changes_survive_kill_9(tmp_path: Path, receiver: Receiver) -> None:
    port, folder = free_port(), tmp_path / "a folder with spaces"
    receiver.answers = [503] * 20
    async with process(folder, port) as (child, client):
        page = await open_page(client)
        await page.listen(receiver)
        said = [await say(client, f"text {n}") for n in range(10)]
        child.send_signal(signal.SIGKILL)
        await child.wait()
    receiver.taken, receiver.answers = [], []
    async with process(folder, port) as (_, client):
        await receiver.wait_for(10)
        delivered = {orjson.loads(one.body)["changes"][0]["post"]["id"] for one in receiver.taken}
        assert delivered == set(said)
        listed = (await client.get("/api/posts", params={"account": "cafe"})).json()["posts"]
        assert [post["id"] for post in listed] == said[::-1]
        assert (await open_page(client)).headers == page.headers


async def test_it_leaves_within_seconds_when_asked_even_while_it_keeps_silent(tmp_path: Path) -> None:
    async with process(tmp_path, free_port()) as (child, client):
        await client.post("/api/faults", json={"effect": {"type": "timeout", "seconds": 600}})
        silent = asyncio.create_task(client.get("/api/accounts", timeout=60))
        await asyncio.sleep(0.3)
        child.terminate()
        async with asyncio.timeout(20):
            assert await child.wait() == 0
        # What the one who still waits gets is not promised: an error status or a closed connection.
        (outcome,) = await asyncio.gather(silent, return_exceptions=True)
        assert isinstance(outcome, httpx.TransportError) or (
            isinstance(outcome, httpx.Response) and outcome.status_code >= 500
        )
