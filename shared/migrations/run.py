"""`parvis migrate`: the roles where they are missing, then the schema, by the owner."""

import asyncio
from pathlib import Path
from urllib.parse import unquote, urlsplit

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.db import driver_url
from shared.errors import ParvisError
from shared.settings import Settings

# The grants are given to these three; a login role of another name is made a member of its one.
ROLES = {"database_url": "parvis_app", "worker_database_url": "parvis_worker", "door_database_url": "parvis_door"}


class MigrationRefused(ParvisError):
    """The database can't be migrated as things stand; the message says what to do."""

    code = "migration_refused"


def alembic_config() -> Config:
    return Config(toml_file=Path(__file__).parents[2] / "pyproject.toml")


def newest_revision() -> str:
    """The revision that this code wants."""
    head = ScriptDirectory(str(Path(__file__).parent)).get_current_head()
    assert head is not None
    return head


def migrate(settings: Settings) -> str:
    """Make the roles and bring the schema up to date; says which revision it is at. Safe to run twice at once."""
    if settings.owner_database_url is None:
        raise MigrationRefused("PARVIS_OWNER_DATABASE_URL is not set: migrations run as the owner of the tables")
    logins = {role: getattr(settings, name) for name, role in ROLES.items()}
    return asyncio.run(_migrate(settings.owner_database_url, logins))


async def _migrate(owner_url: str, logins: dict[str, str | None]) -> str:
    engine = create_async_engine(driver_url(owner_url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade, logins)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, logins: dict[str, str | None]) -> str:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if version < 180000:
        raise MigrationRefused(f"PostgreSQL {version // 10000} is too old: Parvis needs 18 or newer")
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('parvis migrate'))"))
    for role, url in logins.items():
        _make_role(connection, role, url)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    for role in logins:
        database = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
        connection.execute(text(f"GRANT CONNECT ON DATABASE {database} TO {role}"))
    connection.execute(text("SELECT parvis.ensure_partitions()"))
    return newest_revision()


def _make_role(connection: Connection, role: str, url: str | None) -> None:
    login = unquote(urlsplit(url).username or "") if url else role
    password = unquote(urlsplit(url).password or "") if url else ""
    _create_role(connection, role, password if login == role else None)
    if login and login != role:
        _create_role(connection, login, password)
        member = connection.execute(
            text("SELECT pg_has_role(CAST(:login AS name), CAST(:role AS name), 'MEMBER')"),
            {"login": login, "role": role},
        ).scalar_one()
        if not member:
            connection.execute(text(f"GRANT {role} TO {_quoted(connection, login)}"))


def _create_role(connection: Connection, name: str, password: str | None) -> None:
    exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).one_or_none()
    if exists is not None:
        return
    login = "LOGIN" if password is not None else "NOLOGIN"
    secret = f" PASSWORD {_literal(connection, password)}" if password else ""
    connection.execute(text(f"CREATE ROLE {_quoted(connection, name)} {login}{secret}".replace(":", r"\:")))


def _quoted(connection: Connection, name: str) -> str:
    return str(connection.execute(text("SELECT quote_ident(:name)"), {"name": name}).scalar_one())


def _literal(connection: Connection, value: str) -> str:
    return str(connection.execute(text("SELECT quote_literal(CAST(:value AS text))"), {"value": value}).scalar_one())
