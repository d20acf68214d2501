"""Plain deliveries, which a connection hears by itself."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.connections import LONGEST_HEAD
from services.ingest.app import Ingest
from services.ingest.connection import DoorConnection
from services.ingest.storing import NewArrival, connect, store
from services.ingest.tally import Tally
from shared.ids import new_uuid
from tests.conftest import HouseChannel, TestDatabase
from tests.services.ingest.doorstep import DELIVERY, Doorstep, Kept, open_door, raw, signed, wire_to

ACCEPTED = (
    rb"^HTTP/1.1 200 OK\r\ndate: [^\r]+\r\ncontent-type: application/json\r\ncontent-length: 65\r\n\r\n"
    rb"{\"arrival_id\":\"arr_[0-9a-z]{26}\",\"duplicate\":false}$"
)


@pytest.fixture(autouse=True)
def long_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.hooks.REMEMBER_SECONDS", 60.0)


def request(channel: HouseChannel, body: bytes = DELIVERY, *, id: str | None = None, more: str = "") -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed(channel.secret, body, id=id).items())
    path = urlsplit(channel.webhook_url).path
    return f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{headers}{more}\r\n".encode() + body


class Line:
    """A connection to the door on which a test speaks and listens."""

    def __init__(self, door: Doorstep) -> None:
        self._door = door

    async def __aenter__(self) -> "Line":
        parts = urlsplit(self._door.url)
        self.reader, self.writer = await asyncio.open_connection(parts.hostname, parts.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    @property
    def there(self) -> DoorConnection:
        """Its other end."""
        here = self.writer.get_extra_info("sockname")
        ends = self._door.server.server_state.connections
        [found] = [it for it in ends if isinstance(it, DoorConnection) and it.client == here]
        return found

    async def answer(self) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(b"}"), 20)


class Asked:
    """The paths for which the ASGI application was called."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def around(self, app: Ingest) -> Any:
        async def asked(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.paths.append(scope["path"])
            await app(scope, receive, send)

        return asked


async def test_a_plain_delivery_of_a_remembered_hook_is_no_asgi_request(
    database: TestDatabase, channel: HouseChannel, kept: Kept
) -> None:
    asked = Asked()
    async with open_door(database.settings, around=asked.around) as door, Line(door) as line:
        assert (await door.knock(channel)).status_code == 200
        assert len(asked.paths) == 1
        for _ in range(3):
            line.writer.write(request(channel))
            assert re.match(ACCEPTED, await line.answer())
        assert len(asked.paths) == 1
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 4


async def test_a_body_that_comes_later_and_looks_like_a_request_is_a_body(
    door: Doorstep, channel: HouseChannel, kept: Kept
) -> None:
    assert (await door.knock(channel)).status_code == 200
    inner = request(channel, id="inner")
    whole = request(channel, inner, id="outer")
    async with Line(door) as line:
        line.writer.write(whole[: -len(inner)])
        await asyncio.sleep(0.05)
        line.writer.write(inner)
        assert b'"duplicate":false' in await line.answer()
    rows = await kept.fetch("SELECT key, body FROM arrival WHERE key IN ('inner', 'outer')")
    assert [(row["key"], bytes(row["body"])) for row in rows] == [("outer", inner)]


async def test_what_goes_on_with_a_head_is_no_delivery_although_it_looks_like_one(
    door: Doorstep, channel: HouseChannel, kept: Kept
) -> None:
    assert (await door.knock(channel)).status_code == 200
    async with Line(door) as line:
        line.writer.write(b"GET /healthz HTTP/1.1\r\nx-more: ")
        await asyncio.sleep(0.05)
        line.writer.write(request(channel, id="inner"))
        assert b'"status":"ok"' in await line.answer()
    assert await kept.fetchval("SELECT count(*) FROM arrival WHERE key = 'inner'") == 0


async def test_answers_come_in_the_order_of_the_requests(database: TestDatabase, channel: HouseChannel) -> None:
    asks = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    async with wire_to(database.door_url) as wire:
        settings = database.settings.model_copy(update={"door_database_url": wire.url(database.door_url)})
        async with open_door(settings) as door, Line(door) as line:
            assert (await door.knock(channel)).status_code == 200
            wire.frozen.clear()
            for said in (request(channel, id="a"), asks, request(channel, id="b"), asks):
                line.writer.write(said)
                await asyncio.sleep(0.05)  # so that each is read for itself
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(line.reader.readexactly(1), 0.2)
            wire.frozen.set()
            answers = [await line.answer() for _ in range(4)]
    assert [b"arrival_id" in one for one in answers] == [True, False, True, False]


async def test_a_delivery_that_is_durable_sooner_waits_for_the_answer_to_the_one_before(
    database: TestDatabase, door: Doorstep, channel: HouseChannel
) -> None:
    assert (await door.knock(channel)).status_code == 200
    assert channel.channel.hook_id is not None
    connection, statement = await connect(database.door_url)
    others = connection.transaction()
    await others.start()
    now = datetime.now(UTC)
    await store(connection, statement, [NewArrival(new_uuid(), channel.channel.hook_id, "a", "{}", b"", now, now)])
    async with Line(door) as line:
        for key in ("a", "b"):
            line.writer.write(request(channel, id=key))
            await asyncio.sleep(0.2)  # after which the second one does not wait for the commit of the first
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.reader.readexactly(1), 0.2)
        await others.rollback()
        assert b'"duplicate":false' in await line.answer()
        assert b'"duplicate":false' in await line.answer()
    await connection.close()


async def test_a_stop_waits_for_a_delivery_that_waits_for_its_commit(
    database: TestDatabase, channel: HouseChannel, kept: Kept
) -> None:
    async with wire_to(database.door_url) as wire:
        settings = database.settings.model_copy(update={"door_database_url": wire.url(database.door_url)})
        async with open_door(settings) as door, Line(door) as line:
            assert (await door.knock(channel)).status_code == 200
            wire.frozen.clear()
            line.writer.write(request(channel, id="late"))
            async with asyncio.timeout(20):
                while not door.app._group._pending:
                    await asyncio.sleep(0.002)
            door.server.should_exit = True
            await asyncio.sleep(0.5)  # for longer than the server takes to look
            wire.frozen.set()
            said = await asyncio.wait_for(line.reader.read(), 20)  # to its end
    assert b" 200 OK" in said
    assert b"connection: close" in said
    assert "late" in {row["key"] for row in await kept.fetch("SELECT key FROM arrival")}


async def test_a_caller_that_does_not_read_is_not_written_to(door: Doorstep, channel: HouseChannel, kept: Kept) -> None:
    assert (await door.knock(channel)).status_code == 200
    async with Line(door) as line:
        line.writer.write(request(channel))
        await line.answer()
        line.there.pause_writing()  # as the transport does when its buffer is full
        line.writer.write(request(channel, id="unread"))
        async with asyncio.timeout(20):
            while await kept.fetchval("SELECT count(*) FROM arrival WHERE key = 'unread'") == 0:
                await asyncio.sleep(0.005)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.reader.readexactly(1), 0.2)
        line.there.resume_writing()
        assert b'"duplicate":false' in await line.answer()


async def test_a_caller_that_hangs_up_before_its_answer_leaves_nothing_behind(
    database: TestDatabase, channel: HouseChannel, kept: Kept
) -> None:
    async with wire_to(database.door_url) as wire:
        settings = database.settings.model_copy(update={"door_database_url": wire.url(database.door_url)})
        async with open_door(settings) as door:
            assert (await door.knock(channel)).status_code == 200
            wire.frozen.clear()
            async with Line(door) as line:
                line.writer.write(request(channel, id="gone"))
                async with asyncio.timeout(20):
                    while not door.app._group._pending:
                        await asyncio.sleep(0.002)
            wire.frozen.set()
            await door.until_settled()
            assert door.app._door._held == 0
            assert (await door.knock(channel)).status_code == 200
    assert "gone" in {row["key"] for row in await kept.fetch("SELECT key FROM arrival")}


async def test_silence_is_measured_from_the_last_answer(database: TestDatabase, channel: HouseChannel) -> None:
    loop = asyncio.get_running_loop()
    async with open_door(database.settings, silence=2) as door, Line(door) as line:
        assert (await door.knock(channel)).status_code == 200
        for _ in range(3):
            await asyncio.sleep(1)
            line.writer.write(request(channel))
            await line.answer()
        spoke = loop.time()
        assert await asyncio.wait_for(line.reader.read(), 20) == b""
        assert loop.time() - spoke > 1.9


async def test_a_head_begun_after_an_answer_is_given_up(database: TestDatabase, channel: HouseChannel) -> None:
    async with open_door(database.settings, silence=1) as door, Line(door) as line:
        assert (await door.knock(channel)).status_code == 200
        line.writer.write(request(channel))
        await line.answer()
        line.writer.write(b"POST /webhooks/")
        assert await asyncio.wait_for(line.reader.read(), 20) == b""


async def test_a_head_that_is_too_long_is_431_here_too(door: Doorstep, channel: HouseChannel) -> None:
    assert (await door.knock(channel)).status_code == 200
    head, _, _ = request(channel, more=f"x-more: {'m' * LONGEST_HEAD}\r\n").partition(b"\r\n\r\n")
    assert (await raw(door.url, head + b"\r\n\r\n")).startswith(b"HTTP/1.1 431 ")


def test_a_tally_tells_what_it_was_given() -> None:
    tally = Tally()
    for outcome, seconds in (("accepted", 0.0005), ("accepted", 0.001), ("duplicate", 3.0), ("unavailable", 60.0)):
        tally.add(outcome, seconds)
    tally.leave("gone")
    samples = {
        (sample.name, *sample.labels.values()): sample.value for metric in tally.collect() for sample in metric.samples
    }
    assert samples["parvis_door_deliveries_total", "accepted"] == 2
    assert samples["parvis_door_deliveries_total", "gone"] == 1
    assert samples["parvis_door_seconds_bucket", "0.001"] == 2
    assert samples["parvis_door_seconds_bucket", "5.0"] == 3
    assert samples["parvis_door_seconds_bucket", "+Inf"] == samples["parvis_door_seconds_count",] == 4
    assert samples["parvis_door_seconds_sum",] == pytest.approx(63.0015)
