"""Who follows a brand all along: a client of the subscription, and a reader of the table, both by number only."""

import asyncio
import contextlib
import json
from typing import Any

import asyncpg
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from shared.ids import Prefix, parse_typeid
from tests.faults.rig import Rig

_DOCUMENT = "subscription ($id: ID!, $after: Int) { mentions(brandId: $id, after: $after) { seq } }"
# InternalClientError: the driver's own, for a connection that is lost while a question is on its way.
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_PAGE = 5000


class Client:
    """Hears mention events over graphql-transport-ws; after a break it goes on from the last number it has."""

    def __init__(self, rig: Rig, brand: dict[str, Any]) -> None:
        self._url = rig.api.replace("http://", "ws://") + "/graphql"
        self._brand = brand
        self.seen: list[int] = []
        self.breaks = 0

    async def run(self) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError, WebSocketException, json.JSONDecodeError):
                await self._follow()
            self.breaks += 1
            await asyncio.sleep(0.2)

    async def _follow(self) -> None:
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(
            self._url, subprotocols=[protocol], proxy=None, open_timeout=5, ping_interval=5, ping_timeout=10
        ) as socket:
            key = {"authorization": f"Bearer {self._brand['api_key']}"}
            await socket.send(json.dumps({"type": "connection_init", "payload": key}))
            after = self.seen[-1] if self.seen else 0
            wanted = {"query": _DOCUMENT, "variables": {"id": self._brand["brand_id"], "after": after}}
            async for text in socket:
                message = json.loads(text)
                match message["type"]:
                    case "connection_ack":
                        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": wanted}))
                    case "next":
                        self.seen.append(message["payload"]["data"]["mentions"]["seq"])
                    case "error" | "complete":
                        return


class Table:
    """Reads the brand's events by number all along; what it has passed must never change or fill up."""

    def __init__(self, rig: Rig, brand: dict[str, Any]) -> None:
        self._rig = rig
        self._brand_id = parse_typeid(Prefix.BRAND, brand["brand_id"])
        self.seen: list[int] = []
        self.read_to = 0

    async def run(self) -> None:
        while True:
            with contextlib.suppress(*_AWAY):
                connection = await self._rig.look()
                try:
                    while True:
                        await self._read(connection)
                        await asyncio.sleep(0.1)
                finally:
                    connection.terminate()
            await asyncio.sleep(0.2)

    async def _read(self, connection: "asyncpg.Connection[Any]") -> None:
        rows = await connection.fetch(
            "SELECT seq FROM event WHERE brand_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            self._brand_id, self.read_to, _PAGE,
        )  # fmt: skip
        if rows:
            self.seen += [row["seq"] for row in rows]
            self.read_to = self.seen[-1]
