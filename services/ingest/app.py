"""The ingest service: the door ahead of everything, probes behind it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services import serving
from services.ingest.connection import DoorConnection
from services.ingest.door import PLACE, Door, Receive, Send
from services.ingest.group import Group
from services.ingest.hooks import Hooks
from services.local import folder
from services.problem import problem
from shared.queues import Queues, SettleArrivals
from shared.settings import Settings
from shared.vault import Vault

# The size in bytes of the buffer, and of what the door has in hand, as a multiple of the largest body: rows alone would
# not bound memory.
_BUFFER_BODIES = 16


class Ingest:
    """The ASGI application. Its connections open with its lifespan."""

    def __init__(self, settings: Settings) -> None:
        url, redis_url = serving.required(settings, "door_database_url", "redis_url")
        self._queues = Queues(redis_url)
        self._hooks = Hooks(url, Vault(folder.secret_keys(settings)))
        most_bytes = settings.webhook_max_bytes
        self._group = Group(
            url,
            rows=settings.door_buffer,
            size=_BUFFER_BODIES * most_bytes,
            on_commit=lambda: self._queues.ring(SettleArrivals()),
        )
        self._door = Door(self._hooks, self._group, most_bytes=most_bytes, room=_BUFFER_BODIES * most_bytes)
        self._rest = Starlette(
            routes=serving.probe_routes({"postgres": self._can_keep, "redis": self._queues.is_up}),
            exception_handlers={HTTPException: _problem},
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PLACE):
            await self._door(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    def connection(self, **more: Any) -> DoorConnection:
        """One caller's connection, from uvicorn's keywords; it hears plain deliveries without a call of the app."""
        return DoorConnection(self._door, **more)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self._hooks.open()
        await self._group.open()
        watching = asyncio.create_task(self._door.watch())
        try:
            yield
        finally:
            watching.cancel()
            await self._group.close()
            await self._hooks.close()
            await self._queues.close()

    async def _can_keep(self) -> bool:
        return self._group.is_ready


async def _problem(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = "There is nothing at this address." if status == 404 else "This address does not take that method."
    body, request_id = problem(status, "not_found" if status == 404 else "method_not_allowed", detail)
    headers = dict(getattr(error, "headers", None) or {}) | {"request-id": request_id}
    return Response(body, status, headers, "application/problem+json")
