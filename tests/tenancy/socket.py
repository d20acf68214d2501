"""A graphql-transport-ws client, spoken straight to the ASGI app."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI


@dataclass
class Socket:
    """One open WebSocket. `receive` raises Closed where the app closes it."""

    to_app: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    from_app: asyncio.Queue[MutableMapping[str, Any]] = field(default_factory=asyncio.Queue)
    subscriptions: int = 0

    async def send(self, message: dict[str, Any]) -> None:
        await self.to_app.put({"type": "websocket.receive", "text": json.dumps(message)})

    async def receive(self) -> dict[str, Any]:
        event = await self.from_app.get()
        if event["type"] == "websocket.close":
            raise Closed(event["code"])
        assert event["type"] == "websocket.send", event
        message: dict[str, Any] = json.loads(event["text"])
        return message

    async def subscribe(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Begin an operation; the first thing that is said about it."""
        self.subscriptions += 1
        payload = {"query": query, "variables": variables}
        await self.send({"id": str(self.subscriptions), "type": "subscribe", "payload": payload})
        async with asyncio.timeout(30):
            return await self.receive()


class Closed(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@asynccontextmanager
async def connected(app: FastAPI, key: str, **headers: str) -> AsyncIterator[Socket]:
    """A WebSocket whose `connection_init` was acknowledged. Raises Closed."""
    socket = Socket()
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws", "path": "/graphql",
        "raw_path": b"/graphql", "query_string": b"", "root_path": "", "headers": [(b"host", b"api"), *named],
        "client": ("127.0.0.1", 1), "server": ("api", 80), "subprotocols": ["graphql-transport-ws"], "state": {},
    }  # fmt: skip
    await socket.to_app.put({"type": "websocket.connect"})
    serving = asyncio.create_task(app(scope, socket.to_app.get, socket.from_app.put))
    try:
        async with asyncio.timeout(30):
            accepted = await socket.from_app.get()
            assert accepted["type"] == "websocket.accept", accepted
            await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}})
            assert (await socket.receive())["type"] == "connection_ack"
        yield socket
    finally:
        await socket.to_app.put({"type": "websocket.disconnect", "code": 1000})
        with suppress(TimeoutError):
            await asyncio.wait_for(serving, 30)
