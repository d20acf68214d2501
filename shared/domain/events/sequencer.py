"""Numbers for committed events.

A number drawn before its commit loses facts: whoever reads past it never sees a slower transaction's lower number.
So events are written without one, and one sequencer at a time numbers what is committed.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from shared.db import Session, driver
from shared.domain import scope
from shared.domain.notifying import kinds
from shared.ids import new_uuid

# A holder that is stopped inside a transaction would stand in the others' way: the server ends such a transaction.
_STOPPED = text("SET LOCAL idle_in_transaction_session_timeout = '5s'")
# The lock lasts until the numbering commits, so two never overlap, even where a lease ran out meanwhile.
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('parvis ' || :name))")
_LEASE = text("""
INSERT INTO lease AS l (name, holder, fence, until) VALUES (:name, :holder, 1, clock_timestamp() + :length)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
                                 fence = l.fence + CASE WHEN l.holder = excluded.holder THEN 0 ELSE 1 END
 WHERE l.holder = excluded.holder OR l.until < clock_timestamp()
RETURNING l.fence
""")

_IS_WAITING = "SELECT EXISTS (SELECT FROM event_queue)"
_WAITING = "SELECT id, brand_id, event_id FROM event_queue ORDER BY id LIMIT $1"
_FOUND = """
SELECT e.id, e.type FROM event e JOIN unnest($2::uuid[]) WITH ORDINALITY AS q (id, place) ON q.id = e.id
 WHERE e.brand_id = $1 AND e.seq IS NULL ORDER BY q.place
"""
_DRAW = """
INSERT INTO brand_sequence (brand_id, last_seq) VALUES ($1, $2)
ON CONFLICT (brand_id) DO UPDATE SET last_seq = brand_sequence.last_seq + excluded.last_seq RETURNING last_seq
"""
_NUMBER = """
UPDATE event e SET seq = $3::bigint + q.place FROM unnest($2::uuid[]) WITH ORDINALITY AS q (id, place)
 WHERE e.brand_id = $1 AND e.id = q.id
"""
# Of these a person may have to be told; whoever tells them goes on from the last number that it has seen.
_NOTABLE = """
INSERT INTO due_notice (brand_id, seq) SELECT * FROM unnest($1::uuid[], $2::bigint[])
ON CONFLICT (brand_id) DO UPDATE SET seq = excluded.seq
"""
_DONE = "DELETE FROM event_queue WHERE id = ANY ($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Seat:
    """Who asks to be the sequencer, and for how long it stays so after its last numbering."""

    holder: UUID
    length: timedelta = timedelta(seconds=5)
    name: str = "sequencer"


async def is_wanted(connection: "asyncpg.Connection[Any]") -> bool:
    """Whether any event waits for its number."""
    waits: bool = await connection.fetchval(_IS_WAITING)
    return waits


async def number(
    session: Session, *, limit: int, seat: Seat | None = None, told: Callable[[Sequence[UUID]], None] | None = None
) -> list[UUID]:
    """Number up to `limit` committed events without hole or repeat; the brands to ring once this is committed.

    Empty where another sequencer holds the lease, or nothing waits. `told` hears which events, longest waiting first.
    """
    connection = await driver(session)
    if not await is_wanted(connection):
        return []
    if not await _sit(session, seat or Seat(new_uuid(), timedelta(0))):
        return []
    waiting = await connection.fetch(_WAITING, limit)
    if not waiting:
        return []
    events: dict[UUID, list[UUID]] = defaultdict(list)
    for row in waiting:
        events[row["brand_id"]].append(row["event_id"])
    await scope.see(session, sorted(events))
    notable: dict[UUID, int] = {}
    for brand_id in sorted(events):
        rows = await connection.fetch(_FOUND, brand_id, events[brand_id])
        if rows:
            last = await connection.fetchval(_DRAW, brand_id, len(rows))
            await connection.execute(_NUMBER, brand_id, [row["id"] for row in rows], last - len(rows))
            if any(row["type"] in kinds.EVENTS for row in rows):
                notable[brand_id] = last
    if notable:
        await connection.execute(_NOTABLE, list(notable), list(notable.values()))
    await connection.execute(_DONE, [row["id"] for row in waiting])
    if told is not None:
        told([row["event_id"] for row in waiting])
    return sorted(events)


async def _sit(session: Session, seat: Seat) -> bool:
    """Take or keep the lease, alone until this transaction ends. Leases go by the database's clock."""
    await session.execute(_STOPPED)
    if not (await session.execute(_ALONE, {"name": seat.name})).scalar_one():
        return False
    wanted = {"name": seat.name, "holder": seat.holder, "length": seat.length}
    return (await session.execute(_LEASE, wanted)).one_or_none() is not None
