"""The door while servers go and come back, while its buffer is full, and while it closes."""

import asyncio
import os
import signal
import socket
import sys
import time

import httpx

from shared.queues import SENDING_SECONDS
from shared.settings import Settings
from tests.conftest import HouseChannel, TestDatabase
from tests.services.ingest.doorstep import DELIVERY, Kept, json_of, open_door, signed, wire_to


async def test_while_postgres_is_away_the_answer_is_503_at_once_and_it_comes_back(
    database: TestDatabase, channel: HouseChannel, kept: Kept
) -> None:
    async with wire_to(database.door_url) as wire:
        settings = database.settings.model_copy(update={"door_database_url": wire.url(database.door_url)})
        async with open_door(settings) as door:
            assert (await door.knock(channel)).status_code == 200
            await wire.cut()
            await asyncio.sleep(0.1)
            began = time.monotonic()
            for _ in range(5):
                answer = await door.knock(channel)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert time.monotonic() - began < 5  # less than one wait for PostgreSQL
            ready = await door.http.get(f"{door.url}/readyz")
            assert (ready.status_code, json_of(ready)["postgres"]) == (503, "down")
            await wire.lay()
            async with asyncio.timeout(30):
                while (await door.knock(channel, id="after")).status_code != 200:
                    await asyncio.sleep(0.05)
            assert (await door.http.get(f"{door.url}/readyz")).status_code == 200
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 2


async def test_a_delivery_does_not_hang_when_postgres_says_nothing(
    database: TestDatabase, channel: HouseChannel
) -> None:
    async with wire_to(database.door_url) as wire:
        settings = database.settings.model_copy(update={"door_database_url": wire.url(database.door_url)})
        async with open_door(settings) as door:
            assert (await door.knock(channel)).status_code == 200
            wire.frozen.clear()
            began = time.monotonic()
            assert (await door.knock(channel)).status_code == 503
            assert time.monotonic() - began < 12
            wire.frozen.set()


async def test_what_was_answered_with_200_is_there_after_connections_broke(
    database: TestDatabase, channel: HouseChannel, kept: Kept
) -> None:
    async with wire_to(database.door_url) as wire:
        settings = database.settings.model_copy(update={"door_database_url": wire.url(database.door_url)})
        async with open_door(settings) as door:
            knocking = [asyncio.create_task(door.knock(channel, id=f"msg_{n}")) for n in range(100)]
            await asyncio.wait(knocking, return_when=asyncio.FIRST_COMPLETED)
            await wire.cut()
            await wire.lay()
            answers = await asyncio.gather(*knocking)
    accepted = {f"msg_{n}" for n, answer in enumerate(answers) if answer.status_code == 200}
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert accepted
    assert accepted <= {row["key"] for row in await kept.fetch("SELECT key FROM arrival")}


async def test_a_full_buffer_is_503_and_the_others_are_kept(
    database: TestDatabase, channel: HouseChannel, kept: Kept
) -> None:
    async with wire_to(database.door_url) as wire:
        url = wire.url(database.door_url)
        settings = database.settings.model_copy(update={"door_database_url": url, "door_buffer": 3})
        async with open_door(settings) as door:
            await door.knock(channel)
            wire.frozen.clear()
            knocking = [asyncio.create_task(door.knock(channel)) for _ in range(10)]
            async with asyncio.timeout(30):
                while sum(knock.done() for knock in knocking) < 7:
                    await asyncio.sleep(0.01)
            done = [knock for knock in knocking if knock.done()]
            assert len(done) == 7
            assert {(d.result().status_code, d.result().headers["retry-after"]) for d in done} == {(503, "5")}
            wire.frozen.set()
            answers = await asyncio.gather(*knocking)
    assert [answer.status_code for answer in answers].count(200) == 3
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 4


async def test_without_redis_deliveries_are_kept_as_ever(database: TestDatabase, channel: HouseChannel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    settings = database.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0"})
    async with open_door(settings) as door:
        began = time.monotonic()
        for _ in range(10):
            assert (await door.knock(channel)).status_code == 200
        assert time.monotonic() - began < 10 * SENDING_SECONDS
        ready = await door.http.get(f"{door.url}/readyz")
        assert (ready.status_code, json_of(ready)) == (200, {"postgres": "up", "redis": "down"})


def environment(settings: Settings, port: int) -> dict[str, str]:
    assert settings.door_database_url is not None
    assert settings.redis_url is not None
    return {
        **os.environ,
        "PARVIS_DOOR_DATABASE_URL": settings.door_database_url,
        "REDIS_URL": settings.redis_url,
        "PARVIS_SECRET_KEYS": "a key of the tests",
        "PARVIS_INGEST_PORT": str(port),
    }


async def start(env: dict[str, str]) -> asyncio.subprocess.Process:
    argv = (sys.executable, "-m", "services.ingest")
    return await asyncio.create_subprocess_exec(*argv, env=env, stderr=asyncio.subprocess.PIPE)


async def until_ready(http: httpx.AsyncClient, url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await http.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_at_sigterm_what_was_taken_is_kept_and_answered_and_the_exit_is_clean(
    database: TestDatabase, channel: HouseChannel, kept: Kept
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = await start(environment(database.settings, port))
    try:
        async with httpx.AsyncClient(timeout=30) as http:
            await until_ready(http, url)
            place = url + channel.webhook_url[channel.webhook_url.index("/webhooks/") :]

            async def knock(n: int) -> int | None:
                headers = signed(channel.secret, DELIVERY, id=f"msg_{n}")
                try:
                    return (await http.post(place, content=DELIVERY, headers=headers)).status_code
                except httpx.TransportError:
                    return None

            knocking = [asyncio.create_task(knock(n)) for n in range(60)]
            await asyncio.wait(knocking, return_when=asyncio.FIRST_COMPLETED)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            answers = await asyncio.gather(*knocking)
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert time.monotonic() - began < 15
    assert process.returncode == 0
    assert b"Traceback" not in said
    accepted = {f"msg_{n}" for n, status in enumerate(answers) if status == 200}
    assert accepted
    assert accepted <= {row["key"] for row in await kept.fetch("SELECT key FROM arrival")}


async def test_a_taken_port_is_a_plain_sentence(database: TestDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await start(environment(database.settings, port))
        _, said = await process.communicate()
    assert process.returncode == 1
    assert f"can't listen on 127.0.0.1:{port}" in said.decode()
    assert "PARVIS_INGEST_PORT" in said.decode()
    assert "Traceback" not in said.decode()


async def test_a_role_that_row_security_does_not_bind_is_refused_in_a_sentence(database: TestDatabase) -> None:
    settings = database.settings.model_copy(update={"door_database_url": database.owner_url})
    process = await start(environment(settings, 1))
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert "the database role 'parvis_owner'" in said.decode()
    assert "Traceback" not in said.decode()
