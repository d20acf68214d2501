"""A change of the zones' rules moves moments, and no wall clock: what is planned is worked out again.

By which rules everything was worked out is remembered, as a lease. For two days after they came it is done again each
time, since another process may have gone on by the old ones for a while.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from shared.db import Session
from shared.domain.publishing import drafts
from shared.domain.publishing.planning import moving
from shared.domain.publishing.planning.moving import PLANS, Move, Seat
from shared.domain.scope import Scope
from shared.models.post import Post

BATCH = 200
# What is due so soon is left: somebody may have it in hand.
WINDOW = timedelta(minutes=1)
_SETTLED = timedelta(days=2)
_NAME = "zones:"

_KNOWN = text("SELECT until < clock_timestamp() FROM lease WHERE name = :name")
_KEEP = text(
    "INSERT INTO lease AS l (name, holder, fence, until) VALUES (:name, :holder, 1, clock_timestamp() + :length)"
    " ON CONFLICT (name) DO NOTHING"
)
_FORGET = text("DELETE FROM lease WHERE name LIKE :names AND name <> :name")
_BRANDS = text("SELECT DISTINCT brand_id FROM due_outgoing ORDER BY 1")


async def is_settled(session: Session, digest: str) -> bool:
    """Whether everything was worked out by these rules, by every process."""
    return bool((await session.execute(_KNOWN, {"name": _NAME + digest})).scalar_one_or_none())


async def remember(session: Session, digest: str, holder: UUID) -> None:
    """Everything has been worked out by these rules."""
    await session.execute(_KEEP, {"name": _NAME + digest, "holder": holder, "length": _SETTLED})
    await session.execute(_FORGET, {"names": f"{_NAME}%", "name": _NAME + digest})


async def brands_with_plans(session: Session) -> list[UUID]:
    """Every brand of which something waits to go out."""
    return list((await session.execute(_BRANDS)).scalars())


async def work_out(
    session: Session, scope: Scope, *, after: UUID | None, now: datetime
) -> tuple[list[Move], UUID | None]:
    """Work out again the moments of one batch of the brand's plans, in the order of their ids, `after` one.

    The moves that were made, and the last post that was looked at; None where that was all.
    """
    moment = scope.now(now)
    ids = await _batch(session, scope, after, moment)
    posts = await moving.hold(session, scope, ids)
    moves = [move for post in posts if (move := _moved(post, moment)) is not None]
    made = await moving.move(session, scope, moves, now=now) if moves else []
    return made, ids[-1] if len(ids) == BATCH else None


async def _batch(session: Session, scope: Scope, after: UUID | None, now: datetime) -> Sequence[UUID]:
    wanted = select(Post.id).where(
        col(Post.brand_id) == scope.brand_id,
        col(Post.scheduled_at) > now + WINDOW,
        col(Post.local_time).is_not(None),
        col(Post.status).in_(PLANS),
    )
    if after is not None:
        wanted = wanted.where(col(Post.id) > after)
    return (await session.execute(wanted.order_by(col(Post.id)).limit(BATCH))).scalars().all()


def _moved(post: Post, now: datetime) -> Move | None:
    if post.local_time is None or post.timezone is None or post.scheduled_at is None:
        return None
    when = drafts.at_wall_clock(datetime.fromisoformat(post.local_time), post.timezone)
    if when.at == post.scheduled_at or post.scheduled_at <= now + WINDOW:
        return None
    seat = Seat(post.slot_id, post.slot_day, when) if post.slot_id is not None and post.slot_day is not None else None
    return Move(post, when, seat)
