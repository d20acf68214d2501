"""`parvis doctor`: looks at everything that Parvis needs on this machine and says, line by line, what to mend."""

import platform
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
from rich.console import Console

from services.local import folder, outside, plan, postgres, sealed, servers, valkey
from services.local.folder import CannotRun
from services.local.processes import is_alive
from shared.migrations import run
from shared.settings import SERVER_URLS, Settings
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. `mend` says what to do where it is not ok; None is neither good nor bad."""

    ok: bool | None
    text: str
    mend: str | None = None


async def examine(settings: Settings) -> bool:
    """Print what was found, a line each; whether all of it is well."""
    console, well = Console(soft_wrap=True, highlight=False), True
    async for line in look(settings):
        well = well and line.ok is not False
        mark = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[dim]·[/dim]"}[line.ok]
        console.print(mark, end=" ")
        console.print(line.text, markup=False)
        if line.mend and line.ok is not True:
            console.print(f"  → {line.mend}", markup=False)
    console.print("All is well." if well else "Something needs mending.")
    return well


async def look(settings: Settings) -> AsyncIterator[Line]:
    """Each finding, in the order in which things depend on each other."""
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    yield _python()
    for line in _folder(settings.data_dir):
        yield line
    try:
        plan.refuse_some_servers(settings)
    except CannotRun as error:
        yield Line(False, "server URLs", str(error))
        return
    holder = folder.holder(settings.data_dir)
    if settings.embedded:
        for line in _embedded(settings, holder):
            yield line
        kept = servers.read_kept(settings.data_dir)
        if holder is None or kept is None:
            yield Line(None, f"Parvis does not run on {settings.data_dir}", "start it by `make up`")
            for line in _ports(settings):
                yield line
            return
        settings = servers.with_urls(settings, kept)
    async for line in _servers(settings):
        yield line
    for line in await _secrets(settings):
        yield line
    async for line in _services(settings):
        yield line


def _python() -> Line:
    return Line(sys.version_info >= (3, 11), f"Python {platform.python_version()}", "Parvis needs Python 3.11 or newer")


def _folder(place: Path) -> list[Line]:
    if not place.exists():
        return [Line(None, f"data folder {place} does not exist yet", "the first `make up` makes it")]
    try:
        folder.prepare(place)
    except CannotRun as error:
        return [Line(False, f"data folder {place}", str(error))]
    free = shutil.disk_usage(place).free
    return [Line(True, f"data folder {place}: can be written, {free >> 30} GB free")]


def _embedded(settings: Settings, holder: int | None) -> list[Line]:
    lines = []
    try:
        lines.append(Line(True, f"embedded PostgreSQL {postgres.version()} in {postgres.binaries()}"))
        lines.append(Line(True, f"embedded Valkey in {valkey.binary()}"))
        cluster = settings.data_dir / postgres.FOLDER
        if cluster.exists():
            postgres.check_version(cluster / "data")
            lines.append(Line(True, f"database in {cluster}: of this version"))
        servers.read_kept(settings.data_dir)
    except CannotRun as error:
        lines.append(Line(False, "embedded servers", str(error)))
    if holder is not None:
        lines.append(Line(True, f"parvis up runs (process {holder})"))
    return lines


def _ports(settings: Settings) -> list[Line]:
    lines = []
    for service in plan.SERVICES:
        if service.port is None:
            continue
        port = getattr(settings, service.port)
        free = servers.is_free(port, settings.host)
        mend = f"end the program that has it, or set PARVIS_{service.port.upper()}"
        lines.append(Line(free, f"port {port} for the {service.name} is {'free' if free else 'taken'}", mend))
    return lines


async def _servers(settings: Settings) -> AsyncIterator[Line]:
    urls = {
        "DATABASE_URL": settings.database_url,
        "PARVIS_WORKER_DATABASE_URL": settings.worker_database_url,
        "PARVIS_DOOR_DATABASE_URL": settings.door_database_url,
        "PARVIS_OWNER_DATABASE_URL": settings.owner_database_url,
    }
    for name, url in urls.items():
        assert url is not None
        try:
            version = await outside.postgres_version(url, name)
            yield Line(True, f"{name}: PostgreSQL {version} at {outside.shown(url)}")
            connection = await outside.connect(url, name)
            try:
                yield await (_schema(connection) if name == SERVER_URLS[3] else _role(connection, name))
            finally:
                await connection.close()
        except CannotRun as error:
            yield Line(False, name, str(error))
    assert settings.redis_url is not None
    try:
        yield Line(
            True, f"REDIS_URL: {await outside.redis_version(settings.redis_url)} at {outside.shown(settings.redis_url)}"
        )
    except CannotRun as error:
        yield Line(False, "REDIS_URL", str(error))


async def _role(connection: asyncpg.Connection, name: str) -> Line:
    """Whether a service's role can be trusted with row security: it neither passes it by nor owns what it guards."""
    found = await connection.fetchrow(
        "SELECT rolname, rolsuper, rolbypassrls, "
        "EXISTS (SELECT FROM pg_class WHERE relowner = r.oid AND relkind IN ('r', 'p')) AS owns "
        "FROM pg_roles r WHERE rolname = current_user"
    )
    assert found is not None
    faults = [
        word
        for word, is_so in (
            ("is a superuser", found["rolsuper"]),
            ("passes by row security", found["rolbypassrls"]),
            ("owns tables", found["owns"]),
        )
        if is_so
    ]
    text = f"role {found['rolname']} {' and '.join(faults) or 'is held by row security'}"
    return Line(not faults, text, f"{name} must name an ordinary role; `parvis migrate` makes one where it is missing")


async def _schema(connection: asyncpg.Connection) -> Line:
    newest = run.newest_revision()
    found = await outside.revision(connection)
    return Line(found == newest, f"schema at {found or 'nothing'}", f"this Parvis wants {newest}: run `parvis migrate`")


async def _secrets(settings: Settings) -> list[Line]:
    """Whether the keys still fit what was sealed with them; nothing where the database could not be asked."""
    assert settings.owner_database_url is not None
    keys = folder.present_keys(settings)
    if not keys:
        return [
            Line(None, "there are no secret keys yet", "the first `parvis up` makes one; or set PARVIS_SECRET_KEYS")
        ]
    source = "PARVIS_SECRET_KEYS" if settings.secret_keys else str(settings.data_dir / "secret_keys")
    try:
        connection = await outside.connect(settings.owner_database_url, SERVER_URLS[3])
    except CannotRun:
        return []
    try:
        shut = await sealed.closed(connection, Vault(keys))
    finally:
        await connection.close()
    if not shut:
        return [Line(True, f"every sealed secret opens with the keys in {source}")]
    mend = f"put the key that they were sealed with back into {source}, behind the newest; then run `parvis key rotate`"
    return [Line(False, f"the keys in {source} do not open {' and '.join(shut)}", mend)]


async def _services(settings: Settings) -> AsyncIterator[Line]:
    told = folder.read_local(settings.data_dir)
    if told is None:
        yield Line(None, "local.json is not there: `parvis up` is not ready, or the services are run one by one")
        return
    pids = told.get("pids")
    for name, pid in (pids if isinstance(pids, dict) else {}).items():
        if isinstance(pid, int):
            yield Line(
                is_alive(pid), f"{name} lives (process {pid})", f"see {settings.data_dir / 'logs' / f'{name}.log'}"
            )
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        for name in ("api", "ingest", "sandbox"):
            yield await _ready(http, name, str(told.get(name)), settings.data_dir)


async def _ready(http: httpx.AsyncClient, name: str, address: str, place: Path) -> Line:
    mend = f"see {place / 'logs' / f'{name}.log'}"
    try:
        answer = await http.get(f"{address}/readyz")
    except httpx.HTTPError as error:
        return Line(False, f"{name} at {address} does not answer ({type(error).__name__})", mend)
    return Line(answer.status_code == 200, f"{name} at {address} answers {answer.status_code} to /readyz", mend)
