"""The lint finds what it is there to find, and lets pass what keeps the rules."""

import pytest

from tests.tenancy.sql_rules import RULES, plain, tables_in

BREAKS: list[tuple[int | str, str]] = [
    (1, "SELECT set_config('parvis.brands', $1, true)"),
    (1, "SET LOCAL parvis.brands = 'x'"),
    (1, "BEGIN; SET LOCAL jit = off"),
    (4, "INSERT INTO thread (brand_id, id) SELECT $1, * FROM unnest($2::uuid[])"),
    (4, "INSERT INTO mention AS m (brand_id) SELECT brand_id FROM thread WHERE brand_id = $1"),
    (5, "WITH new AS (INSERT INTO thread (id) VALUES ($1) RETURNING id) SELECT id FROM new, thread AS t"),
    (6, "SELECT * FROM post WHERE id = $1 FOR UPDATE"),
    (6, "SELECT * FROM post WHERE brand_id = ANY ($1) FOR NO KEY UPDATE"),
    (7, "SELECT * FROM mention WHERE id = $1"),
    (7, "SELECT * FROM mention m JOIN thread t ON t.id = m.thread_id WHERE m.brand_id = $1"),
    (7, "DELETE FROM thread t WHERE t.brand_id = $1 AND NOT EXISTS (SELECT FROM mention m WHERE m.thread_id = t.id)"),
    (7, "SELECT * FROM mention WHERE brand_id = ANY ($1)"),
    (9, "UPDATE due_poll SET leased_until = $2 WHERE id IN (SELECT id FROM due_poll LIMIT $1 FOR UPDATE SKIP LOCKED)"),
    ("9b", "UPDATE due_outgoing d SET due_at = $2 FROM outgoing o WHERE o.brand_id = $1 AND o.id = d.outgoing_id"),
    (10, "MERGE INTO thread t USING x ON true WHEN MATCHED THEN DELETE"),
    (10, "UPDATE post SET updated_at = clock_timestamp() WHERE brand_id = $1"),
    (10, "INSERT INTO thread (id) VALUES ($1) ON CONFLICT ON CONSTRAINT pk_thread DO NOTHING"),
    (10, "SELECT * FROM unnest($1::uuid[]) b LEFT JOIN mention m ON m.brand_id = b"),
]  # fmt: skip

KEEPS = [
    "SELECT parvis.scope($1)",
    "SELECT m.* FROM mention m JOIN thread t ON t.brand_id = m.brand_id AND t.id = m.thread_id WHERE m.brand_id = $1",
    "INSERT INTO thread (brand_id, id) SELECT $1, * FROM unnest($2::uuid[]) ON CONFLICT (brand_id, id) DO NOTHING",
    "SELECT * FROM post WHERE post.brand_id = $1::UUID AND post.id = $2::UUID FOR UPDATE",
    "WITH x AS MATERIALIZED (SELECT id FROM arrival LIMIT $1 FOR UPDATE SKIP LOCKED) DELETE FROM arrival a USING x",
    "UPDATE mention m SET parent_id = p.id FROM unnest($2::uuid[]) AS p (id) WHERE m.brand_id = $1 AND m.key = p.id",
]


@pytest.mark.parametrize(("rule", "sql"), BREAKS)
def test_a_broken_rule_is_found(rule: int | str, sql: str) -> None:
    assert RULES[rule](plain(sql))


@pytest.mark.parametrize("sql", KEEPS)
def test_what_keeps_the_rules_passes_them_all(sql: str) -> None:
    assert [rule(plain(sql)) for rule in RULES.values()] == [None] * len(RULES)


def test_tables_are_told_from_columns_and_texts_of_their_name() -> None:
    sql = "SELECT \"reaction\", edit FROM mention m, arrival a WHERE m.text = 'from post' -- join thread"
    assert tables_in(plain(sql)) == ["mention", "arrival"]
