"""Whatever the house says to PostgreSQL could be said to a cluster: brands stand apart, each statement asks one."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from services.local.servers import ServerUrls
from shared.db import Database
from shared.models.tables import content_tables
from tests.conftest import TestDatabase, on_database
from tests.connectors.loopback import receiver
from tests.tenancy import sql_rules
from tests.tenancy.conftest import cloned
from tests.tenancy.day import live
from tests.tenancy.tenants import open_world
from tests.tenancy.twin import CUTS, Record, cut_by_brand, recording, talkative

ROOT = Path(__file__).parents[2]
_IS_SQL = re.compile(
    r"\s*(select|insert into|update|delete from|with( recursive)? \w+)\b.*\b(from|into|set)\b",
    re.IGNORECASE | re.DOTALL,
)

# Reads over all brands of an agency: these ask every machine, knowingly.
AGENCY_READS = {
    "brands.list_: the principal's brands, a page of them": re.compile(
        r"select brand\.[\w., ]+ from brand where brand\.brand_id in \([^)]*\) (and brand\.brand_id < \$\d+ )?order by"
    ),
    "nodes.brand_of: which of the principal's brands a bare id belongs to": re.compile(
        r"select (\w+)\.brand_id from \1 where \1\.brand_id in \([^)]*\) and \1\.id = \$\d+$"
    ),
    "notifications: what one user is told, over the brands of the key": re.compile(
        r"select [^;]* from notification where notification\.brand_id in \([^)]*\) and notification\.user_id = \$\d+"
    ),
    "deliveries.search: what was sent to a user's own endpoint": re.compile(
        r"select [^;]* from webhook_delivery where webhook_delivery\.brand_id in \([^)]*\)"
        r" and webhook_delivery\.endpoint_id = \$\d+"
    ),
    "troubles.look: the operator's channels whose login is dead": re.compile(
        r"select [^;]* from channel c where c\.brand_id = any ?\(\$1\) and c\.status = "
    ),
    "troubles.look: the operator's effects that did not go out": re.compile(
        r"select [^;]* from outgoing o join channel c on c\.brand_id = o\.brand_id and c\.id = o\.channel_id"
        r" where o\.brand_id = any ?\(\$1\)"
    ),
}


def is_agency_read(sql: str) -> bool:
    return any(read.match(sql) for read in AGENCY_READS.values())


@pytest.fixture(scope="module")
async def twin(
    servers: ServerUrls, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Record, TestDatabase]]:
    """All that is said while two tenants use everything there is, on the twin; and the twin."""
    async with cloned(servers, template, tmp_path_factory.mktemp("twin")) as database:
        owner = await asyncpg.connect(database.owner_url)
        await cut_by_brand(owner)
        await owner.close()
        async with talkative(servers, database.name), receiver() as network:
            with recording() as record:
                async with open_world(database, on_database(servers.superuser, database.name)) as world:
                    await live(world, network)
            yield record, database


@pytest.fixture(scope="module")
def record(twin: tuple[Record, TestDatabase]) -> Record:
    return twin[0]


async def test_everything_was_done_that_touches_content(record: Record) -> None:
    touched = {table for plan in record.plans for table in plan.tables}
    assert set(content_tables()) - touched == set()
    assert len(record.statements) > 100


@pytest.mark.parametrize("rule", sql_rules.RULES)
async def test_no_statement_breaks_the_rule(rule: int | str, record: Record) -> None:
    found = {}
    for statement in record.statements:
        sql = sql_rules.plain(statement)
        wrong = sql_rules.RULES[rule](sql)
        if wrong is not None and not is_agency_read(sql):
            found[sql] = wrong
    assert found == {}


async def test_a_statement_asks_for_one_brands_cut(record: Record) -> None:
    found = {
        sql_rules.plain(plan.sql): (sorted(plan.tables), sorted(plan.cuts))
        for plan in record.plans
        if len(plan.cuts) > 1
    }
    wide = {sql: where for sql, where in found.items() if not is_agency_read(sql)}
    assert wide == {}


async def test_a_statement_that_names_no_brand_is_seen_to_ask_for_every_cut(twin: tuple[Record, TestDatabase]) -> None:
    with recording() as heard:
        db = Database(twin[1].worker_url, name="probe")
        async with db.session() as session:
            await session.execute(text("SELECT count(*) FROM mention"))
        await db.close()
    (plan,) = [plan for plan in heard.plans if plan.tables]
    assert plan.cuts == set(range(CUTS))
    assert sql_rules.each_content_table_has_its_brand(sql_rules.plain(plan.sql))


@pytest.mark.parametrize("read", AGENCY_READS)
async def test_the_agency_read_is_still_made(read: str, record: Record) -> None:
    said = [sql_rules.plain(statement) for statement in record.statements]
    assert [sql for sql in said if AGENCY_READS[read].match(sql)]


async def test_every_statement_in_the_code_was_heard(record: Record) -> None:
    """What stands in the code as SQL over content, and was never said above, would be held to nothing."""
    said = {_shape(statement) for statement in [*record.statements, *(plan.sql for plan in record.plans)]}
    unheard = {
        f"{path}:{line}": sql
        for path, line, sql in _written()
        if set(sql_rules.tables_in(sql_rules.plain(sql))) & sql_rules.CONTENT
        and not any(_shape(sql) in one for one in said)
    }
    assert unheard == {}, "\n".join(f"{place}: {sql}" for place, sql in unheard.items())


def _shape(sql: str) -> str:
    """A statement with each parameter, however it is written, as a question mark."""
    return re.sub(r"\s+", " ", re.sub(r"(?<!:):\w+|\$\d+(::[\w ]+?(?=\W|$))?", "?", sql)).strip().rstrip(";").lower()


def _written() -> Iterator[tuple[str, int, str]]:
    """Each text in the code that is SQL, with where it stands; of one that is put together, the longest piece."""
    theirs = ROOT / "services" / "sandbox"  # the practice network has a database of its own
    for path in sorted([*(ROOT / "shared" / "domain").rglob("*.py"), *(ROOT / "services").rglob("*.py")]):
        if path.is_relative_to(theirs):
            continue
        tree = ast.parse(path.read_text())
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                pieces = [part.value for part in node.values if isinstance(part, ast.Constant)]
                text = max((piece for piece in pieces if isinstance(piece, str)), key=len, default="")
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
                text = node.value
            else:
                continue
            if _IS_SQL.match(text):
                yield str(path.relative_to(ROOT)), node.lineno, text
