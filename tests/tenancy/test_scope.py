"""A transaction sees the brands that it asked for: not before, not after, and nobody else's."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from shared.connectors.registry import CARDS
from shared.domain.publishing import posts
from shared.domain.publishing.posts import PostDraft
from shared.ids import new_uuid
from shared.models.tables import SIDE_TABLES, content_tables
from tests.conftest import NOW, House, HouseBrand, TestDatabase

Login = asyncpg.Connection
BOTH = pytest.mark.parametrize("login", ["app", "worker"], indirect=True)
Refused = asyncpg.InsufficientPrivilegeError


@pytest.fixture
async def login(database: TestDatabase, request: pytest.FixtureRequest) -> AsyncIterator[Login]:
    """One connection under a service's role; the app's where the test names none."""
    connection = await asyncpg.connect(getattr(database, f"{getattr(request, 'param', 'app')}_url"))
    yield connection
    await connection.close()


@pytest.fixture
async def other(house: House) -> HouseBrand:
    """Another tenant, with a channel and a post."""
    return await furnished(house, "Zeehond")


async def furnished(house: House, name: str) -> HouseBrand:
    brand = await house.brand(name)
    channel = await house.channel(brand)
    async with house.owner_db.session() as session:
        await see(session, brand)
        draft = PostDraft.model_validate({"text": f"from {name}", "channel_ids": [str(channel.id)]})
        await posts.create(session, brand.scope, draft=draft, cards=CARDS, now=NOW)
    return brand


async def see(session: Any, brand: HouseBrand) -> None:
    raw = await (await session.connection()).get_raw_connection()
    await scope(raw.driver_connection, brand)


async def scope(connection: Login, *brands: HouseBrand) -> None:
    await connection.execute("SELECT parvis.scope($1::text)", ",".join(str(brand.brand_id) for brand in brands))


async def names(connection: Login) -> list[str]:
    return [row["name"] for row in await connection.fetch("SELECT name FROM brand ORDER BY name")]


@BOTH
async def test_without_a_scope_there_is_nothing(login: Login, other: HouseBrand) -> None:
    for table in content_tables():
        assert await login.fetchval(f'SELECT count(*) FROM "{table}"') == 0, table


@BOTH
async def test_the_scope_shows_its_brands_and_no_other(
    login: Login, house: House, brand: HouseBrand, other: HouseBrand
) -> None:
    third = await house.brand("Kwal")
    async with login.transaction():
        await scope(login, brand)
        assert await names(login) == ["Dunes"]
        await scope(login, brand, third)
        assert await names(login) == ["Dunes", "Kwal"]
        await scope(login)
        assert await names(login) == []


@BOTH
async def test_the_next_transaction_on_the_connection_sees_nothing_and_does_not_raise(
    login: Login, brand: HouseBrand
) -> None:
    async with login.transaction():
        await scope(login, brand)
        assert await names(login) == ["Dunes"]
    async with login.transaction():
        assert await names(login) == []
    assert await names(login) == []


@BOTH
async def test_the_scope_ends_with_a_rollback(login: Login, brand: HouseBrand) -> None:
    transaction = login.transaction()
    await transaction.start()
    await scope(login, brand)
    await transaction.rollback()
    assert await names(login) == []


async def test_a_scope_of_a_savepoint_ends_with_its_rollback_and_else_with_the_transaction(
    login: Login, brand: HouseBrand
) -> None:
    async with login.transaction():
        await login.execute("SAVEPOINT one")
        await scope(login, brand)
        await login.execute("ROLLBACK TO SAVEPOINT one")
        assert await names(login) == []
        await scope(login, brand)
        await login.execute("RELEASE SAVEPOINT one")
        assert await names(login) == ["Dunes"]
    assert await names(login) == []


async def test_a_scope_outside_a_transaction_lasts_for_its_own_statement_only(login: Login, brand: HouseBrand) -> None:
    await scope(login, brand)
    assert await names(login) == []


@pytest.mark.parametrize(
    "bad", ["'", "x'; SET ROLE parvis_owner; --", "{brand_01}", "*", "00000000-0000-0000-0000-00000000000g"]
)
async def test_what_is_no_id_is_refused_as_a_scope(login: Login, brand: HouseBrand, bad: str) -> None:
    async with login.transaction():
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            async with login.transaction():
                await login.execute("SELECT parvis.scope($1::text)", bad)
        assert await names(login) == []


@BOTH
async def test_a_row_of_another_brand_is_neither_written_nor_changed_nor_taken(
    login: Login, owner_db: Any, brand: HouseBrand, other: HouseBrand
) -> None:
    async with login.transaction():
        await scope(login, brand)
        for made in (
            "INSERT INTO brand_sequence (brand_id, last_seq) VALUES ($1, 0)",
            "UPDATE brand SET brand_id = $1",
        ):
            with pytest.raises(Refused):
                async with login.transaction():
                    await login.execute(made, other.brand_id)
        assert await login.execute("UPDATE post SET text = '' WHERE brand_id = $1", other.brand_id) == "UPDATE 0"
        assert await login.execute("UPDATE post SET text = ''") == "UPDATE 0"
        assert await login.execute("DELETE FROM variant") == "DELETE 0"


@BOTH
async def test_every_content_table_refuses_a_row_of_another_brand(
    login: Login, brand: HouseBrand, other: HouseBrand
) -> None:
    async with login.transaction():
        await scope(login, brand)
        for table in content_tables():
            columns = await login.fetch(
                "SELECT attname, format_type(atttypid, atttypmod) AS kind, NOT attnotnull AS nullable FROM pg_attribute"
                " WHERE attrelid = quote_ident($1)::regclass AND attnum > 0 AND NOT attisdropped",
                table,
            )
            chosen = [row for row in columns if not row["nullable"]]
            values = ", ".join("$1" if row["attname"] == "brand_id" else _value(row["kind"]) for row in chosen)
            wanted = ", ".join(f'"{row["attname"]}"' for row in chosen)
            with pytest.raises(Refused):
                async with login.transaction():
                    await login.execute(f'INSERT INTO "{table}" ({wanted}) VALUES ({values})', other.brand_id)


def _value(kind: str) -> str:
    """A literal of a column's type."""
    if kind.endswith("[]"):
        return f"'{{}}'::{kind}"
    known = {"uuid": "gen_random_uuid()", "jsonb": "'{}'", "boolean": "true", "bytea": "'x'", "date": "current_date"}
    if kind in known:
        return known[kind]
    return "now()" if kind.startswith("timestamp") else "'1'" if kind.startswith(("text", "char")) else "1"


@BOTH
async def test_side_tables_and_partitions_are_closed_by_name(login: Login, brand: HouseBrand) -> None:
    partitions = await login.fetch(
        "SELECT c.relname FROM pg_class c WHERE c.relispartition AND c.relkind = 'r'"
        " AND c.relnamespace = 'public'::regnamespace"
    )
    for name in [*SIDE_TABLES, *(row["relname"] for row in partitions)]:
        for statement in (f'SELECT * FROM "{name}"', f'DELETE FROM "{name}"', f'SELECT count(*) FROM "{name}"'):
            with pytest.raises(Refused):
                await login.execute(statement)


@pytest.mark.parametrize("login", ["worker"], indirect=True)
@pytest.mark.parametrize("function", ["search_mentions", "search_oldest"])
async def test_the_search_is_written_and_read_within_the_scope_only(
    login: Login, brand: HouseBrand, other: HouseBrand, function: str
) -> None:
    index = "SELECT parvis.index_mentions($1, ARRAY[$2::uuid], ARRAY[now()], ARRAY['nl'], ARRAY['geheim genoegen'])"
    search = f"SELECT brand_id FROM parvis.{function}('geheim', NULL, NULL, NULL, NULL, 10)"
    mention = new_uuid()
    async with login.transaction():
        await scope(login, other)
        await login.execute(index, other.brand_id, mention)
        assert [row["brand_id"] for row in await login.fetch(search)] == [other.brand_id]
    async with login.transaction():
        await scope(login, brand)
        assert await login.fetch(search) == []
        for statement in (
            index,
            "SELECT parvis.forget_mentions($1, ARRAY[$2::uuid], ARRAY[now()])",
        ):
            with pytest.raises(Refused):
                async with login.transaction():
                    await login.execute(statement, other.brand_id, mention)
    async with login.transaction():
        assert await login.fetch(search) == []


async def test_the_policy_is_part_of_the_index_condition(login: Login, brand: HouseBrand) -> None:
    async with login.transaction():
        await scope(login, brand)
        await login.execute("SET LOCAL enable_seqscan = off")
        for table in content_tables():
            plan = "\n".join(row[0] for row in await login.fetch(f'EXPLAIN SELECT * FROM "{table}"'))
            assert "Index Cond: (brand_id = ANY" in plan, plan
            assert "current_setting('parvis.brands'" in plan, plan
            assert "Filter:" not in plan, plan


async def test_no_role_of_a_service_puts_row_security_off(login: Login, other: HouseBrand) -> None:
    await login.execute("SET row_security = off")
    with pytest.raises(Refused):
        await login.fetch("SELECT * FROM brand")
