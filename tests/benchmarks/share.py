"""Two years of figures from the sums that are kept, beside counting the mentions."""

import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.insight import metrics
from shared.domain.insight.metrics import Series
from shared.ids import Prefix, parse_typeid
from shared.models.enums import Dimension, Interval, MetricKey
from tests.benchmarks.filling import ZONE, Filled, filled, widen
from tests.benchmarks.measuring import Figure, Plan, Result, Samples, Side, Target, in_turns, ratio, verify
from tests.benchmarks.references.group_by import group_by
from tests.benchmarks.rig import Rig, Running
from tests.conftest import TestDatabase

TIME = Figure("time", "ms")
SUMS, DOOR, COUNTED = "Parvis' sums", "the same by GraphQL", "GROUP BY over mentions"
SUMS_LARGE, DOOR_LARGE = "Parvis' sums, days of 10 million", "the same by GraphQL, 10 million"
Counts = dict[tuple[str, datetime], int]

_QUERY = """query ($brand: ID!, $from: DateTime!, $to: DateTime!) { brand(id: $brand) {
  metrics(keys: [MENTIONS], from: $from, to: $to, interval: DAY, groupBy: [CHANNEL]) {
    dimensions { value } points { start value }
  }
} }"""


async def measure(rig: Rig, plan: Plan) -> Result:
    """Mentions by channel and day over two years: by the kept sums, and by GROUP BY over 2 million mentions."""
    database, what = await filled(rig, plan, plan.pick(2_000_000, 2_000))
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(rig.service("services.api", database.settings))
        db = Database(database.app_url, name="bench", size=2)
        stack.push_async_callback(db.close)
        counting = await asyncpg.connect(database.app_url)
        stack.push_async_callback(counting.close)
        await _compare(db, api, counting, what)
        repeats = plan.pick(10, 2)
        sides = await in_turns(
            {
                SUMS: _timed(repeats, lambda: _series(db, what)),
                DOOR: _timed(repeats, lambda: _asked(api, what)),
                COUNTED: _timed(plan.pick(2, 1), lambda: _counted(counting, what)),
            },
            rounds=plan.rounds,
        )
        sides += await _five_times_as_many(database, plan, db, api, what, repeats)
    return Result(
        title="Two years of figures",
        what=f"mentions of the largest brand by channel and day, {what.told()}; one reader, under the api's role and"
        " policies, scope and transaction included. The sums are read by Parvis' own function with the channels and"
        " their observed time, and by GraphQL over HTTP with the key checked; the 10 million are the days' sums five"
        " times as large, in as many channels.",
        sides=sides,
        targets=[
            Target("GROUP BY's time, of the sums'", ratio(sides, TIME, COUNTED, SUMS), "≥", 20),
            Target("GROUP BY's time, of GraphQL's", ratio(sides, TIME, COUNTED, DOOR), "≥", 20),
            Target("the sums at 10 million, of those at 2", ratio(sides, TIME, SUMS_LARGE, SUMS), "≤", 1.3),
        ],
        verified="the sums, GraphQL's answer and GROUP BY gave the same number for every channel and day.",
    )


async def _compare(db: Database, api: Running, counting: "asyncpg.Connection[Any]", what: Filled) -> None:
    counted = await _counted(counting, what)
    verify(sum(counted.values()) > 0, "nothing was counted")
    verify(_of_series(await _series(db, what)) == counted, "the sums differ from what GROUP BY counts")
    verify(_of_answer(await _asked(api, what)) == counted, "GraphQL's figures differ from what GROUP BY counts")


async def _five_times_as_many(
    database: TestDatabase, plan: Plan, db: Database, api: Running, what: Filled, repeats: int
) -> list[Side]:
    """The same with the sums that 10 million mentions leave, and then those of before again."""
    before = _in_whole_days(await _series(db, what))
    async with widen(database, what, 5):
        after = _in_whole_days(await _series(db, what))
        verify(after == 5 * before, f"{after} instead of five times {before}")
        rounds = {
            SUMS_LARGE: _timed(repeats, lambda: _series(db, what)),
            DOOR_LARGE: _timed(repeats, lambda: _asked(api, what)),
        }
        return await in_turns(rounds, rounds=plan.rounds)


def _timed(repeats: int, work: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Samples]]:
    async def round_() -> Samples:
        began = time.perf_counter()
        for _ in range(repeats):
            await work()
        return {TIME: (time.perf_counter() - began) / repeats * 1000}

    return round_


# ---------------------------------------------------------------- three ways to the same figures


async def _series(db: Database, what: Filled) -> list[Series]:
    async with db.reading() as session:
        scope = await scopes.house(session, what.brand.brand_id)
        return await metrics.series(
            session, scope, keys=[MetricKey.MENTIONS], since=what.since, until=what.until, interval=Interval.DAY,
            group_by=[Dimension.CHANNEL], now=what.until,
        )  # fmt: skip


async def _asked(api: Running, what: Filled) -> Any:
    variables = {"brand": what.brand_name, "from": what.since.isoformat(), "to": what.until.isoformat()}
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(
            f"{api.url}/graphql",
            json={"query": _QUERY, "variables": variables},
            headers={"Authorization": f"Bearer {what.brand.api_key}"},
        )
    return json.loads(answer.content)


async def _counted(connection: "asyncpg.Connection[Any]", what: Filled) -> Counts:
    found = await group_by(connection, what.brand.brand_id, what.since, what.until, ZONE)
    return {(str(channel), day): n for channel, day, n in found if n}


def _of_series(series: list[Series]) -> Counts:
    return {
        (_channel(line.dimensions[0].value), point.start): int(point.value)
        for line in series
        for point in line.points
        if point.value
    }


def _in_whole_days(series: list[Series]) -> int:
    """What the sums hold: the first and the last day are parts, and counted from the mentions."""
    return sum(int(point.value or 0) for line in series for point in line.points[1:-1])


def _of_answer(answer: Any) -> Counts:
    verify("errors" not in answer, f"GraphQL answered {str(answer)[:300]}")
    return {
        (_channel(line["dimensions"][0]["value"]), datetime.fromisoformat(point["start"]).astimezone(UTC)): int(
            point["value"]
        )
        for line in answer["data"]["brand"]["metrics"]
        for point in line["points"]
        if point["value"]
    }


def _channel(name: str | None) -> str:
    channel: UUID = parse_typeid(Prefix.CHANNEL, str(name))
    return str(channel)
