"""What the door has in hand: bodies that come slowly, and repeats that wait, are in a budget before any is verified."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest

from tests.conftest import HouseChannel, TestDatabase
from tests.services.ingest.doorstep import Doorstep, open_door, wire_to

MOST = 400_000
SENT = 390_000  # of each slow body
ROOM = 16 * MOST


@contextlib.asynccontextmanager
async def slow_senders(door: Doorstep, channel: HouseChannel, count: int) -> AsyncIterator[list["asyncio.Task[bytes]"]]:
    """So many connections that stop before the end of their body; each task ends with the answer, where one comes."""
    parts = urlsplit(door.place(channel))
    head = f"POST {parts.path} HTTP/1.1\r\nhost: x\r\ncontent-length: {MOST}\r\n\r\n".encode()
    writers: list[asyncio.StreamWriter] = []
    answers: list[asyncio.Task[bytes]] = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writers.append(writer)
        answers.append(asyncio.create_task(reader.readuntil(b"\r\n\r\n")))
        writer.write(head + b"x" * SENT)
        await writer.drain()
    try:
        yield answers
    finally:
        for writer in writers:
            writer.close()
        await asyncio.gather(*answers, return_exceptions=True)


async def in_hand(door: Doorstep) -> int:
    """The bytes that the door has in hand, by its own count."""
    lines = (await door.http.get(f"{door.url}/metrics")).text.splitlines()
    return round(sum(float(line.split()[1]) for line in lines if line.startswith("parvis_door_held_bytes ")))


async def until_in_hand(door: Doorstep, size: int) -> None:
    async with asyncio.timeout(30):
        while await in_hand(door) != size:
            await asyncio.sleep(0.01)


async def test_slow_senders_fill_three_quarters_of_the_room_and_the_next_is_503(
    database: TestDatabase, channel: HouseChannel
) -> None:
    settings = database.settings.model_copy(update={"webhook_max_bytes": MOST})
    fit = ROOM * 3 // 4 // SENT
    async with open_door(settings) as door:
        async with slow_senders(door, channel, fit) as answers:
            await until_in_hand(door, fit * SENT)
            async with slow_senders(door, channel, 8) as more:
                refused = await asyncio.wait_for(asyncio.gather(*more), 30)
                assert all(b" 503 " in answer and b"retry-after: 5" in answer for answer in refused)
            large = await door.knock(channel, b"x" * MOST)
            assert (large.status_code, large.headers["retry-after"]) == (503, "5")
            assert (await door.knock(channel)).status_code == 200  # one that comes whole still has room
            assert await in_hand(door) == fit * SENT
            assert not any(answer.done() for answer in answers)

        await until_in_hand(door, 0)
        assert (await door.knock(channel, b"x" * MOST)).status_code == 200


async def test_what_ended_in_any_way_leaves_all_of_its_room(database: TestDatabase, channel: HouseChannel) -> None:
    settings = database.settings.model_copy(update={"webhook_max_bytes": MOST})
    async with open_door(settings) as door:
        async with slow_senders(door, channel, 3):
            await until_in_hand(door, 3 * SENT)  # and then cut off
        assert (await door.knock(channel, b"x" * MOST)).status_code == 200
        assert (await door.knock(channel, b"x" * MOST, at=0)).status_code == 401
        chunked = (b"x" * 1000 for _ in range(MOST // 1000 + 1))
        assert (await door.http.post(door.place(channel), content=_sent(chunked))).status_code == 413
        await until_in_hand(door, 0)


async def _sent(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_repeats_that_wait_for_their_first_one_are_in_the_budget(
    database: TestDatabase, channel: HouseChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "services.ingest.storing.COMMIT_SECONDS", 60.0
    )  # on a busy machine the frozen commit must not be given up
    async with wire_to(database.door_url) as wire:
        url = wire.url(database.door_url)
        settings = database.settings.model_copy(update={"door_database_url": url, "webhook_max_bytes": 5000})
        async with open_door(settings) as door:
            assert (await door.knock(channel)).status_code == 200
            wire.frozen.clear()
            knocking = [asyncio.create_task(door.knock(channel, b"x" * 5000, id="same")) for _ in range(30)]
            async with asyncio.timeout(30):
                while sum(knock.done() for knock in knocking) < 14:
                    await asyncio.sleep(0.01)
            done = [knock.result() for knock in knocking if knock.done()]
            assert {(one.status_code, one.headers["retry-after"]) for one in done} == {(503, "5")}
            assert len(done) == 14
            wire.frozen.set()
            answers = await asyncio.gather(*knocking)
    assert [answer.status_code for answer in answers].count(200) == 16
