"""The line to a fake network: it keeps what went over it, and answers in the network's place when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `cut`: the connection breaks after half of the body; `done`: the network still does what was asked."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after_seconds: float = 0
    cut: bool = False
    done: bool = False


@dataclass
class Line:
    """An ASGI app around the network's. `got` is each request as method, path and query, body.

    `echo` makes the answer of what was sent: the headers' values and the body, in one line.
    """

    app: Any
    got: list[tuple[str, str, bytes]] = field(default_factory=list)
    reply: Reply | None = None
    echo: Callable[[str], Reply] | None = None

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.got.append((scope["method"], f"{scope['path']}?{scope['query_string'].decode()}", body))
        if self.echo is not None:
            sent = " ".join([*(value.decode("latin-1") for _, value in scope["headers"]), body.decode()])
            await _answer(self.echo(sent), send)
            return
        if self.reply is None:
            await self.app(scope, _told_once(body, receive), send)
            return
        if self.reply.done:
            await self.app(scope, _told_once(body, receive), _unheard)
        await _answer(self.reply, send)


def _told_once(body: bytes, receive: Callable[[], Awaitable[Message]]) -> Callable[[], Awaitable[Message]]:
    told = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        found = next(told, None)
        return found if found is not None else await receive()

    return again


async def _unheard(message: Message) -> None:
    """What the network says is lost on the way."""


async def _answer(reply: Reply, send: Callable[[Message], Awaitable[None]]) -> None:
    await asyncio.sleep(reply.after_seconds)
    headers = {"content-length": str(len(reply.body)), **reply.headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    if reply.cut:
        # An app that returns before it is done makes the server break the connection off.
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        return
    await send({"type": "http.response.body", "body": reply.body})
