"""A proxy before a real host: it passes everything on, and at the decisive moment kills who asked.

No timer finds the moment at which the host has just written the record, or is just about to be told to: the proxy does,
and the answer never arrives.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.connectors.loopback import serving

_HOPS = frozenset({"connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"})


@dataclass
class Cutting:
    """`kill` is called once for the next request to a path that ends with `path`, before or after the host was told."""

    host: str
    http: httpx.AsyncClient
    path: str
    url: str = ""
    kill: Callable[[], None] | None = None
    after: bool = True
    told: int = 0

    def cut_next(self, kill: Callable[[], None], *, after: bool) -> None:
        self.kill, self.after = kill, after

    async def pass_on(self, request: Request) -> Response:
        body = await request.body()
        kill: Callable[[], None] | None = None
        if request.url.path.endswith(self.path):
            self.told += 1
            kill, self.kill = self.kill, None
        if kill is not None and not self.after:
            kill()
            return Response(status_code=504)
        headers = {name: value for name, value in request.headers.items() if name not in _HOPS}
        there = f"{self.host}{request.url.path}"
        query = request.url.query
        answer = await self.http.request(
            request.method, f"{there}?{query}" if query else there, content=body, headers=headers
        )
        if kill is not None:
            kill()
            return Response(status_code=504)
        kept: dict[str, Any] = {name: value for name, value in answer.headers.items() if name not in _HOPS}
        return Response(answer.content, answer.status_code, kept)


@asynccontextmanager
async def cutting(host: str, path: str) -> AsyncIterator[Cutting]:
    """The proxy, on loopback for the time of the block."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        found = Cutting(host, http, path)
        app = Starlette(routes=[Route("/{path:path}", found.pass_on, methods=["GET", "POST"])])
        async with serving(app) as port:
            found.url = f"http://127.0.0.1:{port}"
            yield found
