"""Two years of share of voice by query and day, from the sums that are kept, beside joining and counting."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from shared.db import Database, Session, driver
from shared.domain import scope as scopes
from shared.domain.insight import metrics, shares, voices
from shared.domain.insight.metrics import Series
from shared.domain.insight.shares import Share
from shared.domain.listening import queries
from shared.domain.listening.queries import QueryDraft
from shared.ids import Prefix, parse_typeid
from shared.models.enums import Dimension, Interval, MetricKey, QueryGroup
from tests.benchmarks.filling import ZONE, Filled, filled
from tests.benchmarks.measuring import Figure, Plan, Result, Samples, Target, in_turns, ratio, verify
from tests.benchmarks.references.by_query import by_query
from tests.benchmarks.rig import Rig
from tests.conftest import TestDatabase

TIME = Figure("time", "ms")
SUMS, WHOLE, COUNTED = "Parvis' sums, by day", "Parvis' sums, over all", "GROUP BY over matches and mentions"
_PERCENT = (40, 25, 15, 12, 10, 8, 5, 4, 2, 1)  # of the mentions, what each query matches

# Which mentions a query matches follows from their ids: about so many in a hundred.
_MATCH = """
INSERT INTO match (brand_id, query_id, mention_id, version, spans)
SELECT brand_id, $2::uuid, id, 1, '[]' FROM mention
WHERE brand_id = $1 AND heard AND deleted_at IS NULL AND abs(hashtext(id::text || $2::text)::bigint) % 100 < $3
ON CONFLICT DO NOTHING
"""


async def measure(rig: Rig, plan: Plan) -> Result:
    """Shares of ten queries by day over two years: by the kept sums, and by GROUP BY over 2 million mentions."""
    database, what = await filled(rig, plan, plan.pick(2_000_000, 2_000))
    await _listen(database, what)
    async with AsyncExitStack() as stack:
        db = Database(database.app_url, name="bench", size=2)
        stack.push_async_callback(db.close)
        counting = await asyncpg.connect(database.app_url)
        stack.push_async_callback(counting.close)
        counted = await by_query(counting, what.brand.brand_id, what.since, what.until, ZONE)
        verify(len(counted) > 0, "nothing was matched")
        verify(_of_series(await _series(db, what)) == counted, "the sums differ from what GROUP BY counts")
        repeats = plan.pick(10, 2)
        sides = await in_turns(
            {
                SUMS: _timed(repeats, lambda: _series(db, what)),
                WHOLE: _timed(repeats, lambda: _shares(db, what)),
                COUNTED: _timed(1, lambda: by_query(counting, what.brand.brand_id, what.since, what.until, ZONE)),
            },
            rounds=plan.rounds,
        )
    return Result(
        title="Two years of share of voice by query",
        what=f"the shares of {len(_PERCENT)} queries, matching from {_PERCENT[0]} to {_PERCENT[-1]} in a hundred"
        f" mentions of the largest brand, {what.told()}; one reader, under the api's role and policies, scope and"
        " transaction included. Parvis' own function gives each day's share with its bounds and its observed time, or"
        " one share over all.",
        sides=sides,
        targets=[
            Target("GROUP BY's time, of the sums' by day", ratio(sides, TIME, COUNTED, SUMS), "≥", 20),
            Target("GROUP BY's time, of the sums' over all", ratio(sides, TIME, COUNTED, WHOLE), "≥", 20),
        ],
        verified="the sums and GROUP BY gave the same share for every query and day.",
    )


async def _listen(database: TestDatabase, what: Filled) -> None:
    """Let the largest brand have queries that have matched; nothing where it has them already."""
    db = Database(database.owner_url, name="filling", size=1)
    try:
        async with db.session() as session:
            scope = await scopes.house(session, what.brand.brand_id)
            if await queries.list_(session, scope):
                return
            for n, percent in enumerate(_PERCENT):
                group = list(QueryGroup)[n % len(QueryGroup)]
                draft = QueryDraft(name=f"Query {n}", expression=f"word{n}", group=group)
                query = await queries.create(session, scope, draft=draft, now=what.until)
                await _match(session, what.brand.brand_id, query.id, percent)
            await voices.rebuild(session, what.brand.brand_id, ZoneInfo(ZONE))
        connection = await asyncpg.connect(database.owner_url, command_timeout=None)
        try:
            await connection.execute("VACUUM ANALYZE match, rollup_query_day")
        finally:
            await connection.close()
    finally:
        await db.close()


async def _match(session: Session, brand_id: UUID, query_id: UUID, percent: int) -> None:
    connection = await driver(session)
    await connection.execute("SET LOCAL statement_timeout = 0")
    await connection.execute(_MATCH, brand_id, query_id, percent)


def _timed(repeats: int, work: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Samples]]:
    async def round_() -> Samples:
        began = time.perf_counter()
        for _ in range(repeats):
            await work()
        return {TIME: (time.perf_counter() - began) / repeats * 1000}

    return round_


async def _series(db: Database, what: Filled) -> list[Series]:
    async with db.reading() as session:
        scope = await scopes.house(session, what.brand.brand_id)
        return await metrics.series(
            session, scope, keys=[MetricKey.SHARE_OF_VOICE], since=what.since, until=what.until, interval=Interval.DAY,
            group_by=[Dimension.QUERY], now=what.until,
        )  # fmt: skip


async def _shares(db: Database, what: Filled) -> list[Share]:
    async with db.reading() as session:
        scope = await scopes.house(session, what.brand.brand_id)
        return list(await shares.of_voice(session, scope, since=what.since, until=what.until, now=what.until))


def _of_series(series: list[Series]) -> dict[tuple[UUID, datetime], float]:
    return {
        (parse_typeid(Prefix.QUERY, str(line.dimensions[0].value)), point.start): point.value
        for line in series
        for point in line.points
        if point.value
    }
