"""A network's stand-in: a real HTTP server on loopback that answers what a test tells it to and keeps what it got."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import httpx
import uvicorn

from shared import http
from shared.settings import Settings

LOOPBACK = (ip_network("127.0.0.0/8"),)


def settings(**changes: Any) -> Settings:
    """Settings that allow loopback, and wait long enough for a busy machine: a test of patience gives its own."""
    return Settings(**{"private_networks": LOOPBACK, "send_timeout_seconds": 20, **changes})


@dataclass
class Got:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after_seconds: float = 0


@dataclass
class Receiver:
    """Answers by `(method, path)`, else by `otherwise`; `got` is every request, oldest first."""

    replies: dict[tuple[str, str], Reply] = field(default_factory=dict)
    otherwise: Reply = field(default_factory=lambda: Reply(404))
    got: list[Got] = field(default_factory=list)
    url: str = ""

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        self.got.append(Got(scope["method"], scope["path"], scope["query_string"].decode(), headers, body))
        reply = self.replies.get((scope["method"], scope["path"]), self.otherwise)
        if reply.after_seconds:
            await asyncio.sleep(reply.after_seconds)
        raw = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": reply.body})


@asynccontextmanager
async def serving(app: Any, **config: Any) -> AsyncIterator[int]:
    """Serve an ASGI app on a free port of loopback for the time of the block."""
    place = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            app, **{"log_level": "critical", "lifespan": "off", "ws": "none", "timeout_graceful_shutdown": 1, **config}
        )
    )
    task = asyncio.create_task(server.serve(sockets=[place]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield place.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        place.close()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    async with serving(found) as port:
        found.url = f"http://127.0.0.1:{port}"
        yield found


@asynccontextmanager
async def guarded(**changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The guarded client, allowed to call loopback."""
    async with http.client(settings(**changes)) as found:
        yield found
