"""Brands that live on networks with a time of their own: theirs follows it, and with it what is due.

Only what people mean by time does. Leases, attempts and back-off stay in real time: what is in doubt is not believed
sooner because somebody moved a clock.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import col, select

from shared.db import Session
from shared.domain.scope import Scope
from shared.models.channel import Channel
from shared.models.enums import Network, OutgoingState
from shared.models.post import Outgoing

# Two clocks that are asked over a network are never read at the same moment.
TOLERANCE = timedelta(seconds=0.5)
# A clock that is moved far ahead goes there through every moment at which something is due, and through every day; more
# than so many of either at once are taken together.
STEPS, DAY, SPANS = 100, timedelta(days=1), 50

# A brand lives on these networks where none of its channels, by their hooks, is of another one.
_LIVING = text(
    "SELECT DISTINCT h.brand_id FROM hook h WHERE h.network = ANY (:kept) AND h.removed_at IS NULL"
    " AND h.brand_id IS NOT NULL AND NOT EXISTS (SELECT FROM hook o WHERE o.brand_id = h.brand_id"
    " AND o.removed_at IS NULL AND o.network <> ALL (:kept))"
)
_MOVED = text("SELECT brand_id, ahead FROM brand_clock")
_TAKE = text(
    "INSERT INTO brand_clock AS c (brand_id, ahead) VALUES (:brand, interval '0')"
    " ON CONFLICT (brand_id) DO UPDATE SET ahead = c.ahead RETURNING c.ahead"
)
_PUT = text("UPDATE brand_clock SET ahead = :ahead WHERE brand_id = :brand")
_STOP = text("DELETE FROM brand_clock WHERE brand_id = :brand")
_PUT_DUE = text(
    "UPDATE due_outgoing d SET due_at = mine.due_at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS mine (id, due_at)"
    " WHERE d.outgoing_id = mine.id AND d.brand_id = :brand AND d.due_at <> mine.due_at"
)


async def living(session: Session, kept: Collection[Network]) -> set[UUID]:
    """The brands that live on these networks alone."""
    return set((await session.execute(_LIVING, {"kept": [network.value for network in kept]})).scalars())


async def moved(session: Session) -> dict[UUID, timedelta]:
    """The brands whose time is not the real one, and how far it is ahead."""
    return {row[0]: row[1] for row in await session.execute(_MOVED)}


async def place(session: Session, scope: Scope) -> tuple[Network, str] | None:
    """The network, and the server of it, whose time a brand keeps; None where there are several."""
    wanted = (
        select(Channel.network, Channel.base_url)
        .where(col(Channel.brand_id) == scope.brand_id, col(Channel.removed_at).is_(None))
        .distinct()
    )
    rows = (await session.execute(wanted)).all()
    return (rows[0][0], rows[0][1]) if len(rows) == 1 and rows[0][1] is not None else None


async def step(session: Session, scope: Scope, *, target: timedelta, now: datetime) -> timedelta:
    """Let the brand's time go on towards `target` ahead of the real one; how far ahead it is now.

    Back it goes at once, ahead through all that is due on the way, a call each. Nothing that was begun is begun again.
    """
    before: timedelta = (await session.execute(_TAKE, {"brand": scope.brand_id})).scalar_one()
    if abs(target - before) <= TOLERANCE:
        target = before
    ahead = target if target <= before else await _next(session, scope, before, target, now)
    if ahead != before:
        await session.execute(_PUT, {"brand": scope.brand_id, "ahead": ahead})
    has_arrived = ahead == target and ahead != before
    await _follow(session, scope, ahead, None if has_arrived else now + ahead)
    if ahead == target == timedelta(0):
        await session.execute(_STOP, {"brand": scope.brand_id})
    return ahead


async def _next(session: Session, scope: Scope, before: timedelta, target: timedelta, now: datetime) -> timedelta:
    """Ahead to the next moment at which something is due, by a day at most."""
    begins, ends = now + before, now + target
    wanted = (
        col(Outgoing.brand_id) == scope.brand_id,
        col(Outgoing.state) == OutgoingState.WAITING,
        col(Outgoing.due_at) > begins,
        col(Outgoing.due_at) <= ends,
    )
    count: int = (await session.execute(select(func.count()).select_from(Outgoing).where(*wanted))).scalar_one()
    moments = select(Outgoing.due_at).where(*wanted).order_by(col(Outgoing.due_at)).offset(count // STEPS).limit(1)
    moment = (await session.execute(moments)).scalar_one_or_none() or ends
    return min(moment, begins + max(DAY, (ends - begins) / SPANS), ends) - now


async def _follow(session: Session, scope: Scope, ahead: timedelta, until: datetime | None) -> None:
    """Let what waits for its moment, up to that of the brand's, be due at that moment in real time.

    Whoever planned something while the clock was moved may have read the one before: that is put right here, too.
    """
    wanted = select(Outgoing.id, Outgoing.due_at).where(
        col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.state) == OutgoingState.WAITING
    )
    if until is not None:
        wanted = wanted.where(col(Outgoing.due_at) <= until)
    rows = (await session.execute(wanted)).all()
    if rows:
        mine = {"ids": [row[0] for row in rows], "times": [row[1] - ahead for row in rows], "brand": scope.brand_id}
        await session.execute(_PUT_DUE, mine)
