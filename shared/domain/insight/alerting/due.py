"""Which brands are to be looked at: claimed by any number of schedulers, a minute apart."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, or_, select

from shared.db import Session, driver
from shared.domain.scope import Scope
from shared.models.alert import Alert, AlertRule

EVERY = timedelta(minutes=1)
# The moment stands in a sub-select: a volatile function by itself is no bound for an index.
_CLAIM = """
WITH x AS MATERIALIZED (
  SELECT brand_id FROM due_alert WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until < clock_timestamp())
   ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE due_alert d SET leased_until = clock_timestamp() + $3 FROM x WHERE d.brand_id = x.brand_id
RETURNING d.brand_id, d.leased_until
"""
_HELD = "SELECT leased_until FROM due_alert WHERE brand_id = $1 FOR UPDATE"
_REST = "UPDATE due_alert SET due_at = $2, leased_until = NULL WHERE brand_id = $1"
_END = "DELETE FROM due_alert WHERE brand_id = $1"


@dataclass(frozen=True, slots=True)
class Look:
    """A brand in this scheduler's hands until `leased_until`."""

    brand_id: UUID
    leased_until: datetime


async def claim(session: Session, *, now: datetime, limit: int, lease: timedelta) -> list[Look]:
    """Up to `limit` brands whose turn has come, the longest waiting first; nobody else's while the lease lasts."""
    rows = await (await driver(session)).fetch(_CLAIM, now, limit, lease)
    return [Look(row["brand_id"], row["leased_until"]) for row in rows]


async def rules(session: Session, scope: Scope) -> list[UUID]:
    """The rules to look at: those that stand, and those that are removed and have an alert open or resting."""
    unfinished = select(Alert.rule_id).where(col(Alert.brand_id) == scope.brand_id, col(Alert.closed_at).is_(None))
    wanted = (
        select(AlertRule.id)
        .where(
            col(AlertRule.brand_id) == scope.brand_id,
            or_(col(AlertRule.removed_at).is_(None), col(AlertRule.id).in_(unfinished)),
        )
        .order_by(col(AlertRule.id))
    )
    return list((await session.execute(wanted)).scalars())


async def rest(session: Session, scope: Scope, look: Look, *, now: datetime) -> None:
    """Let the brand rest until its next turn; without rules, for good. Nothing happens where the claim is over."""
    connection = await driver(session)
    # The row first: who makes a rule writes it, so that none is made unseen while this one goes.
    if await connection.fetchval(_HELD, scope.brand_id) != look.leased_until:
        return
    if await rules(session, scope):
        await connection.execute(_REST, scope.brand_id, now + EVERY)
    else:
        await connection.execute(_END, scope.brand_id)
