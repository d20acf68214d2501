"""Nobody waits for another's network, for another's channels, or for a page that is too large."""

import asyncio
import json
import uuid
from pathlib import Path

import httpx
import pytest

from services.ingest import handlers, keeping
from services.ingest.asking import Asking
from services.sandbox.app import create_app
from shared.contract import RawArrival
from shared.errors import Unavailable
from shared.models.enums import ArrivalSource, Network
from tests.conftest import NOW, House, HouseChannel
from tests.services.ingest.practice import Practice
from tests.services.sandbox.conftest import served

LOG = "/api/v1/posts"


async def test_a_host_that_gives_no_answer_delays_nobody_else(network: Practice, tmp_path: Path) -> None:
    silent = [await network.channel(f"silent-{number}") for number in range(6)]
    await network.fault(LOG, {"type": "timeout", "seconds": 30, "done": False}, count=100)
    async with (
        served(lambda url: create_app(tmp_path / "other" / "sandbox.db", url)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as people,
    ):
        await people.post("/api/accounts", json={"account": "elsewhere"})
        other = await _elsewhere(network, people, url)
        await network.all_due()
        asking = Asking(network.worker)
        began = asyncio.get_running_loop().time()
        await asking.round()
        while not (await network.row(other)).last_polled_at:
            await asyncio.sleep(0.05)
            assert asyncio.get_running_loop().time() - began < 3
        in_hand = await network.eyes.fetchval(
            "SELECT count(*) FROM due_poll WHERE leased_until > now() AND channel_id <> $1", other.id
        )
        await asking.finish(20)

    assert in_hand == 4  # no more at once of one host
    assert len(silent) == 6
    assert asyncio.get_running_loop().time() - began < 15  # a poll takes a bounded time


async def _elsewhere(network: Practice, people: httpx.AsyncClient, url: str) -> HouseChannel:
    token = (await people.post("/api/accounts", json={"account": "elsewhere"})).json()["token"]
    return await network.house.channel(
        network.brand, Network.SANDBOX, external_id="elsewhere", base_url=url, credentials={"access_token": token}
    )


async def test_a_brand_with_many_channels_does_not_keep_anothers_waiting(network: Practice, house: House) -> None:
    for number in range(40):
        await network.channel(f"many-{number}")
    other = await network.channel("one", brand=await house.brand("Other"))
    await network.eyes.execute("UPDATE due_poll SET due_at = now() - interval '1 hour'")
    await network.eyes.execute("UPDATE due_poll SET due_at = now() WHERE channel_id = $1", other.id)
    asking = Asking(network.worker)

    await asking.round()
    await asking.finish(30)

    polled = await network.eyes.fetchval("SELECT count(*) FROM channel WHERE last_polled_at IS NOT NULL")
    assert (await network.row(other)).last_polled_at is not None
    assert polled == 4


async def test_two_channels_that_are_told_to_slow_down_speak_for_their_host(network: Practice) -> None:
    for number in range(8):
        await network.channel(f"page-{number}")
    await network.fault(LOG, {"type": "status", "status": 429, "retry_after": 600}, count=100)
    asking = Asking(network.worker)
    await network.all_due()

    while not await asking.round():
        await asking.finish(30)

    untouched = await network.eyes.fetchval("SELECT count(*) FROM due_poll WHERE failures = 0")
    assert untouched == 4
    assert await network.eyes.fetchval("SELECT count(*) FROM due_poll WHERE due_at < now()") == 4


def big(number: int, size: int) -> RawArrival:
    change = {"verb": "created", "post": {"id": f"p{number}", "kind": "post", "text": "x" * size}}
    body = json.dumps({"object": "sandbox", "account": "cafe", "changes": [change]}).encode()
    return RawArrival(f"key {number}\x00" + "k" * 300, body, NOW, {"source": "no\x00ne"})


async def test_a_page_of_many_things_is_kept_in_runs(network: Practice) -> None:
    channel = await network.channel()
    arrivals = [big(number, 9_000) for number in range(1_200)]
    seen: list[int] = []

    async def also(_session: object, _scope: object) -> bool:
        seen.append(await network.eyes.fetchval("SELECT count(*) FROM arrival"))
        return True

    row = await network.row(channel)
    await keeping.keep(network.worker, row, ArrivalSource.POLL, arrivals, also)
    await keeping.keep(network.worker, row, ArrivalSource.POLL, arrivals, also)
    await handlers.drain(network.worker)

    in_a_run = 4 * 1024 * 1024 // len(arrivals[-1].body)
    assert seen == [2 * in_a_run, 1200]
    assert len(await network.texts()) == 1200


def test_a_page_that_is_too_large_is_said_to_be_so() -> None:
    body = uuid.uuid4().bytes
    with pytest.raises(Unavailable, match="more than is taken at once"):
        keeping.bounded(Network.SANDBOX, [RawArrival(str(n), body, NOW) for n in range(10_001)])
