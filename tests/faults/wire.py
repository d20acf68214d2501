"""One keep-alive HTTP/1.1 connection as a network holds it, and plain word on how a request failed."""

import asyncio
import time
from dataclasses import dataclass
from typing import NamedTuple

ANSWER_SECONDS = 15.0


class Answer(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Unreachable(Exception):
    """Nobody took the connection: nothing was sent."""


@dataclass
class Broken(Exception):
    """The request was written, and no whole answer came. Times are the monotonic clock's."""

    written_at: float
    broke_at: float
    why: str


class Wire:
    """One connection; opened at need, again after it broke."""

    def __init__(self, port: int, *, patience: float = ANSWER_SECONDS) -> None:
        self._port = port
        self._patience = patience
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """The answer to a request. Raises Unreachable or Broken."""
        if self._streams is None:
            try:
                async with asyncio.timeout(self._patience):
                    self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            except (OSError, TimeoutError) as error:
                raise Unreachable(type(error).__name__) from error
        lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        written_at = time.monotonic()
        try:
            async with asyncio.timeout(self._patience):
                return await self._exchange("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self.close()
            raise Broken(written_at, time.monotonic(), type(error).__name__) from error
        except BaseException:
            self.close()
            raise

    async def _exchange(self, request: bytes) -> Answer:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(head[0].split(" ", 2)[1]), headers, body)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None
