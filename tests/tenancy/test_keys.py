"""A key opens its own organization's brands while it holds, and shows nothing of anybody else's."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.scope import Principal
from shared.errors import NotAuthenticated, NotFound
from shared.ids import new_uuid
from shared.models.enums import KeyScope
from shared.vault import hash_key
from tests.conftest import House, HouseBrand, TestDatabase

Login = asyncpg.Connection


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[Login]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def app(database: TestDatabase) -> AsyncIterator[Login]:
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


async def entered(app_db: Database, key: str) -> Principal:
    async with app_db.reading() as session:
        return await scopes.enter(session, key)


async def _grant(owner: Login, to: HouseBrand, on: HouseBrand) -> None:
    await owner.execute(
        'INSERT INTO "grant" (id, organization_id, brand_id, role) VALUES ($1, $2, $3, $4)',
        new_uuid(), to.organization_id, on.brand_id, "viewer",
    )  # fmt: skip


async def bound_key(house: House, owner: Login, brand: HouseBrand, brand_id: UUID) -> str:
    """A key of this tenant that is bound to a brand, whether it has a grant on it or not."""
    secret = await house.key(brand, KeyScope.ALL)
    await owner.execute("UPDATE api_key SET brand_id = $2 WHERE hash = $1", hash_key(secret), brand_id)
    return secret


async def test_a_key_opens_the_brands_granted_to_its_organization(
    app_db: Database, owner: Login, brand: HouseBrand, house: House
) -> None:
    other = await house.brand("Zeehond")
    assert set((await entered(app_db, brand.api_key)).brands) == {brand.brand_id}
    await _grant(owner, brand, other)
    found = await entered(app_db, brand.api_key)
    assert {b: role.value for b, role in found.brands.items()} == {brand.brand_id: "owner", other.brand_id: "viewer"}


async def test_a_key_bound_to_a_brand_opens_that_one_and_only_where_it_is_granted(
    app_db: Database, owner: Login, house: House, brand: HouseBrand
) -> None:
    other = await house.brand("Zeehond")
    own = await bound_key(house, owner, brand, brand.brand_id)
    await _grant(owner, brand, await house.brand("Kwal"))
    assert set((await entered(app_db, own)).brands) == {brand.brand_id}
    # Being bound to a brand is no grant on it.
    bound = await bound_key(house, owner, brand, other.brand_id)
    assert set((await entered(app_db, bound)).brands) == set()
    async with app_db.session() as session:
        principal = await scopes.enter(session, bound)
        with pytest.raises(NotFound):
            await scopes.open_brand(session, principal, other.brand_id)


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE api_key SET revoked_at = now()",
        "UPDATE api_key SET expires_at = now() - interval '1 second'",
        "DELETE FROM api_key",
    ],
)
async def test_a_key_that_holds_no_more_opens_nothing(
    app_db: Database, owner: Login, brand: HouseBrand, ending: str
) -> None:
    await entered(app_db, brand.api_key)
    await owner.execute(ending)
    with pytest.raises(NotAuthenticated):
        await entered(app_db, brand.api_key)


@pytest.mark.parametrize("wrong", ["", "pv_", "pv_wrong", "'; --", "\x00"])
async def test_what_is_no_key_opens_nothing(app_db: Database, brand: HouseBrand, wrong: str) -> None:
    with pytest.raises(NotAuthenticated):
        await entered(app_db, wrong)
    with pytest.raises(NotAuthenticated):
        await entered(app_db, brand.api_key[:-1])


async def test_a_key_says_who_acts_for_its_transaction_only(app: Login, brand: HouseBrand) -> None:
    async with app.transaction():
        await app.fetch("SELECT * FROM parvis.enter($1)", hash_key(brand.api_key))
        assert await app.fetchval("SELECT parvis.seen_organization()") == brand.organization_id
        assert await app.fetchval("SELECT parvis.seen_user()") == brand.user_id
    assert await app.fetchval("SELECT parvis.seen_organization()") is None
    assert await app.fetchval("SELECT parvis.seen_user()") is None


async def test_the_api_reads_the_keys_people_and_grants_of_its_principals_organization_only(
    app: Login, brand: HouseBrand, house: House
) -> None:
    other = await house.brand("Zeehond")
    await house.channel(other)
    seen = {
        "api_key": "organization_id", "organization": "id", "membership": "organization_id", '"user"': "id",
        '"grant"': "organization_id", "audit_entry": "organization_id",
    }  # fmt: skip
    async with app.transaction():
        await app.fetch("SELECT * FROM parvis.enter($1)", hash_key(brand.api_key))
        for table, column in seen.items():
            found = {row[0] for row in await app.fetch(f"SELECT {column} FROM {table}")}
            assert found <= {brand.organization_id, brand.user_id}, table
            assert found or table == "audit_entry", table
    for table in [*seen, "hook", "arrival", "due_poll", "due_outgoing", "idempotency_key", "team", "team_member"]:
        assert await app.fetch(f"SELECT * FROM {table}") == [], table


async def test_an_idempotency_key_is_its_principals(app: Login, brand: HouseBrand, house: House) -> None:
    other = await house.brand("Zeehond")
    keep = "INSERT INTO idempotency_key (principal_id, key, digest, answer) VALUES ($1, 'k', 'x', '{}')"
    async with app.transaction():
        await app.fetch("SELECT * FROM parvis.enter($1)", hash_key(other.api_key))
        await app.execute(keep, other.user_id)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with app.transaction():
                await app.execute(keep, brand.user_id)
    async with app.transaction():
        await app.fetch("SELECT * FROM parvis.enter($1)", hash_key(brand.api_key))
        assert await app.fetch("SELECT * FROM idempotency_key") == []


async def test_an_arrival_or_hook_is_not_moved_to_another_brand(
    app: Login, owner: Login, brand: HouseBrand, house: House
) -> None:
    other = await house.brand("Zeehond")
    channel = await house.channel(brand)
    await owner.execute(
        "INSERT INTO arrival (id, hook_id, key, network, source, brand_id, channel_id, unattributed, headers, body,"
        " stamp, received_at, state, claims, problems, ignored, mention_keys) VALUES ($1, $2, 'k', 'generic',"
        " 'webhook', $3, $4, false, '{}', 'x', now(), now(), 'received', 0, '[]', '[]', '{}')",
        new_uuid(), channel.channel.hook_id, brand.brand_id, channel.id,
    )  # fmt: skip
    async with app.transaction():
        await app.execute("SELECT parvis.scope($1::text)", str(brand.brand_id))
        for table in ("arrival", "hook"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with app.transaction():
                    await app.execute(f"UPDATE {table} SET brand_id = $1", other.brand_id)


async def test_the_door_reads_no_body_header_or_brand_of_an_arrival(database: TestDatabase) -> None:
    door = await asyncpg.connect(database.door_url)
    try:
        await door.fetch("SELECT id, hook_id, key FROM arrival")
        for what in ("body", "headers", "brand_id", "*"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await door.fetch(f"SELECT {what} FROM arrival")
        for statement in ("UPDATE arrival SET key = ''", "DELETE FROM arrival", "SELECT * FROM brand",
                          "SELECT * FROM mention", "SELECT * FROM api_key"):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await door.execute(statement)
    finally:
        await door.close()
