"""Where benchmarks run: servers of their own, databases, and services and references as processes, all of which end.

PostgreSQL keeps its durability here (fsync on). What is measured runs alone on the last core where there are several;
load, PostgreSQL and Valkey share the others. Needs Linux: processor time and memory are read from /proc.
"""

import asyncio
import os
import re
import shutil
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import asyncpg

from services.local import plan, postgres, valkey
from services.local.processes import Program, end, start, tail
from services.local.servers import ServerUrls, free_port, temporary_servers
from shared.db import Database
from shared.migrations.run import migrate
from shared.settings import Settings
from tests.conftest import House, TestDatabase, settings_for

ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
_READY_SECONDS = 60.0

Ready = Callable[[], Awaitable[bool]]


class DidNotStart(Exception):
    """A process ended, or was not ready in time; says what it wrote last."""


@dataclass
class Running:
    """A process under measurement; `url` is its address where it listens."""

    name: str
    program: Program
    child: Popen[bytes]
    port: int = 0

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def processor(self) -> float:
        """Processor time that it has used so far, its children's included, in seconds."""
        return processor(self.pid)

    def memory(self) -> int:
        """Bytes that it holds now, those included that it shares with others (RSS)."""
        return memory(self.pid)

    def said(self) -> str:
        """The end of its log."""
        assert self.program.log is not None
        return tail(self.program.log)

    def stop(self) -> None:
        """Ask it to end, and see to it that it has."""
        end([(self.child, self.program.stop)], grace=15)


@dataclass
class Rig:
    """The servers of one run of the benchmarks, and what was started beside them."""

    urls: ServerUrls
    work: Path
    tested: frozenset[int]
    others: frozenset[int]
    postgres_pid: int
    valkey_pid: int
    _running: list[Running] = field(default_factory=list)

    @asynccontextmanager
    async def database(self, name: str = "") -> AsyncIterator[TestDatabase]:
        """A migrated, empty database with the roles and policies of any installation; dropped at the end."""
        name = name or f"bench_{uuid.uuid4().hex[:8]}"
        connection = await asyncpg.connect(self.urls.superuser)
        try:
            await connection.execute(f'CREATE DATABASE "{name}" OWNER parvis_owner')
            settings = settings_for(self.urls, name, self.work)
            await asyncio.to_thread(migrate, settings)
            yield TestDatabase(settings, name)
        finally:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await connection.close()

    @asynccontextmanager
    async def house(self, database: TestDatabase) -> AsyncIterator[House]:
        """A builder of brands and channels in this database, through the domain's own functions."""
        db = Database(database.owner_url, name="bench", size=2)
        try:
            yield House(db)
        finally:
            await db.close()

    @asynccontextmanager
    async def service(
        self, module: str, settings: Settings, *, more: Mapping[str, str] | None = None, ready: Ready | None = None
    ) -> AsyncIterator[Running]:
        """One of ours, such as `services.ingest`, under test with these settings; `more` adds to its environment.

        Ready when its port answers, or by `ready` where it has none (the workers).
        """
        port = free_port()
        told = plan.environment(settings) | {"PARVIS_LOG_LEVEL": "WARNING"} | dict(more or {})
        told["PARVIS_RATE_LIMIT"] = str(settings.rate_limit)
        told |= {name: str(port) for name in ("PARVIS_API_PORT", "PARVIS_INGEST_PORT", "PARVIS_SANDBOX_PORT")}
        async with self.process(
            module, (sys.executable, "-m", module), environment=told, port=0 if ready else port, ready=ready
        ) as running:
            running.port = port
            yield running

    @asynccontextmanager
    async def reference(self, module: str, **environment: str) -> AsyncIterator[Running]:
        """The `app` of a module in `references`, under test in the same server as Parvis."""
        port = free_port()
        argv = (sys.executable, "-m", "tests.benchmarks.references", module, str(port))
        async with self.process(module, argv, environment={**os.environ, **environment}, port=port) as running:
            yield running

    @asynccontextmanager
    async def process(
        self, name: str, argv: Sequence[str], *, environment: Mapping[str, str] | None = None, port: int = 0,
        ready: Ready | None = None, folder: Path = ROOT, tested: bool = True,
    ) -> AsyncIterator[Running]:  # fmt: skip
        """Any program, for the length of the block, on the core under test or among the others. Raises DidNotStart."""
        log = self.work / "logs" / f"{name}.{len(self._running)}.log"
        log.parent.mkdir(exist_ok=True)
        program = Program(name, tuple(argv), folder, log, environment=environment)
        running = Running(name, program, start(program), port)
        self._running.append(running)
        try:
            pin(running.pid, self.tested if tested else self.others)
            await _until(running, ready or (listens_on(port) if port else _at_once))
            yield running
        finally:
            await asyncio.to_thread(running.stop)

    def postgres_processor(self) -> float:
        """Processor time of PostgreSQL so far, all of its processes, in seconds."""
        return processor(self.postgres_pid)

    def postgres_memory(self) -> int:
        """Bytes of PostgreSQL's processes, what they share counted once for each."""
        return sum(map(memory, (self.postgres_pid, *_children(self.postgres_pid))))

    def stop(self) -> None:
        """End whatever still runs of what was started here."""
        end([(it.child, it.program.stop) for it in self._running], grace=15)


@contextmanager
def rig(work: Path) -> Iterator[Rig]:
    """The servers, in `work`, for the length of a block. Enter it from the main thread."""
    cores = sorted(os.sched_getaffinity(0))
    tested, others = frozenset(cores[-1:]), frozenset(cores[:-1] or cores)
    work = work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, others)
    try:
        with temporary_servers(work / "servers", fast=False) as urls:
            pid = int((work / "servers" / postgres.FOLDER / "data" / "postmaster.pid").read_text("utf-8").split()[0])
            port = int(re.findall(r":(\d+)", urls.redis)[-1])
            made = Rig(urls, work, tested, others, pid, int(valkey.info(port)["process_id"]))
            try:
                yield made
            finally:
                made.stop()
    finally:
        os.sched_setaffinity(0, cores)
        shutil.rmtree(work / "servers", ignore_errors=True)


# ---------------------------------------------------------------- processes


def pin(pid: int, cores: frozenset[int]) -> None:
    """Keep a process, and what it starts from now on, on these cores."""
    os.sched_setaffinity(pid, cores)


def processor(pid: int) -> float:
    """Processor time of a process and its children, those that ended too, in seconds."""
    own = _times(pid)
    return sum((*own, *(time for child in _children(pid) for time in _times(child)))) / _TICKS


def memory(pid: int) -> int:
    """Bytes that a process holds in memory (RSS)."""
    told = Path(f"/proc/{pid}/statm").read_text("ascii").split()
    return int(told[1]) * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int | str) -> list[str]:
    """The fields of /proc/PID/stat after the program's name, the first of which is the state."""
    return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()


def _times(pid: int) -> tuple[int, ...]:
    try:
        return tuple(map(int, _stat(pid)[11:15]))  # its own, and that of the children that it has buried
    except OSError:
        return ()  # it ended meanwhile; its parent has its time


def _children(pid: int) -> list[int]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if int(_stat(place.name)[1]) == pid:
                    found.append(int(place.name))
            except OSError:
                continue  # it ended meanwhile
    return found


# ---------------------------------------------------------------- readiness


async def _at_once() -> bool:
    return True


def listens_on(port: int) -> Ready:
    """Whether something listens on this port."""

    async def answers() -> bool:
        with socket.socket() as probe:
            probe.setblocking(False)
            try:
                await asyncio.wait_for(asyncio.get_running_loop().sock_connect(probe, ("127.0.0.1", port)), 1)
            except OSError:
                return False
        return True

    return answers


async def _until(running: Running, ready: Ready) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not await ready():
        if running.child.poll() is not None:
            raise DidNotStart(f"{running.name} ended: {running.said()[-600:]}")
        if time.monotonic() > deadline:
            raise DidNotStart(f"{running.name} was not ready in {_READY_SECONDS:.0f} s: {running.said()[-600:]}")
        await asyncio.sleep(0.02)
