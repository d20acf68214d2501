"""The real practice network on loopback, and a receiver of webhooks that can be told what to answer."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from services.sandbox.app import create_app


@asynccontextmanager
async def served(make: Callable[[str], ASGIApp]) -> AsyncIterator[str]:
    """The app that `make` builds for its address, on a free port of loopback."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as door:
        door.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        config = uvicorn.Config(
            make(url), log_config=None, access_log=False, proxy_headers=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[door]))
        while not server.started:
            assert not serving.done(), "the server did not start"
            await asyncio.sleep(0.01)
        try:
            yield url
        finally:
            server.should_exit = True
            await serving


@dataclass
class Taken:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Who listens to the network's webhooks: keeps what came, answers with the next of `answers`, then with 200."""

    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def app(self, url: str) -> FastAPI:
        self.url = f"{url}/hook"
        app = FastAPI()

        @app.post("/hook")
        async def hook(request: Request) -> Response:
            self.taken.append(Taken(dict(request.headers), await request.body()))
            return Response(status_code=self.answers.pop(0) if self.answers else 200)

        return app

    async def wait_for(self, count: int, *, seconds: float = 40) -> list[Taken]:
        async with asyncio.timeout(seconds):
            while len(self.taken) < count:
                await asyncio.sleep(0.02)
        return self.taken


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    listening = Receiver()
    async with served(listening.app):
        yield listening


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a fresh practice network."""
    async with (
        served(lambda url: create_app(tmp_path / "sandbox" / "sandbox.db", url)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


@dataclass
class Page:
    """A brand's page as a program sees it: by its token."""

    client: httpx.AsyncClient
    headers: dict[str, str]

    async def get(self, path: str, **params: str | int) -> httpx.Response:
        return await self.client.get(f"/api/v1{path}", params=params, headers=self.headers)

    async def publish(self, **body: object) -> httpx.Response:
        return await self.client.post("/api/v1/posts", json=body, headers=self.headers)

    async def listen(self, receiver: Receiver, secret: str = "s3cret") -> None:
        answer = await self.client.put(
            "/api/v1/webhook", json={"url": receiver.url, "secret": secret}, headers=self.headers
        )
        assert answer.status_code == 200, answer.text


async def open_page(client: httpx.AsyncClient, account: str = "cafe") -> Page:
    answer = await client.post("/api/accounts", json={"account": account})
    return Page(client, {"Authorization": f"Bearer {answer.json()['token']}"})


@pytest.fixture
async def page(network: httpx.AsyncClient) -> Page:
    return await open_page(network)


async def say(client: httpx.AsyncClient, said: str = "hello", **more: object) -> str:
    """The id of something that lea says on the page cafe."""
    answer = await client.post("/api/say", json={"account": "cafe", "as": "lea", "text": said, **more})
    assert answer.status_code == 201, answer.text
    new_id: str = answer.json()["id"]
    return new_id
