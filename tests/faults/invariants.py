"""What must hold after any fault, looked at from outside: HTTP, the subscription and SQL. Each gives its breaches."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from shared.ids import Prefix, parse_typeid
from tests.faults import state
from tests.faults.readers import Client, Table
from tests.faults.rig import Rig
from tests.faults.senders import Heard, Letter
from tests.faults.state import State
from tests.faults.world import World

ACCEPTED = "every delivery is taken in the end"
SETTLED = "acknowledged = settled, each once"
STATE = "the state equals that without faults"
EXPECTED = "the mentions are what was said"
ORDER = "seq without holes or repeats"
POSTS = "each post is on the network once"
NOTHING_LEFT = "nothing is left running or locked"

SETTLE_SECONDS = 120.0
_STILL_SECONDS = 30.0  # without a step, after which a reader is taken to have stopped
_LISTED = 5

Connection = Any  # asyncpg's; its stubs make it generic, its class is not


class Breach(AssertionError):
    """An invariant does not hold; says which and how."""


def brand_id(brand: dict[str, Any]) -> UUID:
    return parse_typeid(Prefix.BRAND, brand["brand_id"])


async def drained(connection: Connection, *, seconds: float = SETTLE_SECONDS) -> bool:
    """Wait until nothing waits to be settled or numbered; whether that came."""
    until = asyncio.get_running_loop().time() + seconds
    while await connection.fetchval(
        "SELECT EXISTS (SELECT FROM arrival WHERE state = 'received') OR EXISTS (SELECT FROM event_queue)"
    ):
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(0.1)
    return True


def accepted(post: Sequence[Letter], heard: Heard) -> list[str]:
    """Every delivery was taken, and a repeat got the first one's arrival."""
    lost = [letter.key for letter in post if letter.key not in heard.acknowledged]
    found = [f"{len(lost)} deliveries were never taken, such as {lost[0]}"] if lost else []
    if heard.changed:
        found.append(f"{len(heard.changed)} repeats were given another arrival, such as {heard.changed[0]}")
    if heard.without_retry_after:
        found.append(f"{heard.without_retry_after} answers 503 said nothing about when to come again")
    return found


async def settled(connection: Connection, brand: dict[str, Any], heard: Heard) -> list[str]:
    """Each acknowledged delivery is one arrival, under the id that was told, and settled."""
    rows = await connection.fetch(
        "SELECT key, id, state FROM arrival WHERE brand_id = $1 AND part_of IS NULL", brand_id(brand)
    )
    times = Counter(row["key"] for row in rows)
    by_key = {row["key"]: row for row in rows}
    lost, other, unsettled = [], [], []
    for key, arrival in heard.acknowledged.items():
        row = by_key.get(key)
        if row is None:
            lost.append(key)
        elif row["id"] != parse_typeid(Prefix.ARRIVAL, arrival):
            other.append(key)
        elif row["state"] not in {"settled", "ignored"}:
            unsettled.append(f"{key} ({row['state']})")
    twice = [key for key, n in times.items() if n > 1]
    words = ("are nowhere", "are there under another id", "are not settled", "are there twice")
    return [
        f"{len(keys)} acknowledged deliveries {word}, such as {', '.join(keys[:_LISTED])}"
        for keys, word in zip((lost, other, unsettled, twice), words, strict=True)
        if keys
    ]


async def same_state(connection: Connection, brand: dict[str, Any], calm: State) -> list[str]:
    """The brand's state is that of the same deliveries without a fault."""
    found = await state.read(connection, brand_id(brand))
    return [] if found.digest == calm.digest else found.differences(calm)[: 2 * _LISTED]


async def as_said(connection: Connection, brand: dict[str, Any], world: World) -> list[str]:
    """The mentions are what the deliveries said, by plain rules of the harness' own."""
    wrong = await state.unexpected(connection, brand_id(brand), world)
    return wrong[:_LISTED] + ([f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else [])


async def ordered(connection: Connection, brand: dict[str, Any], client: Client, table: Table) -> list[str]:
    """Numbers are 1, 2, 3 … without hole or repeat, and both readers saw exactly these, in order, as they came."""
    rows = await connection.fetch(
        "SELECT seq, type FROM event WHERE brand_id = $1 ORDER BY seq NULLS FIRST", brand_id(brand)
    )
    numbers = [row["seq"] for row in rows]
    wrong = []
    if numbers != list(range(1, len(numbers) + 1)):
        wrong.append(f"the {len(numbers)} events do not have the numbers from 1 to {len(numbers)}")
    if table.seen != numbers:
        wrong.append(f"a reader of the table saw {_step(table.seen) or f'{len(table.seen)} of {len(numbers)} events'}")
    mentions = [row["seq"] for row in rows if str(row["type"]).startswith("mention")]
    if client.seen != mentions:
        told = _back(client.seen) or f"{len(client.seen)} of {len(mentions)} events"
        wrong.append(f"the subscription saw {told}")
    return wrong


def _step(seen: Sequence[int]) -> str | None:
    return next((f"{b} after {a}" for a, b in pairwise([0, *seen]) if b != a + 1), None)


def _back(seen: Sequence[int]) -> str | None:
    return next((f"{b} after {a}" for a, b in pairwise(seen) if b <= a), None)


async def caught_up(connection: Connection, brand: dict[str, Any], client: Client, table: Table) -> None:
    """Give both readers the time to read to the end: as long as they go on."""
    last = await connection.fetchval(
        "SELECT max(seq) FROM event WHERE brand_id = $1 AND type LIKE 'mention%'", brand_id(brand)
    )
    clock, seen = asyncio.get_running_loop().time, 0
    until = clock() + _STILL_SECONDS
    while last and clock() < until:
        if client.seen and client.seen[-1] >= last and table.read_to >= last:
            return
        if len(client.seen) > seen:
            seen, until = len(client.seen), clock() + _STILL_SECONDS
        await asyncio.sleep(0.05)


async def nothing_left(connection: Connection, rig: Rig) -> list[str]:
    """No claim past its time, no transaction that stands still, nobody waiting for a lock, all processes there."""
    wrong: list[str] = []
    until = asyncio.get_running_loop().time() + 15
    while (wrong := await _left(connection)) and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(0.5)
    down = [name for name in rig.watch.pids if name not in rig.watch.held and not rig.watch.lives(name)]
    return wrong + [f"{name} does not run" for name in down]


async def _left(connection: Connection) -> list[str]:
    looks = {
        "arrivals are claimed": "SELECT count(*) FROM arrival WHERE claimed_until IS NOT NULL AND state <> 'dead'",
        "arrivals are dead": "SELECT count(*) FROM arrival WHERE state = 'dead'",
        "events wait for their number": "SELECT count(*) FROM event_queue",
        "sends are past their lease": "SELECT count(*) FROM due_outgoing WHERE leased_until < now() - interval '2 s'",
        "polls are past their lease": "SELECT count(*) FROM due_poll WHERE leased_until < now() - interval '2 s'",
        "transactions stand still": "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        " AND state_change < clock_timestamp() - interval '2 s'",
        "transactions are older than ten seconds": "SELECT count(*) FROM pg_stat_activity"
        " WHERE xact_start < clock_timestamp() - interval '10 s' AND backend_type = 'client backend'",
        "locks are waited for": "SELECT count(*) FROM pg_locks WHERE NOT granted"
        " AND waitstart < clock_timestamp() - interval '2 s'",
        "transactions are prepared and left": "SELECT count(*) FROM pg_prepared_xacts",
    }
    found = [(await connection.fetchval(query), what) for what, query in looks.items()]
    return [f"{n} {what}" for n, what in found if n]
