"""What is in a database stays when it is upgraded: each step is taken with a row in every table that was there."""

import uuid
from collections.abc import AsyncIterator

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from services.local.servers import ServerUrls
from shared.db import driver_url
from shared.migrations.run import alembic_config
from tests.conftest import _on_superuser, on_database

# A value of each type. All ids are the same one, so that whatever is referred to is there.
_ID = "'019aa000-0000-7000-8000-000000000001'"
_VALUES = {
    "uuid": _ID,
    "timestamp with time zone": "now()",
    "date": "current_date",
    "time without time zone": "'10:00'",
    "interval": "'1 hour'",
    "boolean": "true",
    "bytea": "'x'",
    "jsonb": "'{}'",
    "ARRAY": "'{}'",
    "tsvector": "''",
}
_NAMED = {"timezone": "'Europe/Brussels'"}  # what a text has to be one of
_NUMBERS = frozenset({"smallint", "integer", "bigint", "double precision", "real", "numeric"})
_COLUMNS = text("""
SELECT c.table_name, c.column_name, c.data_type, c.is_nullable
  FROM information_schema.columns c JOIN pg_class t ON t.relname = c.table_name
  JOIN pg_namespace s ON s.oid = t.relnamespace AND s.nspname = c.table_schema
 WHERE c.table_schema = 'public' AND t.relkind IN ('r', 'p') AND NOT t.relispartition
   AND c.is_generated = 'NEVER' AND c.is_identity = 'NO' AND c.table_name <> 'alembic_version'
 ORDER BY 1, c.ordinal_position
""")


@pytest.fixture
async def connection(servers: ServerUrls, template: str) -> AsyncIterator[AsyncConnection]:
    """Of an empty database, in the owner's name; the template has made the roles."""
    name = f"upgraded_{uuid.uuid4().hex[:8]}"
    await _on_superuser(servers, f'CREATE DATABASE "{name}" OWNER parvis_owner')
    engine = create_async_engine(driver_url(on_database(servers.superuser, name)))
    async with engine.connect() as made:
        await made.execute(text("SET ROLE parvis_owner"))
        yield made
        await made.rollback()
    await engine.dispose()
    await _on_superuser(servers, f'DROP DATABASE "{name}" WITH (FORCE)')


async def test_a_filled_database_is_upgraded_step_by_step_and_keeps_every_row(connection: AsyncConnection) -> None:
    assert await connection.run_sync(_upgraded_step_by_step) == []


async def test_the_language_that_a_network_said_is_kept_as_its_word(connection: AsyncConnection) -> None:
    assert await connection.run_sync(_language_upgraded) == [("nl", "nl")]


def _upgraded_step_by_step(connection: Connection) -> list[str]:
    """What was lost, and where."""
    config = alembic_config()
    config.attributes["connection"] = connection
    kept: dict[str, int] = {}
    lost = []
    for step in [*ScriptDirectory.from_config(config).walk_revisions()][::-1]:
        command.upgrade(config, step.revision)
        now = _counts(connection)
        lost += [f"{name} at {step.revision}" for name, count in kept.items() if now.get(name) != count]
        _fill(connection, [name for name, count in now.items() if not count])
        kept = _counts(connection)
        lost += [f"{name} could not be filled at {step.revision}" for name, count in kept.items() if not count]
    return lost


def _language_upgraded(connection: Connection) -> list[tuple[object, ...]]:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0014")
    _fill(connection, list(_counts(connection)))
    _as_superuser(connection, "UPDATE mention SET language = 'nl'")
    command.upgrade(config, "0015")
    return _as_superuser(connection, "SELECT said_language, language FROM mention")


def _counts(connection: Connection) -> dict[str, int]:
    names = sorted({name for name, *_ in connection.execute(_COLUMNS)})
    if not names:
        return {}
    counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names)
    return {str(name): int(str(count)) for name, count in _as_superuser(connection, counts)}


def _fill(connection: Connection, tables: list[str]) -> None:
    """A row in each; what it refers to need not be there."""
    columns: dict[str, list[tuple[str, str]]] = {name: [] for name in tables}
    for table, name, type_, nullable in connection.execute(_COLUMNS):
        if table in columns and (nullable == "NO" or type_ == "text"):
            plain = "1" if type_ in _NUMBERS else _VALUES.get(type_, "'x'")
            columns[table].append((name, _NAMED.get(name, plain)))
    for table, given in columns.items():
        names = ", ".join(f'"{name}"' for name, _ in given)
        values = ", ".join(value for _, value in given)
        _as_superuser(connection, f'INSERT INTO "{table}" ({names}) VALUES ({values})')


def _as_superuser(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    """Past row security and foreign keys."""
    connection.execute(text("RESET ROLE"))
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    found = connection.execute(text(statement))
    rows = [tuple(row) for row in found] if found.returns_rows else []
    connection.execute(text("SET LOCAL session_replication_role = DEFAULT"))
    connection.execute(text("SET ROLE parvis_owner"))
    return rows
