"""The benchmarks of reading in their short form: what they compare is compared here, without Node and without speed."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.insight import rollups
from shared.models.enums import Network
from tests.benchmarks import calendar, growth, page, search, share, voice
from tests.benchmarks.crowd import Crowd, Presence, Tenant
from tests.benchmarks.filling import ZONE, Filled, fill, filled
from tests.benchmarks.measuring import Plan
from tests.benchmarks.rig import Rig, rig
from tests.conftest import TestDatabase

MENTIONS = 2_000
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, Plan]]:
    work = tmp_path_factory.mktemp("bench")
    with rig(work) as made:
        yield made, Plan(work, rounds=1, short=True)


async def test_every_side_gives_the_same_pages(bench: tuple[Rig, Plan]) -> None:
    database, what = await filled(*bench, MENTIONS)
    sides, missing = await page.compare(*bench, database, what, with_node=False)
    assert [it.name for it in sides] == [page.PARVIS, page.LOADERS, page.LIMIT]
    assert missing is not None


async def test_both_doors_show_the_same_month(bench: tuple[Rig, Plan]) -> None:
    assert [it.name for it in (await calendar.measure(*bench)).sides] == [calendar.REST, calendar.GRAPHQL]


async def test_sums_graphql_and_counting_give_the_same_figures(bench: tuple[Rig, Plan]) -> None:
    assert len((await share.measure(*bench)).sides) == 5


async def test_search_and_the_flat_index_find_the_same(bench: tuple[Rig, Plan]) -> None:
    found = await search.measure(*bench)
    assert len(found.sides) == 4 * (1 + len(search.KINDS))
    assert "the same mentions in the same order" in found.verified


async def test_the_sums_of_matches_and_counting_give_the_same_shares(bench: tuple[Rig, Plan]) -> None:
    assert [it.name for it in (await voice.measure(*bench)).sides] == [voice.SUMS, voice.WHOLE, voice.COUNTED]


async def test_pages_and_new_mentions_are_measured_at_every_size(bench: tuple[Rig, Plan]) -> None:
    names = [it.name for it in (await growth.measure(*bench)).sides]
    assert names == [
        f"{what} at {size} mentions" for what in (growth.PAGE, growth.MENTION) for size in ("2,000", "4,000")
    ]


@pytest.fixture(scope="module")
async def full(bench: tuple[Rig, Plan]) -> AsyncIterator[tuple[TestDatabase, Filled]]:
    """A database with everything that can be filled in."""
    async with bench[0].database() as database:
        secret = database.settings.secret_keys[0].get_secret_value()
        yield database, await fill(database.owner_url, secret, MENTIONS, seed=1)


async def test_what_is_filled_is_what_the_code_would_have_kept(full: tuple[TestDatabase, Filled]) -> None:
    database, what = full
    db = Database(database.app_url, name="test", size=1)
    try:
        async with db.reading() as session:
            await scopes.house(session, what.brand.brand_id)
            zone = ZoneInfo(ZONE)
            assert await rollups.recount(session, what.brand.brand_id, zone, what.since, what.until) == []
    finally:
        await db.close()
    connection = await asyncpg.connect(database.app_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT parvis.scope($1::text)", str(what.brand.brand_id))
            assert await connection.fetchval("SELECT count(*) FROM mention WHERE heard") == what.of_brand
            lost = "SELECT count(*) FROM mention m LEFT JOIN thread t USING (brand_id) WHERE t.id = m.thread_id"
            assert await connection.fetchval(lost) == what.of_brand
            found = "SELECT count(*) FROM parvis.search_mentions('Lieferung', NULL, NULL, NULL, NULL, 1000)"
            assert await connection.fetchval(found) > 0
        assert await connection.fetchval("SELECT count(*) FROM mention") == 0
    finally:
        await connection.close()


async def test_filling_leaves_the_schema_as_the_migrations_made_it(
    bench: tuple[Rig, Plan], full: tuple[TestDatabase, Filled]
) -> None:
    async with bench[0].database() as empty:
        assert await _schema(full[0].owner_url) == await _schema(empty.owner_url)


def test_a_crowd_says_the_same_for_the_same_seed() -> None:
    first, again, other = (_lines(seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def _lines(seed: int) -> list[str]:
    ids = Random(0)
    channels = [Presence(UUID(int=ids.getrandbits(128)), Network.GENERIC) for _ in range(2)]
    crowd = Crowd([Tenant(UUID(int=ids.getrandbits(128)), channels, 1.0)], 300, UNTIL, seed)
    lines = [*crowd.identities(), *crowd.mentions(), *crowd.threads()]
    moments = [line.split("\t")[15] for line in lines if line.count("\t") > 20]
    assert moments == sorted(moments)
    assert (
        UNTIL - timedelta(days=731) < datetime.fromisoformat(moments[0]) < datetime.fromisoformat(moments[-1]) < UNTIL
    )
    return lines


async def _schema(url: str) -> list[tuple[str, ...]]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT relname::text, relrowsecurity::text, relforcerowsecurity::text FROM pg_class"
            "  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname !~ '_[0-9]{6}$'"
            " UNION ALL SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text FROM pg_index"
            "  WHERE indrelid::regclass::text IN ('mention', 'identity', 'thread', 'mention_search')"
            " UNION ALL SELECT conname, pg_get_constraintdef(oid), convalidated::text FROM pg_constraint"
            "  WHERE conrelid::regclass::text IN ('mention', 'identity', 'thread') ORDER BY 1, 2"
        )
        return [tuple(row) for row in rows]
    finally:
        await connection.close()
