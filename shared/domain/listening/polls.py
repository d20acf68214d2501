"""Which channels are due to be polled: claimed by any number of workers, by the database's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.db import Session, driver


@dataclass(frozen=True, slots=True)
class Due:
    """A channel whose poll is due."""

    brand_id: UUID
    channel_id: UUID
    failures: int


_IS_DUE = "due_at <= clock_timestamp() AND (leased_until IS NULL OR leased_until < clock_timestamp())"


async def due(session: Session, *, limit: int) -> list[Due]:
    """The channels that are due and in nobody's hands, longest waiting first; claims nothing."""
    rows = await (await driver(session)).fetch(
        f"SELECT brand_id, channel_id, failures FROM due_poll WHERE {_IS_DUE} ORDER BY due_at LIMIT $1",  # noqa: S608
        limit,
    )
    return [Due(row["brand_id"], row["channel_id"], row["failures"]) for row in rows]


async def claim(
    session: Session, *, limit: int, lease: timedelta, channel_ids: Sequence[UUID] | None = None
) -> list[Due]:
    """Take up to `limit` due channels, or of `channel_ids`; nobody else has them until the lease ends."""
    rows = await (await driver(session)).fetch(
        "WITH x AS MATERIALIZED (SELECT channel_id FROM due_poll"  # noqa: S608  a constant condition
        f" WHERE {_IS_DUE} AND ($3::uuid[] IS NULL OR channel_id = ANY ($3))"
        "   ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)"
        " UPDATE due_poll d SET leased_until = clock_timestamp() + $2 FROM x WHERE d.channel_id = x.channel_id"
        " RETURNING d.brand_id, d.channel_id, d.failures",
        limit,
        lease,
        list(channel_ids) if channel_ids is not None else None,
    )
    return [Due(row["brand_id"], row["channel_id"], row["failures"]) for row in rows]


async def done(session: Session, channel_id: UUID, *, wait: timedelta, failures: int) -> None:
    """Give a channel back: due again after `wait`. Nothing happens where it was paused or removed meanwhile."""
    await (await driver(session)).execute(
        "UPDATE due_poll SET due_at = clock_timestamp() + $2, leased_until = NULL, failures = $3 WHERE channel_id = $1",
        channel_id,
        wait,
        failures,
    )


async def keep_cursor(
    session: Session, brand_id: UUID, channel_id: UUID, *, old: str | None, new: str | None, now: datetime
) -> bool:
    """Move the channel's cursor on, unless somebody else moved it first. Whether it was moved."""
    moved = await (await driver(session)).fetchval(
        "UPDATE channel SET poll_cursor = $4, last_polled_at = $5 WHERE brand_id = $1 AND id = $2"
        " AND poll_cursor IS NOT DISTINCT FROM $3 RETURNING true",
        brand_id,
        channel_id,
        old,
        new,
        now,
    )
    return bool(moved)
