"""Databases that a whole module of tests reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from services.local.servers import ServerUrls
from tests.conftest import TestDatabase, on_database, settings_for
from tests.connectors.loopback import receiver
from tests.tenancy import witness
from tests.tenancy.tenants import Neighbours, furnish, open_world


@asynccontextmanager
async def cloned(servers: ServerUrls, template: str, data_dir: Path) -> AsyncIterator[TestDatabase]:
    """A database of the migrated template for as long as the block takes; commits are real."""
    name = f"tenancy_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(servers.superuser)
    try:
        made = f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER parvis_owner STRATEGY FILE_COPY'
        await connection.execute(made)
        try:
            yield TestDatabase(settings_for(servers, name, data_dir), name)
        finally:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def schema(
    servers: ServerUrls, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[asyncpg.Connection]:
    """The migrated schema, seen by a superuser; tests leave it as it is."""
    async with cloned(servers, template, tmp_path_factory.mktemp("schema")) as database:
        connection = await asyncpg.connect(on_database(servers.superuser, database.name))
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture(scope="session")
async def database(
    servers: ServerUrls, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TestDatabase]:
    """One database for the tests of scopes and keys: each makes its own tenants in it and sees no other's."""
    async with cloned(servers, template, tmp_path_factory.mktemp("tenancy")) as database:
        yield database


@pytest.fixture(scope="module")
async def neighbours(
    servers: ServerUrls, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Neighbours]:
    """Two tenants with things of every kind, in a world of the module's own."""
    async with (
        cloned(servers, template, tmp_path_factory.mktemp("neighbours")) as database,
        open_world(database, on_database(servers.superuser, database.name)) as world,
        receiver() as network,
    ):
        own, other = await furnish(world, "dunes", network.url), await furnish(world, "zeehond", network.url)
        secrets = await witness.words(world.eye, other) - await witness.words(world.eye, own)
        yield Neighbours(world, own, other, secrets)
