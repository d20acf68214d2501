"""A calendar's month of 2,000 posts, by REST and by GraphQL."""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from shared.ids import Prefix, new_uuid, typeid
from tests.benchmarks.measuring import (
    P50,
    P99,
    PROCESSOR,
    Figure,
    Plan,
    Result,
    Round,
    Samples,
    Target,
    in_turns,
    percentile,
    verify,
)
from tests.benchmarks.rig import Rig, Running
from tests.conftest import HouseBrand

REST, GRAPHQL = "REST", "GraphQL"
P95 = Figure("p95", "ms")
CHANNELS, SLOTS, RECURRENCES, BLACKOUTS = 4, 20, 20, 3
BEGINS = datetime(2027, 3, 1, tzinfo=UTC) - timedelta(hours=1)
ENDS = datetime(2027, 4, 1, tzinfo=UTC) - timedelta(hours=2)  # the clocks have changed

_QUERY = """query Month($brand: ID!, $from: DateTime!, $to: DateTime!) { brand(id: $brand) {
  calendar(from: $from, to: $to) { timezone days { date
    blackouts { id startsOn endsOn label }
    posts { id status text at localTime timezone slotId recurrenceId variants { id channelId status url } }
    slots { slotId label at localTime timezone channelIds }
    previews { recurrenceId text day at localTime timezone channelIds } } } } }"""


async def measure(rig: Rig, plan: Plan) -> Result:
    """A month of a brand that has 2,000 posts in it, two variants each, and as many in each month around."""
    count = plan.pick(2_000, 100)
    async with rig.database() as database, rig.house(database) as house:
        brand = await house.brand()
        channels = [(await house.channel(brand)).id for _ in range(CHANNELS)]
        await _fill(rig, database.name, brand, channels, count, random.Random(plan.seed))
        async with rig.service("services.api", database.settings) as api, httpx.AsyncClient(timeout=60) as client:
            asked = {REST: _by_rest(brand), GRAPHQL: _by_graphql(brand)}
            found = {name: await one.days(client, api.url) for name, one in asked.items()}
            for name, days in found.items():
                verify(sum(len(day["posts"]) for day in days) == count, f"{name} shows another number of posts")
            verify(_told(found[REST]) == _told(found[GRAPHQL]), "the two doors differ")
            asks = plan.pick(200, 10)
            rounds = {name: _round(api, client, one, asks) for name, one in asked.items()}
            sides = await in_turns(rounds, rounds=plan.rounds)
    return Result(
        title="A month's calendar",
        what=f"one month of a brand with {count:,} posts in it, of two variants each, and the same in the month before"
        f" and after; {SLOTS} slots, {RECURRENCES} recurrences and {BLACKOUTS} days of silence; everything that a"
        " calendar shows, whole; one connection, key checked, each request in a transaction with its scope.",
        sides=sides,
        targets=[Target(f"p95 by {side.name}", side[P95].median, "≤", 50, "ms") for side in sides],
        verified="both doors showed the same posts, free slots, previews and days of silence on the same days, and as"
        " many posts as were put in; every answer in the rounds was 200.",
    )


async def _fill(
    rig: Rig, database: str, brand: HouseBrand, channels: Sequence[UUID], count: int, chance: random.Random
) -> None:
    connection = await asyncpg.connect(rig.urls.superuser.rsplit("/", 1)[0] + f"/{database}")
    try:
        posts, variants = [], []
        for month in (-31, 0, 31):
            for _ in range(count):
                seconds = chance.randrange(60, int((ENDS - BEGINS).total_seconds()))
                at = BEGINS + timedelta(seconds=seconds) + timedelta(days=month)
                if month and BEGINS <= at < ENDS:
                    at -= timedelta(days=month * 12)
                post = new_uuid()
                posts.append((post, chance.choice("ab") * chance.randrange(50, 500), at))
                variants += [(new_uuid(), post, channel) for channel in chance.sample(list(channels), 2)]
        await connection.executemany(
            "INSERT INTO post (brand_id, id, text, status, media, scheduled_at, local_time, timezone, version)"
            f" VALUES ('{brand.brand_id}', $1, $2, 'scheduled', '[]', $3, '2027-03-01T10:00', 'Europe/Brussels', 1)",
            posts,
        )
        await connection.executemany(
            "INSERT INTO variant (brand_id, id, post_id, channel_id, status, problems, parts)"
            f" VALUES ('{brand.brand_id}', $1, $2, $3, 'scheduled', '[]', '[]')",
            variants,
        )
        await _plan(connection, brand, channels)
        await connection.execute("ANALYZE post, variant")
    finally:
        await connection.close()


async def _plan(connection: asyncpg.Connection, brand: HouseBrand, channels: Sequence[UUID]) -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for n in range(SLOTS):
        await connection.execute(
            "INSERT INTO slot (brand_id, id, label, weekday, local_time, channel_ids, paused, version)"
            " VALUES ($1, $2, 'a slot', $3, $4, '{}', false, 1)",
            brand.brand_id, new_uuid(), days[n % 7], f"{8 + n % 12:02}:00",
        )  # fmt: skip
    template = json.dumps(
        {"text": "again", "media": [], "link": None, "channel_ids": [str(channels[0])], "variants": []}
    )
    for n in range(RECURRENCES):
        await connection.execute(
            "INSERT INTO recurrence (brand_id, id, template, rule, starts_on, local_time, timezone, blackouts, status,"
            " skipped, version) VALUES ($1, $2, $3, 'FREQ=DAILY;COUNT=900', '2026-01-01', $4, 'Europe/Brussels',"
            " 'skip', 'active', '{}', 1)",
            brand.brand_id, new_uuid(), template, f"{8 + n % 12:02}:30",
        )  # fmt: skip
    for n in range(BLACKOUTS):
        await connection.execute(
            "INSERT INTO blackout (brand_id, id, starts_on, ends_on, label, version) VALUES ($1, $2, $3, $3, 'x', 1)",
            brand.brand_id, new_uuid(), (BEGINS + timedelta(days=5 + 7 * n)).date(),
        )  # fmt: skip


# ---------------------------------------------------------------- asking


@dataclass(frozen=True, slots=True)
class Asked:
    """How one door is asked for the month, and where its days are in the answer."""

    method: str
    path: str
    key: str
    body: bytes
    find: Callable[[Any], list[dict[str, Any]]]

    async def answer(self, client: httpx.AsyncClient, url: str) -> httpx.Response:
        """One whole answer."""
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        found = await client.request(self.method, url + self.path, headers=headers, content=self.body)
        verify(found.status_code == 200, f"{self.path} answered {found.status_code}: {found.text[:300]}")
        return found

    async def days(self, client: httpx.AsyncClient, url: str) -> list[dict[str, Any]]:
        """The days of one answer."""
        return self.find((await self.answer(client, url)).json())


def _by_rest(brand: HouseBrand) -> Asked:
    span = f"from={BEGINS:%Y-%m-%dT%H:%M:%SZ}&to={ENDS:%Y-%m-%dT%H:%M:%SZ}"
    path = f"/v1/brands/{typeid(Prefix.BRAND, brand.brand_id)}/calendar?{span}"
    return Asked("GET", path, brand.api_key, b"", lambda answer: answer["days"])


def _by_graphql(brand: HouseBrand) -> Asked:
    variables = {"brand": typeid(Prefix.BRAND, brand.brand_id), "from": BEGINS.isoformat(), "to": ENDS.isoformat()}
    body = json.dumps({"query": _QUERY, "variables": variables}).encode()
    return Asked("POST", "/graphql", brand.api_key, body, lambda a: a["data"]["brand"]["calendar"]["days"])


def _round(api: Running, client: httpx.AsyncClient, asked: Asked, count: int) -> Round:
    async def round_() -> Samples:
        before, took = api.processor(), []
        for _ in range(count):
            began = time.perf_counter()
            await asked.answer(client, api.url)
            took.append((time.perf_counter() - began) * 1000)
        used = api.processor() - before
        return {
            P50: percentile(took, 0.5),
            P95: percentile(took, 0.95),
            P99: percentile(took, 0.99),
            PROCESSOR: used / count * 1e6,
        }

    return round_


def _told(days: Sequence[dict[str, Any]]) -> list[Any]:
    """What a day holds: how many of each kind, and which posts at which moments."""
    kinds = ("blackouts", "posts", "slots", "previews")
    return [
        (day["date"], *(len(day[kind]) for kind in kinds), [(post["id"], post["at"]) for post in day["posts"]])
        for day in days
    ]
