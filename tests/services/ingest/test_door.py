"""The table of cases at the door, against a running one."""

import asyncio
import gzip
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from shared.ids import Prefix, new_uuid, parse_typeid, typeid
from shared.models.enums import Network
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.services.ingest.doorstep import DELIVERY, Doorstep, Kept, json_of, open_door, raw, signed


def assert_problem(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = json_of(answer)
    assert set(body) == {"type", "title", "status", "detail", "code", "request_id", "retryable", "errors"}
    assert (body["status"], body["code"]) == (status, code)
    assert answer.headers["request-id"] == body["request_id"]


async def test_an_accepted_delivery_is_durable_before_the_answer(
    door: Doorstep, channel: HouseChannel, kept: Kept
) -> None:
    answer = await door.knock(channel)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = json_of(answer)
    assert set(body) == {"arrival_id", "duplicate"}
    assert body["duplicate"] is False
    row = await kept.fetchrow("SELECT * FROM arrival WHERE id = $1", parse_typeid(Prefix.ARRIVAL, body["arrival_id"]))
    assert row is not None
    assert bytes(row["body"]) == DELIVERY
    assert (row["state"], row["source"], row["network"]) == ("received", "webhook", "generic")
    assert (row["brand_id"], row["channel_id"]) == (channel.brand.brand_id, channel.id)


async def test_the_stamp_is_the_signed_time(door: Doorstep, channel: HouseChannel, kept: Kept) -> None:
    at = int(time.time()) - 120
    await door.knock(channel, at=at)
    assert await kept.fetchval("SELECT stamp FROM arrival") == datetime.fromtimestamp(at, UTC)


async def test_the_stamp_is_the_time_of_receiving_where_none_is_signed(
    door: Doorstep, house: House, brand: HouseBrand, kept: Kept
) -> None:
    channel = await house.channel(brand, Network.FACEBOOK, external_id="123", credentials={"app_secret": "s3cret"})
    body = b'{"object": "page", "entry": []}'
    signature = "sha256=" + hmac.digest(b"s3cret", body, "sha256").hex()
    answer = await door.http.post(door.place(channel), content=body, headers={"x-hub-signature-256": signature})
    assert answer.status_code == 200
    stamp, received_at = await kept.fetchrow("SELECT stamp, received_at FROM arrival")  # type: ignore[misc]
    assert stamp == received_at


async def test_a_repeat_is_a_duplicate_of_the_first_and_the_first_body_wins(
    door: Doorstep, channel: HouseChannel, kept: Kept
) -> None:
    first = json_of(await door.knock(channel, id="same"))
    second = json_of(await door.knock(channel, b'{"deleted": ["m1"]}', id="same"))
    assert second == {"arrival_id": first["arrival_id"], "duplicate": True}
    assert [bytes(row["body"]) for row in await kept.fetch("SELECT body FROM arrival")] == [DELIVERY]


async def test_ten_at_once_with_one_key_are_one_arrival(door: Doorstep, channel: HouseChannel, kept: Kept) -> None:
    answers = [json_of(a) for a in await asyncio.gather(*[door.knock(channel, id="same") for _ in range(10)])]
    assert len({answer["arrival_id"] for answer in answers}) == 1
    assert sorted(answer["duplicate"] for answer in answers) == [False] + [True] * 9
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 1


async def test_the_same_key_at_two_hooks_is_two_arrivals(
    door: Doorstep, house: House, channel: HouseChannel, kept: Kept
) -> None:
    other = await house.channel(channel.brand)
    answers = await asyncio.gather(door.knock(channel, id="same"), door.knock(other, id="same"))
    assert [json_of(answer)["duplicate"] for answer in answers] == [False, False]


async def test_two_doors_agree_on_one_arrival(database: TestDatabase, door: Doorstep, channel: HouseChannel) -> None:
    async with open_door(database.settings) as other:
        keys = [f"msg_{n}" for n in range(30)]
        here = asyncio.gather(*[door.knock(channel, id=key) for key in keys])
        there = asyncio.gather(*[other.knock(channel, id=key) for key in reversed(keys)])
        first, second = await here, list(reversed(await there))
    for one, another in zip(map(json_of, first), map(json_of, second), strict=True):
        assert one["arrival_id"] == another["arrival_id"]
        assert one["duplicate"] != another["duplicate"]


@pytest.mark.parametrize("seconds", [-301, 310])
async def test_a_stamp_more_than_300_seconds_off_is_401(door: Doorstep, channel: HouseChannel, seconds: int) -> None:
    assert_problem(await door.knock(channel, at=time.time() + seconds), 401, "bad_signature")


async def test_a_wrong_or_missing_signature_is_401_and_keeps_nothing(
    door: Doorstep, channel: HouseChannel, kept: Kept
) -> None:
    wrong = signed(channel.secret, DELIVERY + b" ")
    assert_problem(await door.http.post(door.place(channel), content=DELIVERY, headers=wrong), 401, "bad_signature")
    assert_problem(await door.http.post(door.place(channel), content=DELIVERY), 401, "bad_signature")
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 0


@pytest.mark.parametrize("id", ["hook_x", "", "hook_" + "7" * 27, "chan_01h2xcejqtf2nbrexx3vqjhp41", "%00", "a/b"])
async def test_a_malformed_hook_is_404(door: Doorstep, id: str) -> None:
    assert_problem(await door.http.post(f"{door.url}/webhooks/{id}", content=b"{}"), 404, "not_found")


async def test_an_unknown_hook_is_404(door: Doorstep) -> None:
    unknown = typeid(Prefix.HOOK, new_uuid())
    assert_problem(await door.http.post(f"{door.url}/webhooks/{unknown}", content=b"{}"), 404, "not_found")


async def test_a_removed_hook_is_404_within_two_seconds(
    door: Doorstep, channel: HouseChannel, database: TestDatabase
) -> None:
    assert (await door.knock(channel)).status_code == 200
    owner = await asyncpg.connect(database.app_url)
    async with owner.transaction():
        await owner.execute("SELECT parvis.scope($1::uuid[])", [channel.brand.brand_id])
        await owner.execute("UPDATE hook SET removed_at = now() WHERE id = $1", channel.channel.hook_id)
    await owner.close()
    await asyncio.sleep(2)
    assert_problem(await door.knock(channel), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_another_method_is_405_with_what_is_allowed(door: Doorstep, channel: HouseChannel, method: str) -> None:
    answer = await door.http.request(method, door.place(channel))
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_get_without_a_handshake_of_the_network_is_405(door: Doorstep, channel: HouseChannel) -> None:
    answer = await door.http.get(door.place(channel))
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


async def test_the_handshake_is_as_the_network_wants_it(door: Doorstep, house: House, brand: HouseBrand) -> None:
    credentials = {"app_secret": "s3cret", "verify_token": "open sésame"}
    channel = await house.channel(brand, Network.FACEBOOK, external_id="123", credentials=credentials)
    asked = {"hub.mode": "subscribe", "hub.challenge": "11587", "hub.verify_token": "open sésame"}
    right = await door.http.get(door.place(channel), params=asked)
    wrong = await door.http.get(door.place(channel), params=asked | {"hub.verify_token": "no"})
    assert (right.status_code, right.content) == (200, b"11587")
    assert wrong.status_code == 403


async def test_a_body_over_the_limit_is_413(database: TestDatabase, channel: HouseChannel, kept: Kept) -> None:
    async with open_door(database.settings.model_copy(update={"webhook_max_bytes": 5000})) as door:
        assert (await door.knock(channel, b"x" * 5000)).status_code == 200
        assert_problem(await door.knock(channel, b"x" * 5001), 413, "too_large")

        async def pieces() -> Any:
            for _ in range(40):
                yield b"x" * 1000

        chunked = await door.http.post(door.place(channel), content=pieces())
        assert_problem(chunked, 413, "too_large")
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 1


async def test_a_declared_size_over_the_limit_is_413_before_the_body_comes(
    door: Doorstep, channel: HouseChannel
) -> None:
    path = door.place(channel).removeprefix(door.url)
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999999\r\n\r\n"
    assert (await raw(door.url, head.encode())).startswith(b"HTTP/1.1 413")


async def test_a_truncated_body_is_not_kept(door: Doorstep, channel: HouseChannel, kept: Kept) -> None:
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed(channel.secret, DELIVERY).items())
    path = door.place(channel).removeprefix(door.url)
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(DELIVERY) + 10}\r\n{headers}\r\n"
    await raw(door.url, head.encode() + DELIVERY, then_close=True)
    assert (await door.knock(channel, id="after")).status_code == 200
    assert [row["key"] for row in await kept.fetch("SELECT key FROM arrival")] == ["after"]


async def test_a_body_that_does_not_come_is_408(
    door: Doorstep, channel: HouseChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.door.BODY_SECONDS", 0.1)
    path = door.place(channel).removeprefix(door.url)
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nslow"
    assert (await raw(door.url, head.encode())).startswith(b"HTTP/1.1 408")
    assert (await door.knock(channel)).status_code == 200


async def test_a_compressed_body_is_415(door: Doorstep, channel: HouseChannel) -> None:
    body = gzip.compress(DELIVERY)
    answer = await door.knock(channel, body, more={"content-encoding": "gzip"})
    assert_problem(answer, 415, "unsupported_encoding")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\xfe\x00", b"[" * 100_000, b'{"mentions": 7}'])
async def test_what_is_rightly_signed_is_kept_however_odd(
    door: Doorstep, channel: HouseChannel, kept: Kept, body: bytes
) -> None:
    assert (await door.knock(channel, body)).status_code == 200
    assert bytes(await kept.fetchval("SELECT body FROM arrival")) == body


async def test_a_key_of_ten_thousand_characters_is_kept_and_recognised(door: Doorstep, channel: HouseChannel) -> None:
    first = json_of(await door.knock(channel, id="k" * 10_000))
    assert json_of(await door.knock(channel, id="k" * 10_000)) == first | {"duplicate": True}
    assert json_of(await door.knock(channel, id="k" * 9_999 + "x"))["duplicate"] is False


async def test_a_paused_channel_still_hears(
    door: Doorstep, channel: HouseChannel, database: TestDatabase, kept: Kept
) -> None:
    app = await asyncpg.connect(database.app_url)
    async with app.transaction():
        await app.execute("SELECT parvis.scope($1::uuid[])", [channel.brand.brand_id])
        assert await app.execute("UPDATE channel SET status = 'paused'") == "UPDATE 1"
    await app.close()
    assert (await door.knock(channel)).status_code == 200
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 1


async def test_secrets_in_headers_are_not_kept(door: Doorstep, channel: HouseChannel, kept: Kept) -> None:
    canary = "canary-d41d8"
    secrets = dict.fromkeys(("authorization", "cookie", "x-hub-signature-256", "x-event-token", "x-api-key"), canary)
    more = {"x-shop-event": "review", "content-type": "application/json"}
    await door.knock(channel, id="msg_1", more=secrets | more)
    stored = await kept.fetchval("SELECT headers::text FROM arrival")
    assert canary not in stored
    headers = json.loads(stored)
    assert "webhook-signature" not in headers
    assert headers["x-shop-event"] == "review"
    assert headers["webhook-id"] == "msg_1"


async def test_a_new_arrival_rings(door: Doorstep, channel: HouseChannel) -> None:
    before = await sent(door)
    await door.knock(channel)
    async with asyncio.timeout(30):
        while await sent(door) == before:
            await asyncio.sleep(0.02)


async def sent(door: Doorstep) -> float:
    """How often the door rang so far, by its own count."""
    lines = (await door.http.get(f"{door.url}/metrics")).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("parvis_tasks_sent_total{"))


async def test_the_probes_answer(door: Doorstep) -> None:
    assert json_of(await door.http.get(f"{door.url}/healthz")) == {"status": "ok"}
    ready = await door.http.get(f"{door.url}/readyz")
    assert (ready.status_code, json_of(ready)) == (200, {"postgres": "up", "redis": "up"})
    metrics = (await door.http.get(f"{door.url}/metrics")).text
    assert "parvis_door_deliveries_total" in metrics
    assert_problem(await door.http.get(f"{door.url}/nothing"), 404, "not_found")
