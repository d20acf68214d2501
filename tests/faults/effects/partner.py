"""A partner's receiver for `generic`, which does all that it is asked: twice what it is asked twice, and it lies.

By the contract a receiver knows a repeat by its `webhook-id`. This one does not: whoever trusts that alone acts twice.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.faults.effects.lies import Lie

_LONGEST_SILENCE = 60.0


@dataclass
class Partner:
    """An ASGI app. Each spot is a path of its own: what it has done there, and the lies that it still has."""

    done: defaultdict[str, list[tuple[str, float]]] = field(default_factory=lambda: defaultdict(list))
    lies: dict[str, tuple[Lie, int]] = field(default_factory=dict)

    def lie(self, spot: str, lie: Lie) -> None:
        """The next requests to the spot are lied to, as often as the lie says."""
        self.lies[spot] = (lie, lie.times)

    def copies(self, spot: str) -> int:
        return len(self.done[spot])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        _, spot, *rest = request.url.path.split("/")
        await request.body()
        answer = await self._answer(request, spot, rest[0] if rest else None)
        await answer(scope, receive, send)

    async def _answer(self, request: Request, spot: str, asked: str | None) -> ASGIApp:
        lie = self._lie(spot, is_deed=asked is None)
        effect: dict[str, Any] = (lie.effect or {}) if lie is not None else {}
        answer: Response = JSONResponse({"error": "nothing was done"}, effect.get("status", 500))
        if asked is not None and lie is None:
            answer = self._look_up(spot, asked)
        elif asked is None and (lie is None or lie.done):
            self._do(spot, request.headers["webhook-id"], effect.get("show_late", 0.0))
            if lie is None:
                answer = JSONResponse({"id": f"{spot}-{len(self.done[spot])}"})
        match effect.get("type"):
            case "timeout":
                await _gone(request)
            case "reset":
                return _hang_up
        if effect.get("retry_after"):
            answer.headers["retry-after"] = str(effect["retry_after"])
        return answer

    def _lie(self, spot: str, *, is_deed: bool) -> Lie | None:
        lie, left = self.lies.get(spot, (None, 0))
        if lie is None or lie.effect is None or not left or not (is_deed or lie.to_all):
            return None
        self.lies[spot] = (lie, left - 1)
        return lie

    def _do(self, spot: str, key: str, late: float) -> None:
        self.done[spot].append((key, time.monotonic() + late))

    def _look_up(self, spot: str, key: str) -> Response:
        for number, (known, shown_at) in enumerate(self.done[spot], 1):
            if known == key and shown_at <= time.monotonic():
                return JSONResponse({"id": f"{spot}-{number}"})
        return JSONResponse({"error": "there is no such thing"}, 404)


async def _gone(request: Request) -> None:
    """Say nothing until the caller has given up."""
    async with asyncio.timeout(_LONGEST_SILENCE):
        while not await request.is_disconnected():
            await asyncio.sleep(0.05)


async def _hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    assert isinstance(transport, asyncio.Transport)
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
