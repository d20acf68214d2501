"""Processes that die, stand still or are away, and a doorbell that forgets."""

import asyncio
import signal
import time
import uuid
from collections.abc import Sequence
from typing import Any

import asyncpg
import redis.asyncio

from tests.faults.rig import LEASE_SECONDS
from tests.faults.scene import Inflict, Scene

_PATIENCE = 55.0  # seconds; a lease of the rig is much shorter, one by default 60
_WAITS_FOR_A_BRAND = """
SELECT EXISTS (SELECT FROM pg_stat_activity
                WHERE application_name = 'parvis ingest worker' AND wait_event_type = 'Lock')
"""
_HOLDS_A_BRAND = """
SELECT EXISTS (SELECT FROM pg_stat_activity a JOIN pg_locks l USING (pid)
                WHERE a.application_name = 'parvis ingest worker' AND a.state = 'idle in transaction'
                  AND l.relation = 'brand'::regclass AND l.mode = 'RowShareLock')
"""
ALL = ("ingest", "ingest_worker", "scheduler", "api", "postgres", "valkey")


def killed(name: str) -> Inflict:
    """`kill -9` of one process, at random moments, each time waiting until it works again."""

    async def inflict(scene: Scene) -> None:
        until = time.monotonic() + scene.seconds
        while True:
            await scene.pause(0.3, 1.0 if scene.short else 3.0)
            scene.kill(name)
            await scene.recover()
            if scene.short or time.monotonic() > until:
                return

    return inflict


async def killed_together(scene: Scene) -> None:
    """`kill -9` of several at once, now and then of all, faster than they can all come back."""
    until = time.monotonic() + scene.seconds
    while time.monotonic() < until:
        names = scene.random.sample(ALL, scene.random.randint(2, len(ALL)))
        scene.kill(*sorted(names))
        await scene.pause(0.2, 2.0 if scene.short else 6.0)
    scene.kill(*ALL)
    await scene.recover()


async def flushed(scene: Scene) -> None:
    """FLUSHALL every half second: letters, marks and limits are gone."""
    async with redis.asyncio.Redis.from_url(scene.rig.redis_url) as client:
        until = time.monotonic() + scene.seconds
        while time.monotonic() < until:
            await client.flushall()
            scene.done("FLUSHALL")
            await scene.pause(0.2, 0.8)
    await scene.recover()


async def valkey_away(scene: Scene) -> None:
    """Valkey is killed and stays away; meanwhile everything still becomes visible."""
    length = 3.0 if scene.short else 60.0
    began = time.monotonic()
    scene.rig.take_away("valkey")
    scene.done(f"Valkey away for {length:.0f} s")
    await scene.recover_without("valkey")
    await asyncio.sleep(max(0.0, began + length - time.monotonic()))
    scene.rig.give_back("valkey")
    await scene.recover()


async def postgres_away(scene: Scene) -> None:
    """PostgreSQL is killed, stays away, and starts into crash recovery; the door says 503 all that time."""
    length = 2.0 if scene.short else 30.0
    before = scene.senders.heard.answers[503]
    scene.rig.take_away("postgres")
    scene.done(f"PostgreSQL killed and away for {length:.0f} s")
    await asyncio.sleep(length)
    if scene.senders.heard.answers[503] == before:
        scene.breaches.append("the door never said 503 while PostgreSQL was away")
    scene.rig.give_back("postgres")
    await scene.recover()


async def worker_stands_still(scene: Scene) -> None:
    """The worker is stopped in the middle of its work; another takes over; then the first goes on as if nothing was."""
    length = LEASE_SECONDS + 2.0 if scene.short else 60.0
    rig = scene.rig
    in_hand = await _stop_inside_a_transaction(scene)
    scene.done(f"worker stopped inside a transaction for {length:.0f} s")
    began = time.monotonic()
    if "second worker" in rig.watch.pids:
        rig.give_back("second worker")
    else:
        await rig.another("ingest_worker", "second worker")
    scene.done("second worker started beside it")
    await scene.recover()
    if left := await _left_by_another(scene, in_hand):
        scene.breaches.append(f"{left} of {len(in_hand)} arrivals in a stopped worker's hands waited {_PATIENCE:.0f} s")
    await asyncio.sleep(max(0.0, began + length - time.monotonic()))
    rig.tell("ingest_worker", signal.SIGCONT)
    await scene.recover()
    await scene.pause(1.0, 2.0)
    rig.take_away("second worker")


async def _stop_inside_a_transaction(scene: Scene) -> list[uuid.UUID]:
    """SIGSTOP at the worst moment: while the worker holds its brand's row. The arrivals that it has in hand then.

    It is made to wait for that row, and gets it when it can no longer go on.
    """
    connection = await scene.rig.look()
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM brand FOR NO KEY UPDATE")
            await _until(connection, _WAITS_FOR_A_BRAND)
            scene.rig.tell("ingest_worker", signal.SIGSTOP)
        await _until(connection, _HOLDS_A_BRAND)
        rows = await connection.fetch("SELECT id FROM arrival WHERE state = 'received' AND claimed_until IS NOT NULL")
        return [row["id"] for row in rows]
    finally:
        await connection.close()


async def _left_by_another(scene: Scene, ids: Sequence[uuid.UUID]) -> int:
    """How many of these still wait when patience ends, although another worker runs."""
    until = time.monotonic() + _PATIENCE
    connection = await scene.rig.look()
    try:
        while left := await connection.fetchval(
            "SELECT count(*) FROM arrival WHERE id = ANY ($1) AND state = 'received'", ids
        ):
            if time.monotonic() > until:
                break
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    return int(left)


async def _until(connection: "asyncpg.Connection[Any]", truth: str) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not await connection.fetchval(truth):
            await asyncio.sleep(0.01)
