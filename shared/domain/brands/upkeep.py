"""What a channel needs to go on: its login renewed before it runs out, its subscription asked for before it ends."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

from shared.contract import Capability, Card
from shared.db import Session, driver
from shared.domain.brands.lanes import lane_of
from shared.domain.scope import Scope
from shared.domain.turns import Queue, Turn
from shared.ids import new_uuid
from shared.models.channel import Channel
from shared.models.enums import UpkeepKind

# A login is renewed when about four fifths of its time are over: what fails then has a fifth of it left to succeed.
_RENEWED_BETWEEN = (0.75, 0.85)

_PLAN = (
    "INSERT INTO due_upkeep (id, brand_id, channel_id, kind, lane, due_at, leased_until, failures)"
    " VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6, NULL, 0) ON CONFLICT (channel_id, kind)"
    " DO UPDATE SET due_at = excluded.due_at, lane = excluded.lane, leased_until = NULL, failures = 0"
)
_TAKE = (
    "INSERT INTO due_upkeep AS u (id, brand_id, channel_id, kind, lane, due_at, leased_until, failures)"
    " VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp() + $6, 0) ON CONFLICT (channel_id, kind)"
    " DO UPDATE SET leased_until = excluded.leased_until, lane = excluded.lane"
    "   WHERE u.leased_until IS NULL OR u.leased_until < clock_timestamp()"
    " RETURNING u.id, u.failures, u.leased_until, u.due_at"
)
_KEEP = (
    "UPDATE due_upkeep SET leased_until = clock_timestamp() + $3 WHERE id = $1 AND leased_until = $2"
    " RETURNING leased_until"
)


async def plan_login(session: Session, scope: Scope, channel: Channel, card: Card, *, now: datetime) -> None:
    """Let the channel's login be renewed in time, where it ends and the network renews it; else not at all."""
    if channel.login_expires_at is None or not card.can(Capability.RENEW):
        await _forget(session, scope, channel, UpkeepKind.LOGIN)
        return
    wait = max(channel.login_expires_at - now, timedelta(0)) * random.uniform(*_RENEWED_BETWEEN)
    await _plan(session, scope, channel, card, UpkeepKind.LOGIN, wait)


async def plan_subscription(session: Session, scope: Scope, channel: Channel, card: Card, *, now: datetime) -> None:
    """Let the network be asked to push at `subscribe_at` again; not at all where there is none."""
    if channel.subscribe_at is None:
        await _forget(session, scope, channel, UpkeepKind.SUBSCRIPTION)
        return
    await _plan(session, scope, channel, card, UpkeepKind.SUBSCRIPTION, max(channel.subscribe_at - now, timedelta(0)))


async def take(
    session: Session, scope: Scope, channel: Channel, card: Card, kind: UpkeepKind, *, lease: timedelta
) -> Turn | None:
    """The turn to look after this, now; None where somebody else has it."""
    lane = lane_of(channel, card)
    row = await (await driver(session)).fetchrow(
        _TAKE, new_uuid(), scope.brand_id, channel.id, kind.value, lane, lease
    )  # fmt: skip
    if row is None:
        return None
    return Turn(
        Queue.UPKEEP, row["id"], scope.brand_id, channel.id, lane, row["failures"], row["leased_until"], row["due_at"]
    )


async def keep(session: Session, turn: Turn, *, lease: timedelta) -> Turn | None:
    """The turn for a whole `lease` from now; None where it is somebody else's."""
    until = await (await driver(session)).fetchval(_KEEP, turn.id, turn.leased_until, lease)
    return replace(turn, leased_until=until) if until is not None else None


async def kind_of(session: Session, turn: Turn) -> UpkeepKind | None:
    """What the turn is for; None where there is nothing to do any more."""
    kind = await (await driver(session)).fetchval("SELECT kind FROM due_upkeep WHERE id = $1", turn.id)
    return UpkeepKind(kind) if kind is not None else None


async def _plan(
    session: Session, scope: Scope, channel: Channel, card: Card, kind: UpkeepKind, wait: timedelta
) -> None:  # fmt: skip
    await (await driver(session)).execute(
        _PLAN, new_uuid(), scope.brand_id, channel.id, kind.value, lane_of(channel, card), wait
    )


async def _forget(session: Session, scope: Scope, channel: Channel, kind: UpkeepKind) -> None:
    await (await driver(session)).execute(
        "DELETE FROM due_upkeep WHERE brand_id = $1 AND channel_id = $2 AND kind = $3",
        scope.brand_id,
        channel.id,
        kind.value,
    )
