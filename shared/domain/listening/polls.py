"""Polled channels: which are due, how far each was read, and what nobody saw of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.contract import Card
from shared.db import Session, driver
from shared.domain.brands import coverage
from shared.domain.listening import backfills
from shared.domain.scope import Scope
from shared.models.channel import Channel


@dataclass(frozen=True, slots=True)
class Due:
    """A channel whose poll is due."""

    brand_id: UUID
    channel_id: UUID


async def due(session: Session, *, limit: int) -> Sequence[Due]:
    """The channels that are due and in nobody's hands, longest waiting first; claims nothing."""
    rows = await (await driver(session)).fetch(
        "SELECT brand_id, channel_id FROM due_poll WHERE due_at <= (SELECT clock_timestamp())"
        " AND (leased_until IS NULL OR leased_until < clock_timestamp()) ORDER BY due_at LIMIT $1",
        limit,
    )
    return [Due(row["brand_id"], row["channel_id"]) for row in rows]


async def keep_cursor(
    session: Session, brand_id: UUID, channel_id: UUID, *, old: str | None, new: str | None, now: datetime
) -> bool:
    """Move the channel's cursor on, unless somebody else moved it first. Whether it was moved."""
    moved = await (await driver(session)).fetchval(
        "UPDATE channel SET poll_cursor = $4, last_polled_at = $5 WHERE brand_id = $1 AND id = $2"
        " AND poll_cursor IS NOT DISTINCT FROM $3 AND removed_at IS NULL RETURNING true",
        brand_id,
        channel_id,
        old,
        new,
        now,
    )
    return bool(moved)


async def missed(session: Session, scope: Scope, channel: Channel, *, reason: str, now: datetime) -> None:
    """A poll came to nothing: since the last that did not, nobody has seen what was said."""
    since = channel.last_polled_at or now
    await coverage.missed(session, scope, channel.id, via="poll", reason=reason, now=since)


async def observed(
    session: Session,
    scope: Scope,
    channel: Channel,
    *,
    card: Card,
    due_at: datetime,
    lost: bool,
    reconcile_after: timedelta,
    now: datetime,
) -> None:
    """A poll succeeded: the channel was seen up to now, but for a hole that may lie behind it.

    `channel` is as it was before the poll. A hole is what failed polls left; what was said since the last one where
    the network has `lost` the place that it had reached; or before a poll that was `due_at` long ago. One longer than
    `reconcile_after` is looked back upon, where the network can.
    """
    last = channel.last_polled_at
    if last is not None and lost:
        reason = "the network no longer knows the place that the last poll had reached"
        await coverage.missed(session, scope, channel.id, via="poll", reason=reason, now=last)
    elif last is not None and now - due_at > reconcile_after:
        await coverage.missed(session, scope, channel.id, via="poll", reason="nobody polled it", now=last)
    hole = await coverage.observed(session, scope, channel.id, via="poll", now=now)
    if hole is not None and (lost or now - hole.from_at > reconcile_after):
        await backfills.reconcile(session, scope, channel, since=hole.from_at, card=card, now=now)
