"""Posts in the order in which they go through the brand's slots."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.page import Cursors, Page, PageRequest, digest
from shared.domain.publishing.drafts import When
from shared.domain.publishing.planning import moving, repeats, seats, slots
from shared.domain.publishing.planning.moving import PLANS, Move, Seat
from shared.domain.publishing.planning.slots import Moved
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.ids import Prefix, typeid
from shared.models.enums import GrantRole, KeyScope
from shared.models.post import Post

_KIND = "queue"


async def list_(
    session: Session, scope: Scope, *, slot_id: UUID | None = None, page: PageRequest, cursors: Cursors, now: datetime
) -> Page[Post]:
    """What stands in slots and has not gone out, the next first; of all slots, or of one."""
    bound = digest(slot_id)
    wanted = select(Post).where(
        col(Post.brand_id) == scope.brand_id,
        col(Post.slot_id).is_not(None) if slot_id is None else col(Post.slot_id) == slot_id,
        col(Post.status).in_(PLANS),
        col(Post.scheduled_at) > scope.now(now),
    )
    if page.cursor is not None:
        at, id_ = cursors.decode(scope.brand_id, _KIND, bound, page.cursor)
        wanted = wanted.where(
            tuple_(col(Post.scheduled_at), col(Post.id)) > tuple_(datetime.fromisoformat(at), UUID(id_))
        )
    wanted = wanted.order_by(col(Post.scheduled_at), col(Post.id)).limit(page.limit + 1)
    found = (await session.execute(wanted)).scalars().all()
    return Page.cut(found, page.limit, lambda post: cursors.encode(scope.brand_id, _KIND, bound, _place(post)))


def _place(post: Post) -> list[str]:
    assert post.scheduled_at is not None
    return [post.scheduled_at.isoformat(), str(post.id)]


async def reorder(session: Session, scope: Scope, *, post_ids: Sequence[UUID], now: datetime) -> list[Moved]:
    """Let these posts go out in this order, in the occurrences that they have among them.

    Raises Invalid, naming the place: for a post that does not stand in the queue, or whose channels are not those of
    the slot that it would come into; and Conflict where one is being sent already.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    by_slot = {slot.id: slot for slot in await seats.lock(session, scope)}
    held = {post.id: post for post in await moving.hold(session, scope, post_ids)}
    posts = _in_queue(post_ids, held, scope.now(now))
    channels = await slots.channels_of(session, scope, posts)
    order = sorted((_seat_of(post) for post in posts), key=lambda seat: seat.when.at)
    problems = [
        Problem("wrong_channels", "the slot that it would come into is not for all of its channels", ("post_ids", n))
        for n, (post, seat) in enumerate(zip(posts, order, strict=True))
        if seat.slot_id in by_slot and not repeats.suits(by_slot[seat.slot_id], channels[post.id])
    ]
    if problems:
        raise Invalid(problems)
    before = {post.id: _seat_of(post) for post in posts}
    moves = [Move(post, seat.when, seat) for post, seat in zip(posts, order, strict=True) if seat != before[post.id]]
    await moving.vacate(session, [one.post for one in moves])
    if len(await moving.move(session, scope, moves, now=now)) < len(moves):
        raise Conflict("one of these posts is on its way to its network already", code="already_sending")
    await audit.add(session, scope, "queue.reorder", typeid(Prefix.BRAND, scope.brand_id), {"moved": len(moves)})
    return [
        Moved(one.post.id, before[one.post.id].when.at, one.to.at, one.seat.slot_id if one.seat else None)
        for one in moves
    ]


def _in_queue(post_ids: Sequence[UUID], held: dict[UUID, Post], now: datetime) -> list[Post]:
    problems, found = [], []
    for n, post_id in enumerate(post_ids):
        post = held.pop(post_id, None)
        if post is None or post.slot_id is None or post.scheduled_at is None or post.scheduled_at <= now:
            problems.append(Problem("not_in_queue", "this does not wait in a slot", ("post_ids", n)))
        else:
            found.append(post)
    if problems:
        raise Invalid(problems)
    return found


def _seat_of(post: Post) -> Seat:
    assert post.slot_id is not None
    assert post.slot_day is not None
    assert post.scheduled_at is not None
    return Seat(post.slot_id, post.slot_day, When(post.scheduled_at, post.local_time, post.timezone))
