"""The house under test: real servers and services as processes of their own, each started again when it dies.

What a fault needs beyond `parvis up`: to hold a process away, to start one anew with another environment or another
program in its place, and to know at the end that nothing is left.
"""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from services.example.brand import create
from services.local import folder
from services.local.house import House
from services.local.keeper import Keeper, Kept
from services.local.plan import SERVICES
from services.local.processes import Program, is_alive
from services.local.servers import free_port, read_kept
from shared.db import Database
from shared.models import BrandDraft
from shared.settings import Settings

MARK = "PARVIS_FAULTS_RUN"
LEASE_SECONDS = 5
SERVERS = ("postgres", "valkey")
_OURS = ("PARVIS_", "DATABASE_URL", "REDIS_URL")
_UP_SECONDS = 90.0

Json = dict[str, Any]


class Watch(Keeper):
    """Starts again what dies, but for what a fault holds away; remembers how everything ended."""

    def __init__(self, house: House) -> None:
        self.said: list[str] = []
        super().__init__(self.said.append, house._tell)
        self.held: set[str] = set()
        self.ended: list[tuple[str, int]] = []

    async def _start_again(self, kept: Kept, pause: float) -> None:
        self.ended.append((kept.program.name, kept.child.returncode))
        while kept.program.name in self.held:
            await asyncio.sleep(0.02)
        await super()._start_again(kept, pause)

    def program(self, name: str) -> Program:
        return self._kept[name].program

    def swap(self, name: str, program: Program) -> None:
        """From its next start on, `name` is this program."""
        self._kept[name].program = program


class _House(House):
    def __init__(self, settings: Settings, without: Collection[str]) -> None:
        super().__init__(settings, tuple(service for service in SERVICES if service.name not in without))
        self.watch = Watch(self)
        self.keeper = self.watch

    def _show(self) -> None:
        """Nothing: a fault's run has a table of its own."""


class Rig:
    """A running house, and the means to hurt it."""

    def __init__(self, house: _House) -> None:
        self._house = house
        self.watch = house.watch
        self.settings = house.settings
        self.example: Json = folder.read_local(house.folder) or {}

    @property
    def folder(self) -> Path:
        return self._house.folder

    @property
    def door(self) -> int:
        """The port of the door."""
        return self.settings.ingest_port

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.settings.api_port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.settings.sandbox_port}"

    @property
    def owner_url(self) -> str:
        assert self.settings.owner_database_url is not None
        return self.settings.owner_database_url

    @property
    def redis_url(self) -> str:
        assert self.settings.redis_url is not None
        return self.settings.redis_url

    async def brand(self, name: str) -> Json:
        """Another organization with a brand, a key, and a channel on each network that only pushes."""
        db = Database(self.owner_url, name="faults", size=1)
        try:
            return await create(db, self.settings, None, name, BrandDraft(name=name))
        finally:
            await db.close()

    async def look(self) -> "asyncpg.Connection[Any]":
        """The superuser's connection: it sees every brand, and what every other connection does."""
        # Whole brands are read, just after they were written: without statistics, nested loops would take minutes.
        told = {"application_name": "faults", "enable_nestloop": "off", "jit": "off"}
        kept = read_kept(self.folder)
        assert kept is not None
        return await asyncpg.connect(kept.urls().superuser, timeout=5, command_timeout=60, server_settings=told)

    def pid(self, name: str) -> int:
        return self.watch.pids[name]

    def tell(self, name: str, number: signal.Signals) -> None:
        """Send a process a signal; one that is just being started again gets none."""
        with suppress(ProcessLookupError):
            os.kill(self.pid(name), number)

    def kill(self, name: str) -> None:
        self.tell(name, signal.SIGKILL)

    def take_away(self, name: str) -> None:
        """Kill it, and do not start it again until it is given back."""
        self.watch.held.add(name)
        self.kill(name)

    def give_back(self, name: str) -> None:
        self.watch.held.discard(name)

    async def ends(self, name: str, since: int) -> None:
        """Wait until it has ended more often than `since`."""
        while self.watch.ends(name) <= since:
            await asyncio.sleep(0.02)

    async def become(
        self, name: str, *, module: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a service anew as another program, or with `environment` beside its own, and wait until all is up."""
        program = self.watch.program(name)
        argv = program.argv if module is None else (*program.argv[:-1], module)
        since = self.watch.ends(name)
        self.watch.swap(
            name, replace(program, argv=argv, environment={**(program.environment or {}), **(environment or {})})
        )
        self.tell(name, signal.SIGTERM)
        await self.ends(name, since)
        await self.ready()

    @asynccontextmanager
    async def instead(
        self, name: str, *, module: str | None = None, environment: Mapping[str, str] | None = None
    ) -> AsyncIterator[None]:
        """For the length of a block the service runs as another program, or in another environment."""
        was = self.watch.program(name)
        await self.become(name, module=module, environment=environment)
        try:
            yield
        finally:
            since = self.watch.ends(name)
            self.watch.swap(name, was)
            self.tell(name, signal.SIGTERM)
            await self.ends(name, since)
            await self.ready()

    async def another(self, name: str, title: str) -> None:
        """Start a second copy of a service under the name `title`."""
        program = self.watch.program(name)
        self.watch.keep(replace(program, name=title, log=self.folder / "logs" / f"{title}.log"))

    async def ready(self) -> None:
        """Wait until every process runs, and the door and the api answer that they can work."""
        deadline = asyncio.get_running_loop().time() + _UP_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            while not await self._is_up(http):
                if asyncio.get_running_loop().time() > deadline:
                    raise TimeoutError(f"not ready again; said last: {self.watch.said[-3:]}")
                await asyncio.sleep(0.05)

    async def _is_up(self, http: httpx.AsyncClient) -> bool:
        if not all(self.watch.lives(name) for name in self.watch.pids if name not in self.watch.held):
            return False
        try:
            for name, address in (("ingest", f"http://127.0.0.1:{self.door}"), ("api", self.api)):
                if name in self.watch.pids and (await http.get(f"{address}/readyz")).status_code != 200:
                    return False
        except httpx.HTTPError:
            return False
        return True


@asynccontextmanager
async def rig(place: Path, *, without: Collection[str] = (), **settings: str) -> AsyncIterator[Rig]:
    """A house of its own in `place`, on free ports, with short leases. Nothing of it is left afterwards.

    `without` names services that it does not have; `settings` are environment variables that stand over the rig's own.

    Enter it on the main thread. Raises AssertionError where a process outlives it.
    """
    place = folder.prepare(place)
    mark = uuid.uuid4().hex
    with _environment(place, mark, settings):
        house = _House(Settings(), without)
        try:
            await house.come_up()
            made = Rig(house)
            await made.ready()
            yield made
        finally:
            house.watch.held.clear()
            await house.watch.end((tuple(n for n in house.watch.pids if n not in SERVERS), 8.0))
            await house.go_down()
    assert not (left := processes_of(mark)), f"still running: {left}"


@contextmanager
def _environment(place: Path, mark: str, settings: Mapping[str, str]) -> Iterator[None]:
    """The settings of this house as the environment that its processes inherit, and nothing of anybody else's."""
    was = dict(os.environ)
    ports = [free_port()]
    ports += [free_port(tuple(ports))]
    ports += [free_port(tuple(ports))]
    for name in was:
        if name.startswith(_OURS):
            del os.environ[name]
    os.environ |= {
        MARK: mark,
        "PARVIS_DATA_DIR": str(place),
        "PARVIS_API_PORT": str(ports[0]),
        "PARVIS_INGEST_PORT": str(ports[1]),
        "PARVIS_SANDBOX_PORT": str(ports[2]),
        "PARVIS_EXAMPLE": "0",
        "PARVIS_PRIVATE_NETWORKS": "127.0.0.0/8",
        "PARVIS_LEASE_SECONDS": str(LEASE_SECONDS),
        "PARVIS_RETRY_FIRST_SECONDS": "1",
        "PARVIS_RETRY_MAX_SECONDS": "5",
        "PARVIS_RETRY_TIMES": "60",
        "PARVIS_RATE_LIMIT": "0",
        **settings,
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(was)


def processes_of(mark: str) -> dict[int, str]:
    """The living processes, other than this one, that carry the mark in their environment: id and command."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/environ"):
        pid = int(path.parent.name)
        with suppress(OSError):
            if pid != os.getpid() and f"{MARK}={mark}".encode() in path.read_bytes() and is_alive(pid):
                found[pid] = (path.parent / "cmdline").read_text("utf-8", "replace").replace("\0", " ")
    return found
