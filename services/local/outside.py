"""Servers of your own, given by URL: whether they answer, and whether they are new enough."""

from itertools import takewhile
from urllib.parse import urlsplit

import asyncpg
import redis.asyncio
import redis.exceptions

from services.local.folder import CannotRun
from shared.settings import SERVER_URLS, Settings

_CONNECT = 10.0


def shown(url: str) -> str:
    """A server's URL without its password."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


async def connect(url: str, name: str) -> asyncpg.Connection:
    """A connection to PostgreSQL by the URL in the setting `name`. Raises CannotRun."""
    try:
        return await asyncpg.connect(url, timeout=_CONNECT)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise CannotRun(
            f"{name} ({shown(url)}) can't be reached: {reason}. Check the URL, and that the server runs."
        ) from error


async def postgres_version(url: str, name: str) -> str:
    """The version of the PostgreSQL behind a URL. Raises CannotRun where it is older than 18."""
    connection = await connect(url, name)
    try:
        version = str(await connection.fetchval("SHOW server_version")).split()[0]
    finally:
        await connection.close()
    if int("".join(takewhile(str.isdigit, version))) < 18:
        raise CannotRun(f"{name} is PostgreSQL {version}, and Parvis needs 18 or newer: upgrade that server.")
    return version


async def redis_version(url: str) -> str:
    """The name and version of the Redis or Valkey behind a URL. Raises CannotRun where it is too old."""
    try:
        async with redis.asyncio.Redis.from_url(
            url, socket_connect_timeout=_CONNECT, socket_timeout=_CONNECT
        ) as client:
            told = await client.info("server")
    except (redis.exceptions.RedisError, OSError, ValueError) as error:
        raise CannotRun(
            f"REDIS_URL ({shown(url)}) can't be reached: {error}. Check the URL, and that the server runs."
        ) from error
    kind, least = ("Valkey", 8) if "valkey_version" in told else ("Redis", 7)
    version = str(told.get("valkey_version") or told.get("redis_version") or "0")
    if int(version.partition(".")[0]) < least:
        raise CannotRun(
            f"REDIS_URL is {kind} {version}, and Parvis needs Redis 7 or Valkey 8, or newer: upgrade that server."
        )
    return f"{kind} {version}"


async def check_logins(settings: Settings) -> None:
    """Make sure that each service's role can log in by its URL, once the roles are made. Raises CannotRun."""
    urls = (settings.database_url, settings.worker_database_url, settings.door_database_url)
    for name, url in zip(SERVER_URLS, urls, strict=False):
        assert url is not None
        await (await connect(url, name)).close()


async def check_servers(settings: Settings) -> None:
    """Make sure that the servers given by URL answer and are new enough. Raises CannotRun."""
    assert settings.owner_database_url is not None
    assert settings.redis_url is not None
    await postgres_version(settings.owner_database_url, "PARVIS_OWNER_DATABASE_URL")
    await redis_version(settings.redis_url)


async def table_named(connection: asyncpg.Connection, name: str) -> str | None:
    """Where the table of this name is, quoted; None where there is none."""
    found = await connection.fetchval(
        "SELECT quote_ident(nspname) || '.' || quote_ident(relname) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relname = $1 AND relkind IN ('r', 'p') AND nspname !~ '^pg_' AND nspname <> 'information_schema'",
        name,
    )
    return None if found is None else str(found)


async def revision(connection: asyncpg.Connection) -> str | None:
    """The revision of the schema in this database; None where it has no schema of ours."""
    table = await table_named(connection, "alembic_version")
    found = await connection.fetchval(f"SELECT version_num FROM {table}") if table else None  # noqa: S608  # quoted by the server
    return None if found is None else str(found)


async def brands(connection: asyncpg.Connection) -> int:
    """How many brands this database holds, as its owner sees them."""
    table = await table_named(connection, "brand")
    return int(await connection.fetchval(f"SELECT count(*) FROM {table}")) if table else 0  # noqa: S608  # as above
