"""A twin of the database whose content is cut by brand, as on a cluster: what touches two cuts asks two machines.

Every statement of its connections comes back with the plan by which it was run (auto_explain, told to the client), so
that no captured text has to be explained with made-up parameters.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.pool import Pool

from services.local.servers import ServerUrls
from shared.models.tables import content_tables
from tests.conftest import on_database

CUTS = 4
_PLAN = re.compile(r"duration: [\d.]+ ms  plan:\n(.*)", re.DOTALL)
_STATEMENT = re.compile(r"(?:statement|execute [^:]+): (.*)", re.DOTALL)
_PART = re.compile(r"(.+)_cut_(\d)")


@dataclass(frozen=True)
class Planned:
    """A statement as it was run, also within a function: its text, and the cuts that its plan would look into."""

    sql: str
    cuts: frozenset[int]
    tables: frozenset[str]


@dataclass
class Record:
    """What the connections of a while have said."""

    statements: set[str] = field(default_factory=set)
    plans: set[Planned] = field(default_factory=set)

    def hear(self, _connection: Any, told: Any) -> None:
        plan = _PLAN.fullmatch(told.message)
        statement = _STATEMENT.fullmatch(told.message)
        if plan is not None:
            found = json.loads(plan[1])
            parts = [_PART.fullmatch(name) for name in _relations(found["Plan"])]
            self.plans.add(
                Planned(
                    found["Query Text"],
                    frozenset(int(part[2]) for part in parts if part is not None),
                    frozenset(part[1] for part in parts if part is not None),
                )
            )
        elif statement is not None:
            self.statements.add(statement[1])


def _relations(plan: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in plan:
        yield plan["Relation Name"]
    for target in plan.get("Target Tables", ()):
        yield target["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from _relations(inner)


@contextmanager
def recording() -> Iterator[Record]:
    """Listen to every connection that a SQLAlchemy pool opens meanwhile."""
    record = Record()

    def on_connect(connection: Any, _: Any) -> None:
        connection.driver_connection.add_log_listener(record.hear)

    event.listen(Pool, "connect", on_connect)
    try:
        yield record
    finally:
        event.remove(Pool, "connect", on_connect)


async def cut_by_brand(owner: asyncpg.Connection) -> None:
    """Make each content table again, partitioned by its brand, with all its keys, policies and grants."""
    keys = await owner.fetch(
        "SELECT conrelid::regclass::text AS of, conname, pg_get_constraintdef(oid) AS is FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = ANY ($1::regclass[])",
        [f'"{table}"' for table in content_tables()],
    )
    for key in keys:
        await owner.execute(f'ALTER TABLE {key["of"]} DROP CONSTRAINT "{key["conname"]}"')
    for table in content_tables():
        await owner.execute(f"""
            ALTER TABLE "{table}" RENAME TO "{table}_whole";
            CREATE TABLE "{table}" (LIKE "{table}_whole" INCLUDING ALL) PARTITION BY HASH (brand_id);
            DROP TABLE "{table}_whole";
            ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;
            ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;
            CREATE POLICY tenant ON "{table}" USING (brand_id = ANY (parvis.seen_brands()))
                                              WITH CHECK (brand_id = ANY (parvis.seen_brands()));
            GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO parvis_app, parvis_worker;
        """)
        for cut in range(CUTS):
            await owner.execute(
                f'CREATE TABLE "{table}_cut_{cut}" PARTITION OF "{table}"'
                f" FOR VALUES WITH (MODULUS {CUTS}, REMAINDER {cut})"
            )
    for key in keys:
        await owner.execute(f'ALTER TABLE {key["of"]} ADD CONSTRAINT "{key["conname"]}" {key["is"]}')


@asynccontextmanager
async def talkative(servers: ServerUrls, name: str) -> AsyncIterator[asyncpg.Connection]:
    """Let the database tell its clients each statement and plan; a superuser's connection of before that."""
    connection = await asyncpg.connect(on_database(servers.superuser, name))
    try:
        await connection.execute("LOAD 'auto_explain'")
        for setting, value in {
            "session_preload_libraries": "auto_explain",
            "auto_explain.log_min_duration": "0",
            "auto_explain.log_nested_statements": "on",
            "auto_explain.log_format": "json",
            "auto_explain.log_verbose": "off",
            "log_statement": "all",
            "client_min_messages": "log",
            "log_min_messages": "fatal",  # the client is told, the server's log need not be
        }.items():
            await connection.execute(f"""ALTER DATABASE "{name}" SET {setting} = '{value}'""")
        yield connection
    finally:
        await connection.close()
