"""graphql-transport-ws at the same address."""

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from graphql.execution.collect_fields import CollectedFields
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from shared.contract import Deleted
from shared.db import Database
from shared.domain.events import sequencer
from shared.ids import new_uuid
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.services.api.graphql.asking import Api, at, brand_id, hear, running, said

PROTOCOL = Subprotocol("graphql-transport-ws")
LISTEN = """subscription ($b: ID!, $after: Int) { mentions(brandId: $b, after: $after) {
  seq type mentionId mention { text author { handle } history { text } } } }"""


@asynccontextmanager
async def _listening(api: Api) -> AsyncIterator[str]:
    config = uvicorn.Config(api.app, lifespan="off", ws="websockets-sansio", log_config=None, port=0)
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/graphql"
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def address(api: Api) -> AsyncIterator[str]:
    async with _listening(api) as url:
        yield url


class Client:
    """A speaker of the protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self, seconds: float = 40) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.connection.recv(), seconds))
        return message

    async def begin(self, key: str) -> None:
        await self.say(type="connection_init", payload={"authorization": f"Bearer {key}"})
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, query: str, id_: str = "1", **variables: Any) -> None:
        await self.say(id=id_, type="subscribe", payload={"query": query, "variables": variables})

    async def closed(self) -> int:
        """The code with which the server ends."""
        async with asyncio.timeout(40):
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code


@asynccontextmanager
async def talking(address: str) -> AsyncIterator[Client]:
    async with connect(address, subprotocols=[PROTOCOL], proxy=None) as connection:
        yield Client(connection)


async def number(worker_db: Database) -> None:
    async with worker_db.session() as session:
        await sequencer.number(session, limit=1000)


async def test_events_come_numbered_and_go_on_after_a_number(
    address: str, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "one"))
    await number(worker_db)
    async with talking(address) as client:
        await client.begin(brand.api_key)
        await client.subscribe(LISTEN, b=brand_id(brand), after=0)
        first = (await client.hear())["payload"]["data"]["mentions"]
        assert (first["type"], first["mention"]["text"]) == ("MENTION_RECORDED", "one")
        assert first["mention"]["history"] == [{"text": "one"}]
        await hear(worker_db, channel, said("2", "two"), Deleted("1", at(1)))
        await number(worker_db)
        more = [(await client.hear())["payload"]["data"]["mentions"] for _ in range(2)]
        assert {(event["type"], event["mention"]["text"]) for event in more} == {
            ("MENTION_RECORDED", "two"),
            ("MENTION_DELETED", None),
        }
        assert first["seq"] < more[0]["seq"] < more[1]["seq"]
    async with talking(address) as client:
        await client.begin(brand.api_key)
        await client.subscribe(LISTEN, b=brand_id(brand), after=more[0]["seq"])
        assert (await client.hear())["payload"]["data"]["mentions"]["seq"] == more[1]["seq"]


async def test_without_a_number_only_what_comes_is_heard(
    address: str, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("old"))
    await number(worker_db)
    async with talking(address) as client:
        await client.begin(brand.api_key)
        await client.subscribe(LISTEN, b=brand_id(brand))
        heard = asyncio.create_task(client.hear())
        # What comes before the subscription stands is not heard; so something comes until one is.
        while not heard.done():
            await hear(worker_db, channel, said(new_uuid().hex, "new"))
            await number(worker_db)
            await asyncio.sleep(0.1)
        assert (await heard)["payload"]["data"]["mentions"]["mention"]["text"] == "new"


async def test_another_brands_events_are_never_heard(
    address: str, house: House, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    other = await house.brand("Other")
    await hear(worker_db, channel, said("1"))
    await number(worker_db)
    async with talking(address) as client:
        await client.begin(other.api_key)
        await client.subscribe(LISTEN, b=brand_id(brand), after=0)
        message = await client.hear()
        assert message["type"] == "error"
        assert [error["extensions"]["code"] for error in message["payload"]] == ["NOT_FOUND"]
        await client.subscribe(LISTEN, "2", b=brand_id(other), after=0)
        with pytest.raises(TimeoutError):
            await client.hear(1.5)


async def test_a_revoked_key_hears_nothing_more(
    address: str, brand: HouseBrand, channel: HouseChannel, worker_db: Database, owner_db: Database
) -> None:
    async with talking(address) as client:
        await client.begin(brand.api_key)
        await client.subscribe(LISTEN, b=brand_id(brand), after=0)
        async with owner_db.session() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("UPDATE api_key SET revoked_at = now()")
        await hear(worker_db, channel, said("1"))
        await number(worker_db)
        assert await client.closed() == 4403


async def test_queries_and_mutations_run_here_too(address: str, brand: HouseBrand) -> None:
    async with talking(address) as client:
        await client.begin(brand.api_key)
        await client.subscribe("{ viewer { organization { name } } }", "q")
        answer = await client.hear()
        assert answer["payload"]["data"] == {"viewer": {"organization": {"name": "Dunes NV"}}}
        assert await client.hear() == {"id": "q", "type": "complete"}
        await client.say(type="ping")
        assert await client.hear() == {"type": "pong"}
        await client.subscribe("{ nonsense }", "bad")
        refused = await client.hear()
        assert (refused["id"], refused["type"]) == ("bad", "error")


async def test_the_protocols_close_codes(address: str, brand: HouseBrand) -> None:
    async with talking(address) as client:
        await client.say(type="connection_init", payload={"authorization": "Bearer pv_wrong"})
        assert await client.closed() == 4403
    async with talking(address) as client:
        await client.say(type="connection_init")
        assert await client.closed() == 4401
    async with talking(address) as client:
        await client.subscribe(LISTEN, b=brand_id(brand))
        assert await client.closed() == 4401
    async with talking(address) as client:
        await client.connection.send("no json")
        assert await client.closed() == 4400
    async with talking(address) as client:
        await client.begin(brand.api_key)
        await client.say(type="connection_init", payload={})
        assert await client.closed() == 4429
    async with talking(address) as client:
        await client.begin(brand.api_key)
        await client.subscribe(LISTEN, "x", b=brand_id(brand))
        await client.subscribe(LISTEN, "x", b=brand_id(brand))
        assert await client.closed() == 4409
    async with connect(address, subprotocols=[Subprotocol("graphql-ws")], proxy=None) as connection:
        assert await Client(connection).closed() == 4406


async def test_sigterm_closes_open_streams_within_seconds(database: TestDatabase, brand: HouseBrand) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = database.settings
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PARVIS_")},
        "DATABASE_URL": str(settings.database_url), "REDIS_URL": str(settings.redis_url),
        "PARVIS_SECRET_KEYS": "a key of the tests", "PARVIS_API_PORT": str(port),
        "PARVIS_DATA_DIR": str(settings.data_dir),
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "services.api"], env=environment, stderr=subprocess.DEVNULL)
    try:
        async with httpx.AsyncClient() as client:
            for _ in range(300):
                try:
                    await client.get(f"http://127.0.0.1:{port}/healthz")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        async with talking(f"ws://127.0.0.1:{port}/graphql") as ws:
            await ws.begin(brand.api_key)
            await ws.subscribe(LISTEN, b=brand_id(brand), after=0)
            await asyncio.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            assert await ws.closed() in {1001, 1012}
        assert await asyncio.to_thread(process.wait, 20) == 0
    finally:
        process.kill()
        process.wait()


def _remembered() -> int:
    """How many collected selections the executor holds in this process."""
    return sum(isinstance(thing, CollectedFields) for thing in gc.get_objects())


async def test_a_long_subscription_remembers_nothing_of_events_that_went(
    address: str, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, *(said(f"m{n}") for n in range(60)))
    await number(worker_db)
    async with talking(address) as client:
        await client.begin(brand.api_key)
        gc.collect()
        before = _remembered()
        await client.subscribe(LISTEN, b=brand_id(brand), after=0)

        for _ in range(60):
            assert (await client.hear())["type"] == "next"

        gc.collect()
        assert _remembered() - before < 20


async def test_an_operation_past_the_keys_limit_is_refused_and_the_socket_stays(
    database: TestDatabase, brand: HouseBrand
) -> None:
    whole_minute = 60 - time.time() % 60
    if whole_minute < 5:  # the count begins anew with each minute of the clock
        await asyncio.sleep(whole_minute + 0.1)
    settings = database.settings.model_copy(update={"rate_limit": 3})
    async with running(settings) as api, _listening(api) as address, talking(address) as client:
        await api.data("{ viewer { user { name } } }", brand.api_key)
        await client.begin(brand.api_key)
        answers = []
        for number_ in range(4):
            await client.subscribe(
                LISTEN if number_ == 1 else "{ viewer { user { name } } }", id_=str(number_), b=brand_id(brand)
            )
            if number_ != 1:  # an open subscription says nothing yet
                answers.append(await client.hear())
                answers += [await client.hear()] if answers[-1]["type"] == "next" else []
        await client.say(type="ping")
        alive = await client.hear()

    assert [(answer["id"], answer["type"]) for answer in answers] == [
        ("0", "next"), ("0", "complete"), ("2", "error"), ("3", "error"),
    ]  # fmt: skip
    assert [answer["payload"][0]["extensions"]["code"] for answer in answers[2:]] == ["RATE_LIMITED"] * 2
    assert alive == {"type": "pong"}


async def test_a_subscription_past_the_keys_limit_is_refused(database: TestDatabase, brand: HouseBrand) -> None:
    settings = database.settings.model_copy(update={"rate_limit": 1})
    async with running(settings) as api, _listening(api) as address, talking(address) as client:
        await client.begin(brand.api_key)
        await client.subscribe(LISTEN, id_="1", b=brand_id(brand))
        for id_ in "23":  # the minute may end between two, so two are asked past it
            await client.subscribe(LISTEN, id_=id_, b=brand_id(brand))
        refused = await client.hear()

    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
