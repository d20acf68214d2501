"""A page of 50 mentions with author, channel and thread, beside PostGraphile, loaders, and the least there could be."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any
from uuid import UUID

import httpx

from shared.ids import parse_typeid, prefix_of
from tests.benchmarks import loader
from tests.benchmarks.filling import Filled, filled
from tests.benchmarks.measuring import (
    P50,
    P99,
    POSTGRES,
    PROCESSOR,
    RATE,
    Plan,
    Result,
    Round,
    Samples,
    Side,
    Target,
    in_turns,
    ratio,
    verify,
)
from tests.benchmarks.postgraphile import postgraphile
from tests.benchmarks.rig import Rig, Running
from tests.conftest import TestDatabase

SIZE = 50
CONNECTIONS = 8
PAGES = 20  # different ones, so that nobody answers from what it has just answered
PARVIS, POSTGRAPHILE, LOADERS, LIMIT = (
    "Parvis, key checked",
    "PostGraphile 5",
    "Strawberry, ORM and DataLoaders",
    "bare ASGI and asyncpg, no GraphQL",
)
Row = dict[str, Any]

_OURS = """query Page($brand: ID!, $first: Int!, $after: String) { brand(id: $brand) {
  mentions(first: $first, after: $after) {
    nodes {
      id network kind visibility externalId url text language publishedAt observedAt editedAt authorKind
      engagement { likes replies shares views }
      author { id network externalId handle name }
      channel { id network name status }
      thread { id lastAt }
    }
    pageInfo { hasNextPage endCursor }
  }
} }"""
_LOADERS = _OURS.replace("$brand: ID!", "$brand: UUID!").replace(
    "brand(id: $brand) {\n  mentions(", "mentions(brandId: $brand, "
)[:-2]
_POSTGRAPHILE = """query Page($brand: UUID!, $first: Int!, $after: Cursor) {
  allMentions(first: $first, after: $after, condition: {brandId: $brand, standing: true},
              orderBy: [PUBLISHED_AT_DESC, ROW_ID_DESC]) {
    nodes {
      id: rowId network kind visibility externalId url text language publishedAt observedAt editedAt authorKind
      likes replies shares views
      author: identityByBrandIdAndAuthorId { id: rowId network externalId handle name }
      channel: channelByBrandIdAndChannelId { id: rowId network name status }
      thread: threadByBrandIdAndThreadId { id: rowId lastAt }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""


@dataclass(frozen=True, slots=True)
class Asked:
    """How one side is asked for a page, and how its answer is read: the rows, and where the next page starts."""

    url: str
    headers: Mapping[str, str]
    body: Callable[[str | None], dict[str, Any]]
    read: Callable[[Any], tuple[list[Row], str | None]]

    def request(self, after: str | None) -> bytes:
        """A whole request."""
        body = json.dumps(self.body(after)).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return (
            f"POST /graphql HTTP/1.1\r\nHost: api.example\r\n{head}Content-Type: application/json\r\n"
            f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    async def pages(self, client: httpx.AsyncClient, many: int) -> tuple[list[list[Row]], list[bytes]]:
        """The first pages one after the other, as rows, and the requests that ask for each."""
        rows, requests, after = [], [], None
        for _ in range(many):
            requests.append(self.request(after))
            answer = await client.post(self.url, json=self.body(after), headers=dict(self.headers))
            verify(answer.status_code == 200, f"{self.url} answered {answer.status_code}: {answer.text[:300]}")
            found, after = self.read(answer.json())
            rows.append(found)
            if after is None:
                break
        return rows, requests


async def measure(rig: Rig, plan: Plan) -> Result:
    """Pages of 50 mentions with author, channel and thread out of 2 million, by GraphQL and by hand."""
    database, what = await filled(rig, plan, plan.pick(2_000_000, 2_000))
    sides, missing = await compare(rig, plan, database, what)
    targets = [Target("requests/s, of the limit's", ratio(sides, RATE, PARVIS, LIMIT), "≥", 0.4)]
    if missing is None:
        ours, theirs = (next(s for s in sides if s.name == name) for name in (PARVIS, POSTGRAPHILE))
        targets = [
            Target("requests/s, of PostGraphile's", ratio(sides, RATE, PARVIS, POSTGRAPHILE), "≥", 2),
            Target("the same, stretch", ratio(sides, RATE, PARVIS, POSTGRAPHILE), "≥", 2.8),
            Target("processor, PostGraphile's of ours", theirs[PROCESSOR].median / ours[PROCESSOR].median, "≥", 2),
            *targets,
        ]
    return Result(
        title="A page of 50 mentions",
        what=f"{SIZE} mentions with author, channel and thread, the first {PAGES} pages of the largest brand in turn,"
        f" out of {what.told()}; {CONNECTIONS} connections; each one process on one core, on the same database, under"
        " the same role and policies, each request in a transaction with its scope. Only Parvis checks an API key and"
        " counts the caller's requests. Labels are not in the schema yet, so none are read.",
        sides=sides,
        targets=targets,
        verified=f"the {PAGES} pages of all sides were equal, row by row and field by field, before the rounds; every"
        " answer in them was 200.",
        notes=[missing] if missing else [],
    )


async def compare(
    rig: Rig, plan: Plan, database: TestDatabase, what: Filled, *, with_node: bool = True
) -> tuple[list[Side], str | None]:
    """All sides on this database, compared and then measured; why PostGraphile is missing, where it is."""
    async with _started(rig, database, what, with_node) as (started, missing), httpx.AsyncClient(timeout=60) as client:
        requests: dict[str, list[bytes]] = {}
        expected: list[list[Row]] | None = None
        for name, (_, asked) in started.items():
            pages, requests[name] = await asked.pages(client, PAGES)
            expected = pages if expected is None else expected
            verify(pages == expected, f"{name} and {PARVIS} differ: {_difference(pages, expected)}")
        verify(bool(expected and expected[0]), "the pages were empty")
        counts = {LOADERS: plan.pick(300, 40)}
        rounds = {
            name: measured_round(rig, running, asked.url, requests[name], counts.get(name, plan.pick(2_000, 200)))
            for name, (running, asked) in started.items()
        }
        return await in_turns(rounds, rounds=plan.rounds), missing


def measured_round(rig: Rig, running: Running, url: str, requests: Sequence[bytes], count: int) -> Round:
    """A round of `count` requests over the connections, those given again and again."""

    async def round_() -> Samples:
        before, postgres = running.processor(), rig.postgres_processor()
        load = await loader.send(url, list(islice(cycle(requests), count)), connections=CONNECTIONS)
        used, served = running.processor() - before, rig.postgres_processor() - postgres
        verify(load.statuses == {200: count}, f"{running.name} answered {dict(load.statuses)}")
        return {
            RATE: load.rate,
            P50: load.percentile(0.5),
            P99: load.percentile(0.99),
            PROCESSOR: used / count * 1e6,
            POSTGRES: served / count * 1e6,
        }

    return round_


@asynccontextmanager
async def _started(
    rig: Rig, database: TestDatabase, what: Filled, with_node: bool
) -> AsyncIterator[tuple[dict[str, tuple[Running, Asked]], str | None]]:
    brand = what.brand.brand_id
    environment = {"DATABASE_URL": database.app_url, "BRAND": str(brand)}
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(rig.service("services.api", database.settings))
        loaders = await stack.enter_async_context(rig.reference("strawberry_loaders", **environment))
        limit = await stack.enter_async_context(rig.reference("asgi_asyncpg", **environment))
        started = {
            PARVIS: (ours, parvis(ours, what)),
            LOADERS: (loaders, _asked(loaders, _LOADERS, str(brand), lambda a: a["data"]["mentions"])),
            LIMIT: (limit, Asked(limit.url, {}, lambda after: {"first": SIZE, "after": after}, _by_hand)),
        }
        theirs, missing = (
            await postgraphile(stack, rig, database.app_url, brand)
            if with_node
            else (None, "PostGraphile was not asked for.")
        )
        if theirs is not None:
            started[POSTGRAPHILE] = (
                theirs, _asked(theirs, _POSTGRAPHILE, str(brand), lambda a: a["data"]["allMentions"])
            )  # fmt: skip
        yield started, missing


def parvis(running: Running, what: Filled) -> Asked:
    """How Parvis is asked for the brand's pages."""
    key = {"Authorization": f"Bearer {what.brand.api_key}"}
    return _asked(running, _OURS, what.brand_name, lambda a: a["data"]["brand"]["mentions"], key)


def _asked(
    running: Running,
    query: str,
    brand: str,
    find: Callable[[Any], Any],
    headers: Mapping[str, str] | None = None,
) -> Asked:
    def read(answer: Any) -> tuple[list[Row], str | None]:
        verify("errors" not in answer, f"{running.name} answered {str(answer)[:300]}")
        found = find(answer)
        more = found["pageInfo"]["hasNextPage"]
        return [_row(node) for node in found["nodes"]], found["pageInfo"]["endCursor"] if more else None

    def body(after: str | None) -> dict[str, Any]:
        return {"query": query, "variables": {"brand": brand, "first": SIZE, "after": after}}

    return Asked(f"{running.url}/graphql", headers or {}, body, read)


def _by_hand(answer: Any) -> tuple[list[Row], str | None]:
    return [_row(node) for node in answer["nodes"]], answer["endCursor"]


# ---------------------------------------------------------------- the same row in everybody's words


_COUNTERS = ("likes", "replies", "shares", "views")
_WORDS = frozenset({"network", "kind", "visibility", "authorKind", "status"})


def _row(node: Row) -> Row:
    """A mention with plain uuids, lower case words, times in UTC, and its counters together."""
    row = {name: _value(name, value) for name, value in node.items() if name not in _COUNTERS}
    if "engagement" not in row:
        row["engagement"] = {name: node[name] for name in _COUNTERS}
    return row


def _value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _value(inner, it) for inner, it in value.items()}
    if not isinstance(value, str):
        return value
    if name == "id":
        return str(parse_typeid(prefix_of(value), value) if "_" in value else UUID(value))
    if name.endswith("At"):
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return value.lower() if name in _WORDS else value


def _difference(pages: list[list[Row]], expected: list[list[Row]]) -> str:
    for number, (one, other) in enumerate(zip(pages, expected, strict=False)):
        for a, b in zip(one, other, strict=False):
            if a != b:
                return f"page {number}: {a} instead of {b}"
    return f"{[len(p) for p in pages]} rows instead of {[len(p) for p in expected]}"
