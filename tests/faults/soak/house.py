"""The house that is soaked: what it is told, what is sampled meanwhile, and what is counted when it is quiet again."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
from redis.asyncio import Redis

from services.local.servers import read_kept
from tests.contract.conftest import Up
from tests.contract.house import Json, Tenant
from tests.faults.soak import watch
from tests.faults.soak.load import Load, Told
from tests.faults.soak.watch import Eyes, Sample

_QUIET_SECONDS = 60.0
_LET_GO_SECONDS = 10.0
Say = Callable[[str], None]


@dataclass
class Soaked:
    """What a soak saw: samples in their order, each with its moment and the deliveries until then; and what is wrong.

    `worked` are processor seconds by process at the start, in the middle and at the end, with the deliveries then.
    """

    told: Told
    at: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    resident: dict[str, int] = field(default_factory=dict)
    worked: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    logs: float = 0.0
    wrong: list[str] = field(default_factory=list)


async def soak(up: Up, *, seconds: float, interval: float, rate: float, seed: int, say: Say) -> Soaked:
    """Load a running house for `seconds`, sample it every `interval`, and count at the end what it made of it."""
    local = up.local
    started = watch.pids_of(local)
    kept = read_kept(up.folder)
    assert kept is not None
    # Only a superuser sees what other roles' connections are doing.
    eyes = await asyncpg.connect(kept.urls().superuser, server_settings={"application_name": watch.MINE})
    redis: Redis = Redis.from_url(local["redis_url"])
    with httpx.Client(trust_env=False) as web:
        tenant = Tenant(local, local, web)
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            load = Load(tenant, http, rate=rate, seed=seed)
            found = Soaked(load.told)
            following = asyncio.create_task(load.follow())
            loading = asyncio.create_task(load.run())
            try:
                await _watched(up, found, eyes, redis, seconds=seconds, interval=interval, say=say)
            finally:
                load.stop()
                await loading
            say("Counting what became of it.")
            await _until_quiet(eyes, found)
            found.wrong += await verify(tenant, eyes, http, load.told)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    ended = watch.pids_of(up.local)
    found.wrong += [f"{name} was started again" for name, pid in started.items() if ended.get(name) != pid]
    found.wrong += load.told.errors
    await redis.aclose()
    await eyes.close()
    return found


async def _watched(
    up: Up, found: Soaked, eyes: Eyes, redis: Redis, *, seconds: float, interval: float, say: Say
) -> None:
    began = time.monotonic()
    assert up.process is not None
    pids = {"up": up.process.pid, **watch.pids_of(up.local)}
    next_word, halves = 60.0, [0.0, seconds / 2]
    while (now := time.monotonic() - began) < seconds:
        if halves and now >= halves[0]:
            halves.pop(0)
            _work(found, pids)
        found.at.append(now)
        found.sent.append(float(found.told.deliveries))
        found.samples.append(
            watch.processes(pids)
            | await watch.connections(eyes)
            | await watch.queues(eyes)
            | await watch.tables(eyes)
            | await watch.redis(redis)
        )
        if now >= next_word:
            next_word += 60.0
            last = found.samples[-1]
            own = sum(value for name, value in last.items() if name.startswith("memory "))
            say(
                f"{now / 60:4.0f} min  {found.told.deliveries:,} deliveries, {found.told.done['events']:,} events,"
                f" {len(found.told.posts)} posts; {own / 2**20:.0f} MB, {last['queue arrivals']:.0f} arrivals wait"
            )
        await asyncio.sleep(max(0.0, began + len(found.at) * interval - time.monotonic()))
    _work(found, pids)
    found.resident = {name: watch.resident(pid) for name, pid in pids.items()}
    found.logs = watch.logs(up.folder)


def _work(found: Soaked, pids: dict[str, int]) -> None:
    found.worked.append((found.told.deliveries, watch.worked(pids)))


async def _until_quiet(eyes: Eyes, found: Soaked) -> None:
    """Wait until nothing waits any more."""
    end = time.monotonic() + _QUIET_SECONDS
    quiet = 0
    while quiet < 4:  # a poll may still bring what was said last
        waiting = await watch.queues(eyes)
        waits = {name: value for name, value in waiting.items() if value and name != "queue polls"}
        behind = len(found.told.heard) - sum(1 for _ in found.told.recorded)
        quiet = 0 if waits or behind > 0 else quiet + 1
        if time.monotonic() > end:
            found.wrong.append(f"after {_QUIET_SECONDS:.0f} s still: {waits}, {behind} mentions not yet pushed")
            return
        await asyncio.sleep(0.5)


# ---------------------------------------------------------------- what became of it

_MENTIONS = """
SELECT external_id, deleted_at IS NOT NULL AS deleted FROM mention WHERE network = $1 AND heard
"""
_HOLES = (
    "SELECT brand_id, count(seq) AS count, max(seq) AS greatest FROM event GROUP BY 1 HAVING count(seq) <> max(seq)"
)
_STATES = "SELECT state, count(*) AS count FROM arrival WHERE network = 'generic' GROUP BY 1"
_LEFT = """
SELECT (SELECT count(*) FROM arrival WHERE claimed_until IS NOT NULL) AS claims,
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS locks,
       (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'parvis %' AND application_name <> $1
         AND state = 'idle in transaction' AND now() - state_change > interval '5 s') AS transactions
"""


async def verify(tenant: Tenant, eyes: Eyes, http: httpx.AsyncClient, told: Told) -> list[str]:
    """What differs from what was acknowledged, in words."""
    wrong = []

    def same(what: str, found: object, expected: object) -> None:
        if found != expected:
            wrong.append(f"{what}: {str(found)[:200]}, and not {str(expected)[:200]}")

    rows = await eyes.fetch(_MENTIONS, "generic")
    same("mentions twice", [k for k, n in Counter(r["external_id"] for r in rows).items() if n > 1], [])
    same("mentions lost", sorted(told.heard - {r["external_id"] for r in rows})[:5], [])
    same("mentions made up", sorted({r["external_id"] for r in rows} - told.heard)[:5], [])
    same("deleted", sorted({r["external_id"] for r in rows if r["deleted"]} ^ told.deleted)[:5], [])
    states = {row["state"]: row["count"] for row in await eyes.fetch(_STATES)}
    same("arrivals", states, {"settled": told.deliveries})
    heard = {row["external_id"] for row in await eyes.fetch(_MENTIONS, "sandbox")}
    same("said on the practice network and not heard", sorted(told.said - heard)[:5], [])
    same("posts", await _published(tenant, http, told), dict.fromkeys(told.posts.values(), 1))
    same("holes in seq", [dict(row) for row in await eyes.fetch(_HOLES)], [])
    same("pushed twice", [one for one, times in told.recorded.items() if times > 1][:5], [])
    same("left behind", await _left(eyes), {})
    return wrong


async def _left(eyes: Eyes) -> dict[str, int]:
    """What is held and not let go: the house still runs and polls, so a claim of this moment is none."""
    end = time.monotonic() + _LET_GO_SECONDS
    while True:
        row = await eyes.fetchrow(_LEFT, watch.MINE)
        assert row is not None
        left = {name: value for name, value in row.items() if value}
        if not left or time.monotonic() > end:
            return left
        await asyncio.sleep(0.2)


async def _published(tenant: Tenant, http: httpx.AsyncClient, told: Told) -> dict[str, int]:
    """How often each of our posts stands on the practice network."""
    params: Json = {"account": tenant.channel("sandbox").external_id, "limit": 10_000}
    ours, found = set(told.posts.values()), Counter[str]()
    while True:
        answer = await http.get(f"{tenant.local['sandbox']}/api/posts", params=params)
        posts: list[Json] = answer.json()["posts"]
        found.update(str(post["text"]) for post in posts if post["text"] in ours)
        if len(posts) < params["limit"]:
            return dict(found)
        params["before"] = posts[-1]["id"]


def house(folder: Path) -> Up:
    """A house in a folder of its own, whose practice network is polled often."""
    up = Up(folder)
    up.environment["PARVIS_POLL_SECONDS"] = "5"
    up.environment["PARVIS_RATE_LIMIT"] = "0"
    return up
