"""Whatever the house says to PostgreSQL could be said to a cluster: brands stand apart, each statement asks one."""

import ast
import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.api.schema import SCHEMA
from services.ingest import handlers, polling
from services.scheduler import sweeps
from services.scheduler.house import House as SchedulersHouse
from services.scheduler.sending import Sending
from services.servers import ServerUrls
from shared.ids import Prefix
from shared.models.tables import content_tables
from tests.conftest import on_database
from tests.connectors.loopback import Receiver, Reply, receiver
from tests.tenancy import graphql_operations as graphql
from tests.tenancy import rest_operations as rest
from tests.tenancy import sql_rules
from tests.tenancy.conftest import cloned
from tests.tenancy.socket import connected
from tests.tenancy.tenants import Tenant, World, furnish, number, open_world
from tests.tenancy.twin import Record, cut_by_brand, recording, talkative

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
}


def is_agency_read(sql: str) -> bool:
    return any(read.match(sql) for read in AGENCY_READS.values())


@pytest.fixture(scope="module")
async def record(servers: ServerUrls, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    """All that is said while two tenants use everything there is, on the twin."""
    async with cloned(servers, template, tmp_path_factory.mktemp("twin")) as database:
        owner = await asyncpg.connect(database.owner_url)
        await cut_by_brand(owner)
        await owner.close()
        async with talkative(servers, database.name), receiver() as network:
            with recording() as record:
                async with open_world(database, on_database(servers.superuser, database.name)) as world:
                    await _live(world, network)
        yield record


async def _live(world: World, network: Receiver) -> None:
    """Everything that the house does, once."""
    first, second = await furnish(world, "dunes", network.url), await furnish(world, "zeehond", network.url)
    await _read(world, first)
    await _mutate(world, second)
    await _subscribe(world, first)
    await _send(world, network)
    await _poll(world, network)
    await _use_rest(world, first)
    await handlers.drain(world.worker)
    await number(world)
    await _sweep(world)


async def _use_rest(world: World, tenant: Tenant) -> None:
    operations = rest.operations(world.app.openapi())
    last = ("cancel_post", "delete_post", "remove_channel")
    for operation in sorted(operations, key=lambda one: last.index(one.id) if one.id in last else -1):
        if operation.id == "delete_post":
            continue  # below, another one
        ask = operation.ask(lambda _: tenant)
        for headers in ({}, {"idempotency-key": f"{operation.id} again"}):
            answer = await world.api.request(
                ask.method,
                ask.url,
                params=ask.params,
                json=ask.json,
                headers={**tenant.headers, **ask.headers, **headers},
            )
            assert answer.status_code < 500, (ask, answer.text)
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}"
    answer = await world.api.patch(place, json={"timezone": "America/New_York"}, headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    answer = await world.api.delete(f"{place}/posts/{tenant.ids[Prefix.POST][1]}", headers=tenant.headers)
    assert answer.status_code == 204, answer.text
    dimensions = {"group_by": ["channel", "kind", "network", "language"], "interval": "hour", "language": "nl"}
    times = {
        "keys": ["mentions", "authors", "posts", "engagement"],
        "from": "2026-11-19T00:00:00Z",
        "to": "2026-11-21T00:00:00Z",
    }
    for change in (
        {}, {"language": []}, {"language": [], "interval": "day"}, {"language": [], "interval": "day", "group_by": []}, {"language": [], "group_by": []},
    ):  # fmt: skip
        answer = await world.api.get(
            f"{place}/metrics", params={**times, **dimensions, **change}, headers=tenant.headers
        )
        assert answer.status_code < 500, answer.text


async def _read(world: World, tenant: Tenant) -> None:
    schema = SCHEMA._schema
    asked = [graphql.node(schema, prefix, tenant.id(prefix)) for prefix in graphql.NODES.values()]
    for place in graphql.places(schema):
        asked += [place.ask(schema, tenant, arguments) for arguments in ({}, *place.foreign(tenant))]
    for one in asked:
        await _ask(world, tenant, one)


async def _mutate(world: World, tenant: Tenant) -> None:
    schema = SCHEMA._schema
    for name in sorted(
        graphql.mutations(schema), key=lambda one: (one.startswith(("remove", "delete")), one == "cancelPost")
    ):
        await _ask(world, tenant, graphql.mutation(schema, name, lambda _: tenant))


async def _ask(world: World, tenant: Tenant, asked: graphql.Asked) -> None:
    body = {"query": asked.query, "variables": asked.variables}
    answer = await world.api.post("/graphql", json=body, headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    assert "errors" not in answer.json(), answer.text


async def _subscribe(world: World, tenant: Tenant) -> None:
    async with connected(world.app, tenant.brand.api_key) as socket:
        query = "subscription S($b: ID!, $a: Int) { mentions(brandId: $b, after: $a) { seq mention { id } } }"
        message = await socket.subscribe(query, {"b": tenant.id(Prefix.BRAND), "a": 0})
        assert message["type"] == "next"
        await socket.subscribe(query, {"b": tenant.id(Prefix.BRAND), "a": None})
        await asyncio.sleep(0.1)


def _scheduler(world: World) -> SchedulersHouse:
    worker = world.worker
    return SchedulersHouse(worker.db, worker.queues, worker.vault, worker.http, worker.settings)


async def _send(world: World, network: Receiver) -> None:
    """What is due goes out: here it is taken, there refused, there nothing is known of it."""
    await world.eye.execute("UPDATE due_outgoing SET due_at = now()")
    network.replies[("POST", "/dunes")] = Reply(200, json.dumps({"id": "outside-1"}).encode())
    network.replies[("POST", "/zeehond")] = Reply(500)
    sending = Sending(_scheduler(world))
    for _ in range(3):
        await sending.round()
        await sending.finish(10)
    assert await world.eye.fetchval("SELECT count(*) FROM attempt WHERE outcome = 'live'")


async def _poll(world: World, network: Receiver) -> None:
    """The practice network is read: a page, then an error, then a login that it does not take."""
    post = {"id": "p1", "kind": "post", "text": "seen", "author": {"id": "u1"}, "published_at": "2026-11-20T08:00:00Z"}
    reacted = {"post_id": "p1", "by": {"id": "u2"}, "reaction": "like", "counters": {"likes": 3}}
    changes = [{"verb": "created", "post": post}, {"verb": "reacted", "reaction": reacted}]
    page = {"changes": changes, "cursor": "1", "more": False}
    for reply in (Reply(200, json.dumps(page).encode()), Reply(500), Reply(401)):
        network.replies["GET", "/api/v1/posts"] = reply
        await world.eye.execute("UPDATE due_poll SET due_at = now(), leased_until = NULL")
        await polling.sweep(world.worker)
    await handlers.drain(world.worker)


async def _sweep(world: World) -> None:
    house = _scheduler(world)
    late = replace(house, clock=lambda: datetime.now(UTC) + timedelta(days=120))
    await sweeps.forget(house)
    await sweeps.nightly(house)
    await sweeps.forget(late)


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
