"""Whose turn it is to ask its network something: rows of ids and times, claimed by any number of workers.

Turns are given in rounds over brands: a brand with a thousand channels has its second only after another's first. Each
belongs to a lane, one a network host, and a lane gives no more turns than it has room for. A claim is committed before
the network is asked and ends by itself with its lease, by the database's clock.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.db import Session, driver

_MOST = 10_000  # of what is due, the longest waiting take part in a round


class Queue(StrEnum):
    """The queues of turns, by their tables."""

    POLL = "due_poll"
    FETCH = "due_fetch"
    OPERATION = "due_operation"
    UPKEEP = "due_upkeep"
    WEBHOOK = "due_webhook"


_KEYS = {
    Queue.POLL: "channel_id",
    Queue.FETCH: "id",
    Queue.OPERATION: "operation_id",
    Queue.UPKEEP: "id",
    Queue.WEBHOOK: "delivery_id",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn in this worker's hands, until `leased_until`: no two claims of one end at the same microsecond.

    `channel_id` is whom it asks: a channel, or the endpoint of a webhook. `due_at` is when it was meant to be taken;
    `failures` counts the tries in a row that came to nothing.
    """

    queue: Queue
    id: UUID
    brand_id: UUID
    channel_id: UUID
    lane: str
    failures: int
    leased_until: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What a worker has in hand: how much of each brand, and how much `room` lanes have left; unnamed ones have all."""

    room: int
    brands: Mapping[UUID, int] = field(default_factory=dict)
    rooms: Mapping[str, int] = field(default_factory=dict)


# The moment stands in a sub-select: a volatile function by itself is no bound for an index, and all rows would be read.
_IS_DUE = "due_at <= (SELECT clock_timestamp()) AND (leased_until IS NULL OR leased_until < clock_timestamp())"
_CLAIM = (
    "WITH due AS MATERIALIZED (SELECT {key} AS id, brand_id, lane, due_at FROM {table}"  # noqa: S608  names of our own
    f"   WHERE {_IS_DUE} AND lane <> ALL ($3::text[]) ORDER BY due_at LIMIT {_MOST}),"
    " ranked AS (SELECT due.id, due.lane, due.due_at, coalesce(b.held, 0)"
    "     + row_number() OVER (PARTITION BY due.brand_id ORDER BY due.due_at) AS round"
    "   FROM due LEFT JOIN unnest($4::uuid[], $5::int[]) AS b (brand_id, held) ON b.brand_id = due.brand_id),"
    " placed AS (SELECT ranked.id, ranked.round, ranked.due_at, coalesce(l.room, $8) AS room,"
    "     row_number() OVER (PARTITION BY ranked.lane ORDER BY ranked.round, ranked.due_at) AS place"
    "   FROM ranked LEFT JOIN unnest($6::text[], $7::int[]) AS l (lane, room) ON l.lane = ranked.lane),"
    " picked AS MATERIALIZED (SELECT id FROM placed WHERE place <= room ORDER BY round, due_at LIMIT $1),"
    " x AS MATERIALIZED (SELECT {key} AS id FROM {table} WHERE {key} = ANY (SELECT id FROM picked)"
    f"   AND {_IS_DUE} FOR UPDATE SKIP LOCKED)"
    " UPDATE {table} d SET leased_until = clock_timestamp() + $2 FROM x WHERE d.{key} = x.id"
    " RETURNING d.{key} AS id, d.brand_id, d.{whom} AS channel_id, d.lane, d.failures, d.leased_until, d.due_at"
)
_AGAIN = (
    "UPDATE {table} SET due_at = clock_timestamp() + $3, leased_until = NULL, failures = $4,"
    " lane = coalesce($5, lane) WHERE {key} = $1 AND leased_until = $2"
)
_END = "DELETE FROM {table} WHERE {key} = $1 AND leased_until = $2"


def _sql(statement: str, queue: Queue) -> str:
    whom = "endpoint_id" if queue is Queue.WEBHOOK else "channel_id"
    return statement.format(table=queue.value, key=_KEYS[queue], whom=whom)


async def claim(session: Session, queue: Queue, *, limit: int, lease: timedelta, taken: Taken) -> list[Turn]:
    """Take up to `limit` turns that are due, in rounds over brands and as the lanes have room."""
    full = [lane for lane, room in taken.rooms.items() if room <= 0]
    rows = await (await driver(session)).fetch(
        _sql(_CLAIM, queue),
        limit,
        lease,
        full,
        list(taken.brands),
        list(taken.brands.values()),
        list(taken.rooms),
        list(taken.rooms.values()),
        taken.room,
    )
    return [
        Turn(
            queue, row["id"], row["brand_id"], row["channel_id"], row["lane"], row["failures"], row["leased_until"],
            row["due_at"],
        )
        for row in sorted(rows, key=lambda row: row["due_at"])
    ]  # fmt: skip


async def again(
    session: Session, turn: Turn, *, wait: timedelta, failures: int = 0, lane: str | None = None
) -> None:  # fmt: skip
    """Give a turn back: due after `wait`, in `lane` from now on. Nothing happens where the claim is over."""
    await (await driver(session)).execute(
        _sql(_AGAIN, turn.queue), turn.id, turn.leased_until, wait, failures, lane
    )  # fmt: skip


async def end(session: Session, turn: Turn) -> None:
    """There is no further turn. Nothing happens where the claim is over: whoever made it due again meant it."""
    await (await driver(session)).execute(_sql(_END, turn.queue), turn.id, turn.leased_until)


async def poll(session: Session, brand_id: UUID, channel_id: UUID, lane: str) -> None:
    """Let a channel be polled from now on, where it is not."""
    await (await driver(session)).execute(
        "INSERT INTO due_poll (channel_id, brand_id, lane, due_at, failures)"
        " VALUES ($1, $2, $3, clock_timestamp(), 0) ON CONFLICT (channel_id) DO NOTHING",
        channel_id,
        brand_id,
        lane,
    )


async def at_once(session: Session, queue: Queue, id_: UUID) -> None:
    """Let a turn be due now that would be due later, unless somebody has it in hand."""
    await (await driver(session)).execute(
        _sql("UPDATE {table} SET due_at = clock_timestamp() WHERE {key} = $1 AND due_at > clock_timestamp()", queue),
        id_,
    )


async def drop(session: Session, brand_id: UUID, channel_id: UUID, queues: Collection[Queue]) -> None:
    """A channel, or an endpoint, gets no further turns in these queues."""
    for queue in queues:
        await (await driver(session)).execute(
            _sql("DELETE FROM {table} WHERE brand_id = $1 AND {whom} = $2", queue), brand_id, channel_id
        )
