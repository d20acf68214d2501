"""Moving what is planned to another moment, with the effects that wait for it. It wins over whoever has not begun."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.publishing import reading, transitions
from shared.domain.publishing.drafts import When
from shared.domain.publishing.sending import due, held
from shared.domain.scope import Scope
from shared.models.enums import OutgoingState, PostStatus
from shared.models.post import Outgoing, Post

# A plan is something that no network has heard of yet.
PLANS = frozenset({PostStatus.DRAFT, PostStatus.IN_REVIEW, PostStatus.APPROVED, PostStatus.SCHEDULED, PostStatus.HELD})
# Of these nothing is on a network, and nothing will be.
_OVER = frozenset({OutgoingState.REFUSED, OutgoingState.DROPPED})


@dataclass(frozen=True, slots=True)
class Seat:
    """The occurrence of a slot that is one post's alone."""

    slot_id: UUID
    day: date
    when: When


@dataclass(frozen=True, slots=True)
class Move:
    """A post and where it goes; `seat` None: into no slot."""

    post: Post
    to: When
    seat: Seat | None = None


def plan(post: Post, moment: When | None, seat: Seat | None = None) -> None:
    """Write a plan into a post, which then stands in this slot, or in none."""
    post.scheduled_at = moment.at if moment is not None else None
    post.local_time = moment.local_time if moment is not None else None
    post.timezone = moment.timezone if moment is not None else None
    post.slot_id = seat.slot_id if seat is not None else None
    post.slot_day = seat.day if seat is not None else None


async def hold(session: Session, scope: Scope, post_ids: Collection[UUID]) -> list[Post]:
    """Those of these posts that are plans still, their rows this transaction's until it ends."""
    wanted = (
        select(Post)
        .where(
            col(Post.brand_id) == scope.brand_id,
            col(Post.id).in_(post_ids),
            col(Post.status).in_(PLANS),
        )
        .order_by(col(Post.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list((await session.execute(wanted)).scalars())


async def move(session: Session, scope: Scope, moves: Sequence[Move], *, now: datetime) -> list[Move]:
    """Let posts that `hold` gave go out at other moments; the moves that were made. One that has begun is left."""
    waiting = await _waiting(session, scope, [one.post for one in moves])
    made: list[Move] = []
    shifts: list[tuple[timedelta, UUID]] = []
    for one in moves:
        effects = waiting[one.post.id]
        if effects is None:
            continue
        for effect in effects:
            before = one.post.scheduled_at or effect.due_at
            shifts.append((one.to.at - before, effect.id))
            effect.due_at += one.to.at - before
        plan(one.post, one.to, one.seat)
        one.post.version += 1
        made.append(one)
    await session.flush()
    for by, together in groupby(sorted(shifts), key=lambda shift: shift[0]):
        await due.shift(session, scope, [id_ for _, id_ in together], by)
    await held.tell_posts(session, scope, [one.post for one in made], now=now)
    return made


async def vacate(session: Session, posts: Sequence[Post]) -> None:
    """Let posts stand in no slot for the moment, so that they may change places."""
    for post in posts:
        post.slot_id = post.slot_day = None
    await session.flush()


async def _waiting(session: Session, scope: Scope, posts: Sequence[Post]) -> dict[UUID, list[Outgoing] | None]:
    """What waits for each post; None for one of which something may have left already."""
    variants = await reading.variants_of(session, scope, [post.id for post in posts])
    ids = [variant.id for rows in variants.values() for variant in rows]
    effects = await reading.outgoing_of(session, scope, ids)
    found: dict[UUID, list[Outgoing] | None] = {}
    for post in posts:
        own = [effect for variant in variants.get(post.id, []) for effect in effects.get(variant.id, [])]
        alive = [effect for effect in own if effect.state not in _OVER]
        free = all(transitions.may_be_taken_back(effect.state) for effect in alive)
        found[post.id] = alive if free else None
    return found
