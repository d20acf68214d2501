"""A running door on loopback, someone who knocks, and a wire to PostgreSQL that can be cut."""

import asyncio
import base64
import contextlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg  # named in a quoted type
import httpx
import uvicorn

from services import serving
from services.connections import Connection
from services.ingest.app import Ingest
from shared.ids import new_uuid
from shared.settings import Settings
from tests.conftest import HouseChannel

Kept: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

DELIVERY = json.dumps(
    {"mentions": [{"id": "m1", "kind": "comment", "text": "Mooi!", "published_at": "2026-11-20T10:00:00Z"}]}
).encode()


def signed(secret: str, body: bytes, *, id: str | None = None, at: float | None = None) -> dict[str, str]:
    """Standard Webhooks headers over `body`."""
    message_id, stamp = id or f"msg_{new_uuid().hex}", str(int(at if at is not None else time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, "sha256")).decode()
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


@dataclass
class Doorstep:
    """In front of a running door."""

    url: str
    http: httpx.AsyncClient
    settings: Settings
    server: uvicorn.Server
    app: Ingest

    async def until_settled(self) -> None:
        """Until nothing that came here is on its way any more, answered or not."""
        async with asyncio.timeout(20):
            while self.server.server_state.tasks or self.app._group._pending:
                await asyncio.sleep(0.002)

    def place(self, channel: HouseChannel) -> str:
        return self.url + urlsplit(channel.webhook_url).path

    async def knock(
        self, channel: HouseChannel, body: bytes = DELIVERY, *, id: str | None = None, at: float | None = None,
        more: dict[str, str] | None = None,
    ) -> httpx.Response:  # fmt: skip
        headers = signed(channel.secret, body, id=id, at=at) | (more or {})
        return await self.http.post(self.place(channel), content=body, headers=headers)


@contextlib.asynccontextmanager
async def open_door(
    settings: Settings, *, connection: type[Connection] | None = None, silence: int = 75,
    around: Callable[[Ingest], Any] = lambda app: app,
) -> AsyncIterator[Doorstep]:  # fmt: skip
    """The whole service, served by its real server; over its own connections, or these, with something around it."""
    app = Ingest(settings)
    config = serving.configured(around(app), connection=connection or app.connection, proxy_headers=False, seconds=8)
    config.timeout_keep_alive = silence
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server._serve(sockets=[listening]))
    while not server.started:
        assert not running.done(), "the door did not open"
        await asyncio.sleep(0.01)
    try:
        async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=200)) as http:
            yield Doorstep(f"http://127.0.0.1:{listening.getsockname()[1]}", http, settings, server, app)
    finally:
        server.should_exit = True
        await running


@dataclass
class Wire:
    """Carries bytes to a server until it is cut."""

    host: str
    port: int
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None
    here: int = 0
    frozen: asyncio.Event = field(default_factory=asyncio.Event)

    async def lay(self) -> None:
        self.frozen.set()
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.here)
        self.here = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Every connection breaks, and new ones are refused."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, url: str) -> str:
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.here}"))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(self.host, self.port)
        self._writers |= {writer, to_there}
        both = [asyncio.create_task(self._pump(reader, to_there)), asyncio.create_task(self._pump(there, writer))]
        self._tasks |= set(both)
        await asyncio.wait(both)
        for end in (writer, to_there):
            end.close()
        self._writers -= {writer, to_there}
        self._tasks -= set(both)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                await self.frozen.wait()
                writer.write(piece)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[Wire]:
    parts = urlsplit(url)
    assert parts.hostname
    wire = Wire(parts.hostname, parts.port or 5432)
    await wire.lay()
    try:
        yield wire
    finally:
        wire.frozen.set()
        await wire.cut()


async def raw(url: str, request: bytes, *, then_close: bool = False) -> bytes:
    """What the server answers to these bytes on a fresh connection."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    with contextlib.suppress(OSError):
        await writer.drain()
    if then_close:
        writer.close()
        return b""
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    return answer


def json_of(answer: httpx.Response) -> Any:
    return json.loads(answer.content)
