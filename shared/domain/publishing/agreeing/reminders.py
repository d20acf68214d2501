"""Reminding those for whom posts wait: once when a version has waited long, once before its moment, as facts."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from shared.db import Session
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.publishing.agreeing import reviews
from shared.domain.publishing.agreeing.reviews import Standing
from shared.domain.scope import Scope
from shared.models.approval import Review
from shared.models.enums import EventType, PostStatus
from shared.models.post import Post

# Where a brand's time can be moved, what is due is seen by its own clock.
_CLAIM = text("""
WITH due AS MATERIALIZED (
  SELECT post_id FROM due_reminder
   WHERE (due_at <= :now OR brand_id IN (SELECT brand_id FROM brand_clock))
     AND (leased_until IS NULL OR leased_until < clock_timestamp())
   ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE due_reminder d SET leased_until = clock_timestamp() + :lease FROM due WHERE d.post_id = due.post_id
RETURNING d.brand_id, d.post_id
""")


async def claim(session: Session, *, now: datetime, limit: int, lease: timedelta) -> dict[UUID, list[UUID]]:
    """Up to `limit` posts of which somebody is to be reminded, by brand; nobody else's while the lease lasts."""
    found = defaultdict(list)
    for brand_id, post_id in await session.execute(_CLAIM, {"now": now, "limit": limit, "lease": lease}):
        found[brand_id].append(post_id)
    return found


async def remind(session: Session, scope: Scope, post_ids: Collection[UUID], *, now: datetime) -> int:
    """Write the facts that are due about these posts; how many. What was told of a version is not told again."""
    wanted = (
        select(Post)
        .where(col(Post.brand_id) == scope.brand_id, col(Post.id).in_(post_ids))
        .order_by(col(Post.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    posts = {post.id: post for post in (await session.execute(wanted)).scalars()}
    waiting = [post for post in posts.values() if post.status is PostStatus.IN_REVIEW]
    stands = await reviews.standings(session, scope, waiting)
    facts: list[NewEvent] = []
    for post_id in post_ids:
        post, moment = posts.get(post_id), None
        review = await session.get(Review, (scope.brand_id, post_id), populate_existing=True)
        if post is not None and review is not None and post_id in stands:
            facts += _due(post, review, stands[post_id], scope.now(now))
            moment = reviews.next_reminder(review, post, stands[post_id].policy)
        await reviews.remind_at(session, scope, post_id, moment, leased=bool(scope.ahead))
    await session.flush()
    await events.add(session, scope.brand_id, facts, now=now)
    return len(facts)


def _due(post: Post, review: Review, stands: Standing, now: datetime) -> list[NewEvent]:
    """The reminders of this version whose time has come, noted as given."""
    rule, reasons = stands.policy, []
    if review.since_at is None or stands.waits_for is None:
        return []
    if rule.reminder and review.reminded_at is None and review.since_at + rule.reminder <= now:
        review.reminded_at = now
        reasons.append("waiting")
    is_near = post.scheduled_at is not None and post.scheduled_at - rule.last_call <= now
    if rule.last_call and review.last_called_at is None and is_near:
        review.last_called_at = now
        reasons.append("last_call")
    said = {"waits_for": stands.waits_for.value, "since_at": review.since_at.isoformat()}
    return [
        NewEvent(EventType.APPROVAL_WAITING, post.id, post.version, {"reason": reason, **said}) for reason in reasons
    ]
