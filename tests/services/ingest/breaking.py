"""A worker's line to PostgreSQL, on which one thing goes wrong at one message."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, assert_never
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shared.db import Database, Session

WORKER = "crashing worker"


class Kind(StrEnum):
    """What goes wrong."""

    CUT = "the message never arrives and the connection breaks"
    DEAF = "the message is carried out and its answer never comes"
    TERMINATED = "the server ends the connection"
    CANCELLED = "the worker is told to stop in the middle of it"
    KILLED = "the worker's process is gone, its last message is on its way"
    STOPPED = "the worker stands still until its claims have ended"
    RAISED = "our own code raises where a transaction begins"


class Break(NamedTuple):
    """What goes wrong, after how many hundredths of a worker's messages; RAISED at which transaction."""

    kind: Kind
    at: int


# After these the worker, with what it remembers, is gone.
_DEADLY = frozenset({Kind.CANCELLED, Kind.KILLED})


class Mistake(Exception):
    """Our own code is wrong at this place."""


class Mistaken(Database):
    """Transactions that begin as ever, but for the one that the line's break names."""

    def __init__(self, url: str, line: "Line") -> None:
        super().__init__(url, name=WORKER, size=2)
        self._line, self._begun = line, 0

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        self._begun += 1
        break_ = self._line.break_
        if break_ is not None and break_.kind is Kind.RAISED and self._begun == break_.at % 5 + 1:
            self._line.broke = True
            raise Mistake
        async with super().session() as session:
            yield session


@dataclass
class Line:
    """Carries messages between a worker and PostgreSQL, and counts the worker's. `stopped` is set while it stands."""

    superuser_url: str
    break_: Break | None = None
    all: int = 0  # messages that a worker's work takes
    task: "asyncio.Task[int] | None" = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    broke: bool = False
    messages: int = 0
    _deaf: bool = False
    _port: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def lay(self, url: str) -> str:
        """The address at which `url` is reached by this line."""
        parts = urlsplit(url)
        self._host, self._there = parts.hostname, parts.port
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{self._port}"))

    @property
    def is_dead(self) -> bool:
        """Whether the worker on this line is gone for good."""
        return self.broke and self.break_ is not None and self.break_.kind in _DEADLY

    async def cut(self) -> None:
        """Nothing goes through any more."""
        if self._server is not None:
            self._server.close()
        self._hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _hang_up(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(self._host, self._there)
        self._writers |= {writer, to_there}
        both = {asyncio.create_task(self._ask(reader, to_there)), asyncio.create_task(self._answer(there, writer))}
        self._tasks |= both
        try:
            await asyncio.wait(both)
        finally:
            self._tasks -= both
            self._writers -= {writer, to_there}
            writer.transport.abort()
            to_there.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, to_there: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(1 << 20):
                self.messages += 1
                if self._is_now(self.messages):
                    assert self.break_ is not None
                    self.broke = True
                    if not await self._break(self.break_.kind, to_there, piece):
                        continue
                to_there.write(piece)
                await to_there.drain()
        to_there.close()

    def _is_now(self, message: int) -> bool:
        if self.break_ is None or self.task is None or self.break_.kind is Kind.RAISED:
            return False
        return message == 1 + self.break_.at * self.all // 100

    async def _answer(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await there.read(1 << 20):
                if self._deaf:
                    self._deaf = False
                    self._hang_up()
                    return
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def _break(self, kind: Kind, to_there: asyncio.StreamWriter, piece: bytes) -> bool:
        """Let it happen; whether the message still goes its way."""
        assert self.task is not None
        match kind:
            case Kind.CUT:
                self._hang_up()
                return False
            case Kind.DEAF:
                self._deaf = True
            case Kind.TERMINATED:
                await self._terminate()
            case Kind.CANCELLED:
                self.task.cancel()
            case Kind.KILLED:
                to_there.write(piece)
                await to_there.drain()
                assert self._server is not None
                self._server.close()
                self._hang_up()
                self.task.cancel()
                return False
            case Kind.STOPPED:
                self.stopped.set()
                await self.goes_on.wait()
            case Kind.RAISED:
                pass  # not on the line: see Mistaken
            case _:
                assert_never(kind)
        return True

    async def _terminate(self) -> None:
        connection = await asyncpg.connect(self.superuser_url)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = $1 AND datname = current_database()",
                f"parvis {WORKER}",
            )
        finally:
            await connection.close()
