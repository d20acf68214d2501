"""A database filled with millions of mentions, and all that the code would have kept beside them.

The rows come by COPY as the tables' owner, which row security binds too: for the one transaction that fills it, each
table is not forced under it, and is without the indexes and foreign keys that are made anew over all rows at the end.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.insight import rollups
from shared.ids import Prefix, typeid
from shared.migrations.run import migrate
from shared.models.enums import Network
from shared.vault import Vault
from tests.benchmarks.crowd import IDENTITY_COLUMNS, MENTION_COLUMNS, THREAD_COLUMNS, YEARS, Crowd, Presence, Tenant
from tests.benchmarks.measuring import Plan
from tests.benchmarks.rig import Rig
from tests.conftest import House, HouseBrand, TestDatabase, settings_for

ZONE = "Europe/Brussels"
_SHARES = (0.7, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01, 0.006, 0.004)
_NETWORKS = (Network.GENERIC, Network.SANDBOX, Network.GENERIC, Network.GENERIC, Network.SANDBOX, Network.GENERIC)
_CHUNK = 2000
_HOURS_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Filled:
    """What a database holds: its largest brand with its channels and key, how much is in it, and how long it took."""

    brand: HouseBrand
    channels: tuple[UUID, ...]
    mentions: int
    of_brand: int
    since: datetime
    until: datetime
    seconds: float

    @property
    def brand_name(self) -> str:
        """The brand's public id."""
        return typeid(Prefix.BRAND, self.brand.brand_id)

    def amount(self) -> str:
        """How many, for a table."""
        return f"{self.mentions:,} mentions"

    def told(self) -> str:
        """In one sentence."""
        return (
            f"{self.mentions:,} mentions of two years, {self.of_brand:,} of them the largest of {len(_SHARES)} brands',"
            f" filled by COPY in {self.seconds:.0f} s"
        )


async def fill(
    owner_url: str, secret: str, mentions: int, *, seed: int, until: datetime | None = None, search: bool = True,
    texts: Sequence[tuple[str, str]] = (),
) -> Filled:  # fmt: skip
    """Fill an empty, migrated database. `secret` is the key of the house that will read it.

    `until` is where the two years end, the last midnight unless said; `search`: with the rows of the search index;
    `texts`: what is said, each in its language.
    """
    began = time.monotonic()
    until = until or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    db = Database(owner_url, name="filling", size=2)
    try:
        tenants, brands = await _settle_in(House(db, Vault([secret])))
        crowd = Crowd(tenants, mentions, until, seed, texts)
        connection = await asyncpg.connect(owner_url, command_timeout=None)
        try:
            await _copy_all(connection, crowd)
            if search:
                await _index_texts(connection)
            await _watched_since(connection, tenants, until - YEARS)
            await _sum_up(db, connection, tenants, until)
            await connection.execute("VACUUM ANALYZE")
        finally:
            await connection.close()
    finally:
        await db.close()
    first = tenants[0]
    return Filled(
        brands[0],
        tuple(channel.id for channel in first.channels),
        mentions,
        crowd.by_brand[first.brand_id],
        until - YEARS,
        until,
        time.monotonic() - began,
    )


async def _settle_in(house: House) -> tuple[list[Tenant], list[HouseBrand]]:
    tenants, brands = [], []
    for number, share in enumerate(_SHARES):
        brand = await house.brand(f"Brand {number}", ZONE)
        networks = _NETWORKS if number == 0 else _NETWORKS[:2]
        made = [
            await house.channel(
                brand,
                network,
                external_id=f"channel-{n}",
                base_url="http://127.0.0.1:9" if network is Network.SANDBOX else None,
                credentials={"access_token": "of nobody"} if network is Network.SANDBOX else None,
            )
            for n, network in enumerate(networks)
        ]
        tenants.append(Tenant(brand.brand_id, [Presence(it.id, it.channel.network) for it in made], share))
        brands.append(brand)
    return tenants, brands


# ---------------------------------------------------------------- rows


async def _copy_all(connection: "asyncpg.Connection[Any]", crowd: Crowd) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL work_mem = '128MB'")
        bared = [await _bare(connection, table) for table in ("mention", "thread", "identity")]
        await _copy(connection, "identity", IDENTITY_COLUMNS, crowd.identities())
        await _copy(connection, "mention", MENTION_COLUMNS, crowd.mentions())
        await _copy(connection, "thread", THREAD_COLUMNS, crowd.threads())
        for statements in reversed(bared):
            for statement in statements:
                await connection.execute(statement)


async def _bare(connection: "asyncpg.Connection[Any]", table: str) -> list[str]:
    """Take off what slows a COPY down, but for the primary key; the statements that put it back."""
    await connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    constraints = await connection.fetch(
        "SELECT conname, pg_get_constraintdef(oid) AS def FROM pg_constraint"
        " WHERE conrelid = $1::text::regclass AND contype IN ('f', 'u') ORDER BY contype DESC",
        table,
    )
    for it in constraints:
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {it['conname']}")
    indexes = await connection.fetch(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS def FROM pg_index"
        " WHERE indrelid = $1::text::regclass AND NOT indisprimary",
        table,
    )
    for it in indexes:
        await connection.execute(f"DROP INDEX {it['name']}")
    return [
        *(it["def"] for it in indexes),
        *(f"ALTER TABLE {table} ADD CONSTRAINT {it['conname']} {it['def']}" for it in constraints),
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
    ]


async def _copy(
    connection: "asyncpg.Connection[Any]", table: str, columns: Sequence[str], lines: Iterator[str]
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        while chunk := "".join(islice(lines, _CHUNK)):
            yield chunk.encode()
            await asyncio.sleep(0)

    await connection.copy_to_table(table, source=chunks(), columns=list(columns), format="text")


# ---------------------------------------------------------------- what the code keeps beside them


async def _index_texts(connection: "asyncpg.Connection[Any]") -> None:
    """The rows of the search index; its GIN indexes are built over all of them at once."""
    async with connection.transaction():
        await connection.execute("SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL statement_timeout = 0")
        await connection.execute("SELECT parvis.ensure_partitions()")
        definition = await connection.fetchval("SELECT pg_get_indexdef('ix_mention_search_tsv'::regclass)")
        await connection.execute("DROP INDEX ix_mention_search_tsv; ALTER TABLE mention NO FORCE ROW LEVEL SECURITY")
        await connection.execute(
            "INSERT INTO mention_search (brand_id, mention_id, published_at, language, tsv)"
            " SELECT brand_id, id, published_at, language, parvis.search_vector(parvis.search_config(language), text)"
            " FROM mention WHERE heard AND text IS NOT NULL"
        )
        await connection.execute(definition.replace(" ON ONLY ", " ON "))
        await connection.execute("ALTER TABLE mention FORCE ROW LEVEL SECURITY")


async def _watched_since(connection: "asyncpg.Connection[Any]", tenants: Sequence[Tenant], since: datetime) -> None:
    """Every channel is observed from the first day on."""
    async with connection.transaction():
        await connection.execute("SELECT parvis.scope($1::text)", ",".join(str(t.brand_id) for t in tenants))
        await connection.execute("UPDATE coverage SET from_at = $1", since)
        await connection.execute("UPDATE channel SET created_at = $1", since)


async def _sum_up(
    db: Database, connection: "asyncpg.Connection[Any]", tenants: Sequence[Tenant], until: datetime
) -> None:
    """The sums of every day by the code's own recount, and of the hours that are kept."""
    for tenant in tenants:
        async with db.session() as session:
            await scopes.house(session, tenant.brand_id)
            await rollups.rebuild(session, tenant.brand_id, ZoneInfo(ZONE))
    async with connection.transaction():
        await connection.execute("SELECT parvis.scope($1::text)", ",".join(str(t.brand_id) for t in tenants))
        await connection.execute(
            f"INSERT INTO rollup_hour (brand_id, hour, {', '.join(rollups.SUMS)})"
            f" SELECT brand_id, date_trunc('hour', published_at, 'UTC'), {rollups.COUNTED}"
            " FROM mention WHERE heard AND deleted_at IS NULL AND published_at >= $1"
            " GROUP BY 1, 2 ON CONFLICT DO NOTHING",
            until - _HOURS_KEPT,
        )


# ---------------------------------------------------------------- one for all benchmarks of a run


async def filled(
    rig: Rig, plan: Plan, mentions: int, *, search: bool = False, texts: Sequence[tuple[str, str]] = ()
) -> tuple[TestDatabase, Filled]:
    """A database with this many mentions, which stays as long as the rig's servers: pages and figures are read from it.

    Without `search` it lacks the search index's rows, which neither looks at; `texts` of its own are in another one.
    The first benchmark of a run that asks for it has it filled.
    """
    name = f"filled_{mentions}" + ("_search" if search else "") + ("_texts" if texts else "")
    note = rig.work / f"{name}.json"
    database = TestDatabase(settings_for(rig.urls, name, rig.work, rate_limit=10_000_000), name)
    if note.exists():
        return database, _noted(json.loads(note.read_text("utf-8")))
    connection = await asyncpg.connect(rig.urls.superuser)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" OWNER parvis_owner')
    finally:
        await connection.close()
    await asyncio.to_thread(migrate, database.settings)
    secret = database.settings.secret_keys[0].get_secret_value()
    found = await fill(database.owner_url, secret, mentions, seed=plan.seed, search=search, texts=texts)
    note.write_text(json.dumps(asdict(found), default=str), "utf-8")
    return database, found


def _noted(kept: dict[str, Any]) -> Filled:
    brand = kept["brand"]
    ids = {name: UUID(brand[name]) for name in ("brand_id", "organization_id", "user_id")}
    return Filled(
        HouseBrand(**ids, api_key=brand["api_key"]),
        tuple(map(UUID, kept["channels"])),
        kept["mentions"],
        kept["of_brand"],
        datetime.fromisoformat(kept["since"]),
        datetime.fromisoformat(kept["until"]),
        kept["seconds"],
    )


@asynccontextmanager
async def widen(database: TestDatabase, what: Filled, times: int) -> AsyncIterator[None]:
    """For the length of the block the largest brand's sums are those of `times` as many mentions."""
    connection = await asyncpg.connect(database.owner_url)

    async def rewrite(how: str) -> None:
        async with connection.transaction():
            await connection.execute("SELECT parvis.scope($1::text)", str(what.brand.brand_id))
            await connection.execute(
                f"UPDATE rollup_day SET {', '.join(f'{name} = {name} {how} $2' for name in rollups.SUMS)}"
                " WHERE brand_id = $1",
                what.brand.brand_id,
                times,
            )
        await connection.execute("VACUUM ANALYZE rollup_day")

    try:
        await rewrite("*")
        try:
            yield
        finally:
            await rewrite("/")
    finally:
        await connection.close()
