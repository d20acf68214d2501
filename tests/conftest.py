"""Real servers, a real schema made by the migrations, and builders that name only what a test cares about."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import structlog
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from services.local.servers import ServerUrls, temporary_servers
from shared.connectors.registry import connector
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import connecting, keys, organizations
from shared.domain.scope import Scope
from shared.migrations.run import migrate
from shared.models import Brand, BrandDraft, Channel, ChannelDraft
from shared.models.enums import KeyScope, Network
from shared.models.tables import SIDE_TABLES, TABLES
from shared.settings import Settings
from shared.vault import Vault
from tests import sharing

# Plain lines: drawing each traceback with its locals, as structlog does unless told, took most of some tests' time.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
    ]
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return sharing.Sharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    sharing.long_first(items)


def on_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUrls]:
    """PostgreSQL and Valkey: those of PARVIS_TEST_* where set, else our own for this run."""
    superuser = os.environ.get("PARVIS_TEST_SUPERUSER_URL")
    if superuser:
        parts = urlsplit(superuser)

        def login(role: str, password: str) -> str:
            return f"postgresql://{role}:{password}@{parts.hostname}:{parts.port}/parvis"

        yield ServerUrls(
            superuser=superuser,
            owner=os.environ["PARVIS_TEST_OWNER_URL"],
            app=login("parvis_app", "a"),
            worker=login("parvis_worker", "w"),
            door=login("parvis_door", "d"),
            redis=os.environ["PARVIS_TEST_REDIS_URL"],
        )
        return
    with temporary_servers(tmp_path_factory.mktemp("servers")) as urls:
        yield urls


def settings_for(urls: ServerUrls, name: str, data_dir: Path, **more: object) -> Settings:
    return Settings.model_validate(
        {
            "DATABASE_URL": on_database(urls.app, name),
            "worker_database_url": on_database(urls.worker, name),
            "door_database_url": on_database(urls.door, name),
            "owner_database_url": on_database(urls.owner, name),
            "REDIS_URL": urls.redis,
            "secret_keys": ["a key of the tests"],
            "data_dir": data_dir,
            "private_networks": "127.0.0.0/8",
            **more,
        }
    )


@pytest.fixture(scope="session")
def template(servers: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database that each test's own is cloned from."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    asyncio.run(_on_superuser(servers, f'CREATE DATABASE "{name}" OWNER parvis_owner'))
    migrate(settings_for(servers, name, tmp_path_factory.mktemp("data")))
    return name


async def _on_superuser(servers: ServerUrls, statement: str) -> None:
    connection = await asyncpg.connect(servers.superuser)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@dataclass(frozen=True)
class TestDatabase:
    """A database of this test's own."""

    __test__ = False
    settings: Settings
    name: str

    @property
    def owner_url(self) -> str:
        assert self.settings.owner_database_url is not None
        return self.settings.owner_database_url

    @property
    def app_url(self) -> str:
        assert self.settings.database_url is not None
        return self.settings.database_url

    @property
    def worker_url(self) -> str:
        assert self.settings.worker_database_url is not None
        return self.settings.worker_database_url

    @property
    def door_url(self) -> str:
        assert self.settings.door_database_url is not None
        return self.settings.door_database_url


@pytest.fixture(scope="session")
def spare() -> list[str]:
    """Databases that earlier tests gave back, emptied."""
    return []


@pytest.fixture
async def database(servers: ServerUrls, template: str, spare: list[str], tmp_path: Path) -> AsyncIterator[TestDatabase]:
    """An empty database of this test's own; commits are real.

    It is cloned from the migrated template, or emptied after an earlier test, which is ten times as quick.
    """
    if spare:
        name = spare.pop()
    else:
        name = f"test_{uuid.uuid4().hex[:12]}"
        # Copying the files is four times as fast as the default for a database of this size.
        made = f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER parvis_owner STRATEGY FILE_COPY'
        await _on_superuser(servers, made)
    yield TestDatabase(settings_for(servers, name, tmp_path), name)
    try:
        await _empty(servers, name)
    except (OSError, asyncpg.PostgresError):
        # Something of the test still holds a lock, or it ended the server: the next one gets a clone.
        await _on_superuser(servers, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    else:
        spare.append(name)


async def _empty(servers: ServerUrls, name: str) -> None:
    """Delete every row. Whoever is still connected is cut off, so that nothing late comes in."""
    connection = await asyncpg.connect(on_database(servers.superuser, name))
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid();"
            "SET lock_timeout = '2s'; SET session_replication_role = replica;"
            + "".join(f'DELETE FROM "{table}";' for table in (*TABLES, *SIDE_TABLES))
        )
    finally:
        await connection.close()


@pytest.fixture
async def owner_db(database: TestDatabase) -> AsyncIterator[Database]:
    db = Database(database.owner_url, name="test owner", size=3)
    yield db
    await db.close()


@pytest.fixture
async def app_db(database: TestDatabase) -> AsyncIterator[Database]:
    db = Database(database.app_url, name="test app", size=5)
    await db.open()
    yield db
    await db.close()


@pytest.fixture
async def worker_db(database: TestDatabase) -> AsyncIterator[Database]:
    db = Database(database.worker_url, name="test worker", size=5)
    await db.open()
    yield db
    await db.close()


@dataclass(frozen=True)
class HouseBrand:
    """A brand with an owner organization, a user in it, and a key with every scope."""

    brand_id: uuid.UUID
    organization_id: uuid.UUID
    user_id: uuid.UUID
    api_key: str

    @property
    def scope(self) -> Scope:
        return Scope(self.brand_id)


@dataclass(frozen=True)
class HouseChannel:
    """A connected channel and what its network was told."""

    channel: Channel
    webhook_url: str
    secret: str
    brand: HouseBrand

    @property
    def id(self) -> uuid.UUID:
        return self.channel.id


@dataclass
class House:
    """Builds tenants through the domain's own functions."""

    owner_db: Database
    vault: Vault = field(default_factory=lambda: Vault(["a key of the tests"]))

    async def brand(self, name: str = "Dunes", timezone: str = "Europe/Brussels") -> HouseBrand:
        async with self.owner_db.session() as session:
            made = await organizations.create(
                session, name=f"{name} NV", brand=BrandDraft(name=name, timezone=timezone), user_name="Noor", now=NOW
            )
            assert made.brand is not None
            _, secret = await keys.create(
                session, organization_id=made.organization.id, user_id=made.user.id, name="test",
                scopes=[KeyScope.ALL], brand_id=None, expires_at=None, now=NOW,
            )  # fmt: skip
        return HouseBrand(made.brand.brand_id, made.organization.id, made.user.id, secret)

    async def key(self, brand: HouseBrand, *scopes_: KeyScope, expires_at: datetime | None = None) -> str:
        async with self.owner_db.session() as session:
            _, secret = await keys.create(
                session, organization_id=brand.organization_id, user_id=brand.user_id, name="narrow",
                scopes=list(scopes_), brand_id=None, expires_at=expires_at, now=NOW,
            )  # fmt: skip
        return secret

    async def channel(
        self, brand: HouseBrand, network: Network = Network.GENERIC, *, external_id: str | None = None,
        credentials: dict[str, str] | None = None, base_url: str | None = None, name: str | None = None,
    ) -> HouseChannel:  # fmt: skip
        known = connector(network)
        draft = ChannelDraft(network=network, external_id=external_id, base_url=base_url, name=name)
        async with self.owner_db.session() as session:
            scope = await scopes.house(session, brand.brand_id)
            connected = await connecting.connect(
                session, scope, self.vault, draft=draft, credentials=credentials or {}, card=known.card,
                new_secret=known.new_secret(), hook_base_url="http://127.0.0.1:8001", now=NOW,
            )  # fmt: skip
        return HouseChannel(connected.channel, connected.webhook_url, connected.secret or "", brand)


@pytest.fixture
def house(owner_db: Database) -> House:
    return House(owner_db)


@pytest.fixture
async def brand(house: House) -> HouseBrand:
    return await house.brand()


async def read_brand(db: Database, brand: HouseBrand) -> Brand:
    async with db.session() as session:
        await scopes.house(session, brand.brand_id)
        found = await session.get(Brand, brand.brand_id)
        assert found is not None
        return found
