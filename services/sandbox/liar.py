"""The outermost layer: it reads every request whole, and answers some of them falsely, as the faults say."""

import asyncio
import socket
import struct
from typing import cast

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.sandbox import faults
from services.sandbox.faults import Asked, Effect
from services.sandbox.store import Store

BODY_LIMIT = 1024 * 1024
_NEVER = ("/api/faults", "/api/clock")


class Liar:
    """Bounds every body, then lets the app answer honestly, or lies."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app, self._store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            answer = _error(413, "too_large", f"a body has {BODY_LIMIT} bytes at most")
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        scope = _as_json(scope)
        effect = None
        if scope["path"].startswith("/api/") and not scope["path"].startswith(_NEVER):
            effect = faults.take(self._store, Asked(scope, body, self._store))
        if effect is None:
            await self._app(scope, _again(body, receive), send)
        else:
            await self._lie(effect, scope, body, receive, send)

    async def _lie(self, effect: Effect, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        if effect.type in {"status", "expired_token"}:
            await _refusal(effect)(scope, receive, send)
            return
        if effect.type == "away":
            if effect.how == "reset":
                await _reset(receive, send)
            else:
                await _error(effect.status or 503, "unavailable", "this network is away")(scope, receive, send)
            return
        answer = _Kept()
        if effect.done:
            await self._app({**scope, faults.WHIM: effect.whim}, _again(body, receive), answer.keep)
        match effect.type:
            case "timeout":
                if await _silence(receive, 60 if effect.seconds is None else effect.seconds):
                    await answer.give(scope, receive, send)
            case "created_then":
                if answer.status < 400:
                    await _error(effect.status or 500, "internal", "something went wrong here")(scope, receive, send)
                else:
                    await answer.give(scope, receive, send)
            case "reset":
                await _reset(receive, send)
            case "show_late" | "twice":
                await answer.give(scope, receive, send)


class _Kept:
    """An answer that was made but is held back."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    async def keep(self, message: Message) -> None:
        self._messages.append(message)

    @property
    def status(self) -> int:
        return cast("int", self._messages[0]["status"]) if self._messages else 503

    async def give(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._messages:
            await _error(503, "unavailable", "nothing was done")(scope, receive, send)
        for message in self._messages:
            await send(message)


def _as_json(scope: Scope) -> Scope:
    """A bare `curl -d` calls its body a form; to the API it is JSON. A browser's word is kept: pages can't forge it."""
    names = {name for name, _ in scope["headers"]}
    if not scope["path"].startswith("/api/") or b"sec-fetch-site" in names:
        return scope
    kept = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    return {**scope, "headers": [*kept, (b"content-type", b"application/json")]}


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None where it is larger than this network takes."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _silence(receive: Receive, seconds: float) -> bool:
    """Say nothing for so long; whether the asker is still there afterwards."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return True
    return False


async def _reset(receive: Receive, send: Send) -> None:
    """Cut the connection with a TCP reset. ASGI has no word for it, so this reaches for uvicorn's transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError("the practice network hung up")
    link = transport.get_extra_info("socket")
    if link is not None:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(effect: Effect) -> JSONResponse:
    if effect.type == "expired_token":
        return _error(401, "expired_token", "the token has expired")
    status = effect.status or 500
    code = {429: "rate_limited", 401: "invalid_token", 404: "not_found"}.get(status, "internal")
    answer = _error(status, code, "not now")
    if effect.retry_after is not None:
        answer.headers["Retry-After"] = str(effect.retry_after)
    return answer


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
