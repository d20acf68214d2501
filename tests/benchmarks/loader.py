"""Load on a door: requests made beforehand, sent over connections that each wait for their answer, times kept.

It speaks just enough HTTP/1.1 for one answer at a time over a kept connection, so that it costs less than any server.
"""

import asyncio
import base64
import hmac
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from tests.benchmarks.measuring import percentile

_GIVE_UP = 60.0


@dataclass
class Load:
    """What became of the requests: seconds in all, answers by status, the time of each, and which were acknowledged."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    duplicates: int = 0
    broken: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    def percentile(self, share: float) -> float:
        """The time, in milliseconds, within which this share of the answers came."""
        return percentile(self.times, share) * 1000


class _Sender(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer to the last is whole."""

    def __init__(self, requests: Iterator[tuple[int, bytes]], load: Load, done: "asyncio.Future[None]") -> None:
        self._requests, self._load, self.done = requests, load, done
        self._buffer, self._number, self._began = b"", 0, 0.0
        self._waits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        following = next(self._requests, None)
        self._waits = following is not None
        if following is None:
            self._transport.close()
            return
        self._number, request = following
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        answer = self._buffer + data if self._buffer else data
        head = answer.find(b"\r\n\r\n")
        if head < 0 or len(answer) < head + 4 + _length(answer, head):
            self._buffer = answer
            return
        self._buffer = b""
        load = self._load
        load.times.append(time.perf_counter() - self._began)
        status = int(answer[9:12])
        load.statuses[status] += 1
        if 200 <= status < 300:
            load.acknowledged.append(self._number)
            load.duplicates += b'"duplicate":true' in answer
        self._next()

    def connection_lost(self, _: Exception | None) -> None:
        self._load.broken += self._waits
        if not self.done.done():
            self.done.set_result(None)


def _length(answer: bytes, head: int) -> int:
    at = answer.find(b"content-length: ", 0, head)
    return int(answer[at + 16 : answer.find(b"\r\n", at)]) if at >= 0 else 0


async def send(url: str, requests: Sequence[bytes], *, connections: int) -> Load:
    """Send every request once over this many connections, each waiting for its answer before it sends the next."""
    place, load = urlsplit(url), Load()
    host, port = str(place.hostname), place.port or 80
    loop, numbered = asyncio.get_running_loop(), iter(enumerate(requests))
    began = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: _Sender(numbered, load, loop.create_future()), host, port)
        for _ in range(connections)
    ]
    async with asyncio.timeout(_GIVE_UP):
        await asyncio.gather(*(sender.done for _, sender in opened))
    load.seconds = time.perf_counter() - began
    return load


# ---------------------------------------------------------------- what is sent


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes whole requests to one hook, as Standard Webhooks sends them."""

    path: str
    secret: str

    def request(self, message_id: str, body: bytes) -> bytes:
        """A request with a body of its own under an id of its own, signed now."""
        stamp = str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{message_id}.{stamp}.".encode() + body
        signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: door.example\r\nUser-Agent: loader/1\r\nAccept: */*\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nwebhook-id: {message_id}\r\n"
            f"webhook-timestamp: {stamp}\r\nwebhook-signature: v1,{signature}\r\n\r\n"
        )
        return head.encode() + body


def delivery(name: str, size: int) -> bytes:
    """The body of a delivery with one mention, filled up to exactly `size` bytes by its text."""
    frame = (
        f'{{"mentions":[{{"id":"{name}","kind":"comment","text":"%s","author":{{"id":"noor","name":"Noor"}},'
        '"published_at":"2026-11-20T10:00:00Z"}]}'
    )
    room = size - len(frame) + 2
    text = ("Le café était froid et personne n'a répondu. " * (room // 40 + 1)).encode("ascii", "ignore").decode()
    return (frame % text[:room]).encode()
