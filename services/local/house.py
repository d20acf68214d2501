"""The whole house on one machine: servers, schema, example brand and services, kept running until told to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from services import example
from services.local import apps, folder, postgres, servers, valkey
from services.local.folder import CannotRun
from services.local.keeper import Keeper
from services.local.outside import check_logins, check_servers
from services.local.plan import (
    SERVICES,
    Service,
    environment,
    metrics_ports,
    refuse_some_servers,
    with_keys,
)
from services.local.processes import Program, command_of, is_alive, rotate, tail
from shared.migrations import run
from shared.settings import Settings

_ROOT = Path(__file__).parents[2]
_LEFTOVERS = 5.0  # seconds that what an earlier, killed run left behind may take to end once it was asked
_ENDING = 2.0  # seconds that a port may stay taken by something that is just ending
_FIRST_READY = 120.0
_TOO_MANY_ENDS = 5
_PLAY = 60.0


def say(text: str) -> None:
    """Tell the person at the terminal what is being done."""
    with suppress(OSError):  # a terminal that is gone ends nothing
        print(text, flush=True)


class House:
    """One running house: what it is made of, and how it comes up and goes down."""

    def __init__(self, settings: Settings, services: tuple[Service, ...]) -> None:
        self.settings = settings
        self.services = services
        self.keeper = Keeper(say, self._tell)
        self._metrics = metrics_ports(settings, services)
        self._local: dict[str, object] | None = None

    @property
    def folder(self) -> Path:
        return self.settings.data_dir

    def local(self, schema: str, brand: Mapping[str, object]) -> dict[str, object]:
        """Everything that programs on this machine need to find the house."""
        settings = self.settings
        return {
            "api": settings.address(settings.api_port),
            "ingest": settings.address(settings.ingest_port),
            "sandbox": settings.address(settings.sandbox_port),
            "database_url": settings.database_url,
            "worker_database_url": settings.worker_database_url,
            "door_database_url": settings.door_database_url,
            "owner_database_url": settings.owner_database_url,
            "redis_url": settings.redis_url,
            "pids": self._pids(),
            "metrics": {name: f"{settings.address(port)}/metrics" for name, port in self._metrics.items()},
            "schema": schema,
            **brand,
        }

    def _pids(self) -> dict[str, int | None]:
        names = (*(service.name for service in self.services), "postgres", "valkey")
        return {name: self.keeper.pids.get(name) for name in names}

    def _tell(self) -> None:
        if self._local is not None:
            self._local["pids"] = self._pids()
            folder.write_local(self.folder, self._local)

    async def come_up(self) -> None:
        """Start everything in its order, wait until it is ready, and say where it is."""
        refuse_some_servers(self.settings)
        await self._end_leftovers()
        await self._check_ports()
        embedded = self.settings.embedded
        if embedded:
            await self._start_servers()
        else:
            await check_servers(self.settings)
        self.settings = with_keys(self.settings)
        say("Bringing the schema up to date.")
        schema = await asyncio.to_thread(run.migrate, self.settings)
        if not embedded:
            await check_logins(self.settings)
        for line in await apps.keep(self.settings):
            say(line)
        say("Starting the services.")
        # The practice network is a stranger: it stands before anybody of the house calls it.
        strangers = tuple(service for service in self.services if service.name == "sandbox")
        await self._start_services(strangers)
        sandbox = self.settings.address(self.settings.sandbox_port) if strangers else None
        brand = await example.ensure(self.settings, sandbox)
        await self._start_services(tuple(service for service in self.services if service not in strangers))
        local = self.local(schema, brand)
        if self.settings.example:
            await self._play(local)
        self._local = local
        self._tell()
        self._show()

    async def _end_leftovers(self) -> None:
        """End the services that a killed run left behind, by asking and then by force."""
        left = folder.read_local(self.folder)
        pids = left.get("pids") if left else None
        named = pids if isinstance(pids, dict) else {}
        found = ((named.get(service.name), service.module) for service in self.services)
        mine = [pid for pid, module in found if isinstance(pid, int) and module in command_of(pid)]
        if mine:
            say("Waiting for the services of an earlier run to end.")
        for asked in (signal.SIGTERM, signal.SIGKILL):
            for pid in filter(is_alive, mine):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, asked)
            await _until(lambda: not any(is_alive(pid) for pid in mine), _LEFTOVERS)
        (self.folder / folder.LOCAL).unlink(missing_ok=True)

    async def _check_ports(self) -> None:
        """Raise CannotRun where a service's port is taken, and not only by something that is just ending."""
        for service in self.services:
            if service.port is None:
                continue
            port = getattr(self.settings, service.port)
            if not await _until(lambda port=port: servers.is_free(port, self.settings.host), _ENDING):  # type: ignore[misc]
                raise CannotRun(
                    f"Port {port}, which the {service.name} needs, is taken by another program: "
                    f"end that program, or set PARVIS_{service.port.upper()} to a free port."
                )

    async def _start_servers(self) -> None:
        left = postgres.left_behind(self.folder)
        if left is not None:
            late = postgres.ask_to_end(self.folder, left, say)
            if not await _until(lambda: not is_alive(left), postgres.STILL_ENDING):
                raise late
        made = servers.prepare(self.folder, say)
        self.settings = servers.with_urls(self.settings, made.kept)
        say(f"Starting PostgreSQL on port {made.kept.postgres_port} and Valkey on port {made.kept.valkey_port}.")
        since = postgres.log_size(self.folder)
        self.keeper.keep(made.postgres, lambda: postgres.clear(self.folder, say))
        self.keeper.keep(made.valkey)
        await servers_ready(self.folder, self.keeper, since, made.kept.valkey_port)

    async def _start_services(self, services: tuple[Service, ...]) -> None:
        told = environment(self.settings)
        for service in services:
            log = self.folder / "logs" / f"{service.name}.log"
            rotate(log)
            argv = (sys.executable, "-m", service.module)
            mine = told | {"PARVIS_METRICS_PORT": str(self._metrics.get(service.name, 0))}
            self.keeper.keep(Program(service.name, argv, _ROOT, log, environment=mine))
        await self._until_ready(services)

    async def _until_ready(self, services: tuple[Service, ...]) -> None:
        waits = {service.name: asyncio.Event() for service in services}
        try:
            async with (
                asyncio.timeout(_FIRST_READY),
                httpx.AsyncClient(trust_env=False, timeout=2) as http,
                asyncio.TaskGroup() as group,
            ):
                for service in services:
                    group.create_task(self._ready(http, service, waits[service.name]))
        except* CannotRun as several:
            raise several.exceptions[0] from None
        except* TimeoutError:
            late = ", ".join(name for name, ready in waits.items() if not ready.is_set())
            raise CannotRun(
                f"Not ready after {_FIRST_READY:.0f} s: {late}. Their logs are in {self.folder / 'logs'}."
            ) from None

    async def _ready(self, http: httpx.AsyncClient, service: Service, ready: asyncio.Event) -> None:
        """Set `ready` once the service answers, or, where it has no port, has lived half a second."""
        url = None if service.port is None else f"{self.settings.address(getattr(self.settings, service.port))}/readyz"
        while True:
            pid = self.keeper.pids[service.name]
            await asyncio.sleep(0.1 if url else 0.5)
            if self.keeper.ends(service.name) >= _TOO_MANY_ENDS:
                log = self.folder / "logs" / f"{service.name}.log"
                said = (tail(log).strip().splitlines() or ["it said nothing"])[-1]
                raise CannotRun(f"The {service.name} does not start: {said[:500]} (all of it in {log}).")
            if self.keeper.lives(service.name) and (
                await _answers(http, url) if url else pid == self.keeper.pids[service.name]
            ):
                ready.set()
                return

    async def _play(self, local: dict[str, object]) -> None:
        try:
            async with asyncio.timeout(_PLAY):
                await example.play(self.settings, local)
        except (TimeoutError, httpx.HTTPError) as error:
            say(f"The example's payloads could not all be played ({type(error).__name__}); the next start tries again.")

    def _show(self) -> None:
        here = self.settings.address(self.settings.api_port)
        table = Table(title="Parvis is ready", show_header=False, title_justify="left")
        for name, where in (
            ("Start page", f"{here}/"),
            ("REST", f"{here}/docs"),
            ("GraphQL", f"{here}/graphql"),
            ("Webhooks", f"{self.settings.address(self.settings.ingest_port)}/webhooks/…"),
            ("Practice network", f"{self.settings.address(self.settings.sandbox_port)}/"),
            ("Keys and addresses", str(self.folder / folder.LOCAL)),
            ("Logs", str(self.folder / "logs")),
        ):
            table.add_row(name, where)
        Console(soft_wrap=True).print(table)
        say("Ctrl-C stops it.")

    async def go_down(self) -> None:
        """End the services, then Valkey, then PostgreSQL. Leaves no process and no local.json."""
        self._local = None
        (self.folder / folder.LOCAL).unlink(missing_ok=True)
        names = tuple(service.name for service in self.services)
        await self.keeper.end((names, 8.0), (("valkey",), 3.0), (("postgres",), 30.0))


async def _until(done: Callable[[], bool], seconds: float) -> bool:
    """Whether `done` came true within that time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not done():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.HTTPError:
        return False


async def servers_ready(place: Path, keeper: Keeper, since: int, valkey_port: int | None) -> None:
    """Wait until the embedded servers answer, however long PostgreSQL recovers. Raises CannotRun where it can't."""
    loop = asyncio.get_running_loop()
    began, next_word = loop.time(), 3.0
    while not postgres.is_ready(place, keeper.pids["postgres"]):
        if keeper.ends("postgres") and not postgres.will_pass(place, since):
            raise postgres.explain_end(place, since)
        if loop.time() - began > next_word:
            say(f"PostgreSQL is recovering from an unclean end ({loop.time() - began:.0f} s so far).")
            next_word += 5.0
        await asyncio.sleep(0.05)
    while valkey_port is not None and not valkey.is_ready(valkey_port, keeper.pids["valkey"]):
        if keeper.ends("valkey") >= _TOO_MANY_ENDS:
            raise CannotRun(f"Valkey does not start: see {place / 'logs' / 'valkey.log'}.")
        await asyncio.sleep(0.05)


async def up(settings: Settings, services: tuple[Service, ...] = SERVICES) -> None:
    """Run the whole house until SIGINT, SIGTERM or SIGHUP; a second one ends it at once. Raises CannotRun."""
    place = folder.prepare(settings.data_dir)
    with folder.claimed(place):
        house = House(settings.model_copy(update={"data_dir": place}), services)
        asked = asyncio.Event()

        def stop() -> None:
            if asked.is_set():
                house.keeper.kill()
            asked.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        coming = asyncio.create_task(house.come_up())
        stopping = asyncio.create_task(asked.wait())
        try:
            await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.is_set():
                coming.result()
                await stopping
            say("Stopping.")
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            await house.go_down()
