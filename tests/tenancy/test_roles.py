"""The three roles may what their service needs, and nothing that would show them more."""

from typing import Any

import asyncpg
import pytest

from shared.models.tables import TABLES, content_tables

Catalogue = asyncpg.Connection
ROLES = ("parvis_app", "parvis_worker", "parvis_door")
PEOPLE = {"organization", "user", "membership", "team", "team_member", "grant", "api_key"}

GRANTS = """
SELECT c.relname::text, NULL::text, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
 WHERE a.grantee = $1::regrole AND c.relnamespace IN ('public'::regnamespace, 'parvis'::regnamespace)
UNION ALL
SELECT c.relname::text, t.attname::text, a.privilege_type FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid,
       aclexplode(t.attacl) a
 WHERE a.grantee = $1::regrole AND c.relnamespace IN ('public'::regnamespace, 'parvis'::regnamespace)
"""


async def grants(schema: Catalogue, role: str) -> set[tuple[Any, ...]]:
    return {tuple(row) for row in await schema.fetch(GRANTS, role)}


async def functions(schema: Catalogue, role: str) -> set[str]:
    found = await schema.fetch(
        "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'parvis'::regnamespace"
        " AND has_function_privilege($1::text, p.oid, 'EXECUTE')",
        role,
    )
    return {row["proname"] for row in found}


@pytest.mark.parametrize("role", ROLES)
async def test_a_services_role_is_an_ordinary_one(schema: Catalogue, role: str) -> None:
    powers = (
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = $1"
    )
    found = await schema.fetchrow(powers, role)
    assert found is not None
    assert tuple(found) == (False,) * 5


@pytest.mark.parametrize("role", ROLES)
async def test_a_services_role_owns_nothing_and_belongs_to_no_owner(schema: Catalogue, role: str) -> None:
    owned = "SELECT count(*) FROM pg_shdepend WHERE refobjid = $1::regrole AND deptype = 'o'"
    assert await schema.fetchval(owned, role) == 0
    owners = (
        "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND pg_has_role($1::name, relowner, 'MEMBER')"
    )
    assert await schema.fetch(owners, role) == []


@pytest.mark.parametrize("role", ROLES)
async def test_a_services_role_makes_nothing_in_our_schemas(schema: Catalogue, role: str) -> None:
    creates = "SELECT n FROM unnest(ARRAY['public', 'parvis']) AS n WHERE has_schema_privilege($1::text, n, 'CREATE')"
    assert await schema.fetch(creates, role) == []


@pytest.mark.parametrize("role", [*ROLES, "public"])
async def test_nobody_may_truncate_refer_or_attach_triggers(schema: Catalogue, role: str) -> None:
    # TRUNCATE does not ask row security; a foreign key or a trigger of one's own would look past it.
    found = await schema.fetch(
        "SELECT relname, p FROM pg_class c, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) AS p"
        " WHERE relnamespace IN ('public'::regnamespace, 'parvis'::regnamespace) AND relkind IN ('r', 'p')"
        " AND has_table_privilege($1::text, c.oid, p)",
        role,
    )
    assert found == []


async def test_the_door_puts_arrivals_in_and_sees_only_whether_they_were_there(schema: Catalogue) -> None:
    assert await grants(schema, "parvis_door") == {
        ("arrival", None, "INSERT"),
        ("arrival", "id", "SELECT"),
        ("arrival", "hook_id", "SELECT"),
        ("arrival", "key", "SELECT"),
        ("hook", None, "SELECT"),
    }


async def test_the_worker_sees_nothing_of_people_their_keys_or_the_hooks_secrets(schema: Catalogue) -> None:
    found = await grants(schema, "parvis_worker")
    assert {table for table, _, _ in found} & (PEOPLE | {"idempotency_key", "app", "consent"}) == set()
    hook = {(column, privilege) for table, column, privilege in found if table == "hook"}
    assert hook == {
        (column, "SELECT")
        for column in (
            "id",
            "network",
            "brand_id",
            "channel_id",
            "app_id",
            "external_id",
            "key_digests",
            "removed_at",
            "through_app_id",
            "granted_by",
            "granted_at",
        )
    } | {("granted_by", "UPDATE")}


async def test_the_api_reads_people_and_keys_but_makes_none(schema: Catalogue) -> None:
    found = await grants(schema, "parvis_app")
    # But for the language that a user chooses, and nobody else for them.
    assert {(table, column) for table, column, privilege in found if table in PEOPLE and privilege != "SELECT"} == {
        ("user", "language")
    }
    rules = await schema.fetch(
        "SELECT pg_get_expr(polqual, polrelid) AS rule FROM pg_policy"
        " WHERE polrelid = '\"user\"'::regclass AND polcmd = 'w' AND NOT polpermissive"
    )
    assert [row["rule"] for row in rules] == ["(id = parvis.seen_user())"]
    assert {table for table, _, _ in found} & {"lease"} == set()


async def test_the_api_makes_no_app_that_has_a_hook_and_takes_none_away(schema: Catalogue) -> None:
    found = await grants(schema, "parvis_app")
    assert {(column, privilege) for table, column, privilege in found if table == "app" and column is None} == {
        (None, "SELECT"),
        (None, "INSERT"),
    }
    checks = await schema.fetch(
        "SELECT polcmd::text, pg_get_expr(polwithcheck, polrelid) AS rule FROM pg_policy"
        " WHERE polrelid = 'app'::regclass AND polcmd <> 'r'"
    )
    assert {row["polcmd"] for row in checks} == {"a", "w"}
    assert all("hook_id IS NULL" in row["rule"] for row in checks)


async def test_a_consent_is_seen_by_the_user_who_asked_and_on_its_brand_only(schema: Catalogue) -> None:
    (rule,) = await schema.fetch(
        "SELECT pg_get_expr(polqual, polrelid) AS seen, pg_get_expr(polwithcheck, polrelid) AS made FROM pg_policy"
        " WHERE polrelid = 'consent'::regclass"
    )
    assert rule["seen"] == "((brand_id = ANY (parvis.seen_brands())) AND (user_id = parvis.seen_user()))"
    assert rule["made"] is None


@pytest.mark.parametrize("role", ["parvis_app", "parvis_worker"])
async def test_the_audit_log_only_grows(schema: Catalogue, role: str) -> None:
    found = await grants(schema, role)
    assert {privilege for table, _, privilege in found if table == "audit_entry"} == {"SELECT", "INSERT"}


@pytest.mark.parametrize("role", ["parvis_app", "parvis_worker"])
async def test_content_is_read_and_written_by_the_api_and_the_worker(schema: Catalogue, role: str) -> None:
    found = await grants(schema, role)
    for table in content_tables():
        assert {privilege for name, column, privilege in found if name == table and column is None} == {
            "SELECT", "INSERT", "UPDATE", "DELETE",
        }, table  # fmt: skip


async def test_the_public_is_granted_nothing(schema: Catalogue) -> None:
    found = await schema.fetch(
        "SELECT relname FROM pg_class c, aclexplode(c.relacl) a WHERE a.grantee = 0"
        " AND relnamespace IN ('public'::regnamespace, 'parvis'::regnamespace)"
    )
    assert found == []
    assert await schema.fetchval("SELECT has_schema_privilege('public', 'public', 'USAGE')") is False
    assert TABLES


async def test_only_the_api_looks_up_keys_and_only_the_worker_takes_from_the_search(schema: Catalogue) -> None:
    app, worker, door = [await functions(schema, role) for role in ROLES]
    assert {"enter", "touch_key"} <= app
    assert not {"enter", "touch_key"} & (worker | door)
    writing = {"forget_mentions", "ensure_partitions", "forget_idempotency_keys"}
    assert {"index_mentions", *writing} <= worker
    assert "index_mentions" in app  # for a language that a person corrects
    assert "index_mentions" not in door
    assert not writing & (app | door)
    assert "search_mentions" not in door
