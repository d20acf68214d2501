"""Posts that are let go of, with all that belongs to them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete as sql_delete
from sqlmodel import col

from shared.db import Session
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.publishing import reading
from shared.domain.publishing.sending import due
from shared.domain.scope import Scope
from shared.models.approval import Approval, Review
from shared.models.enums import EventType
from shared.models.media import MediaUse
from shared.models.post import Attempt, Outgoing, Post, Variant


async def let_go(
    session: Session, scope: Scope, posts: Sequence[Post], variants: Sequence[Variant], *, now: datetime
) -> None:
    """Delete locked posts that never went out, with these their variants and all effects, and tell of it."""
    effects = await reading.outgoing_of(session, scope, [variant.id for variant in variants])
    ids = [outgoing.id for rows in effects.values() for outgoing in rows]
    gone = [post.id for post in posts]
    await due.call_off(session, scope, ids)
    for thing in (*(one for rows in effects.values() for one in rows), *variants, *posts):
        session.expunge(thing)
    for table, condition in (
        (Attempt, col(Attempt.outgoing_id).in_(ids)),
        (Outgoing, col(Outgoing.id).in_(ids)),
        (Approval, col(Approval.post_id).in_(gone)),
        (Review, col(Review.id).in_(gone)),
        (Variant, col(Variant.post_id).in_(gone)),
        (MediaUse, col(MediaUse.thing_id).in_(gone)),
        (Post, col(Post.id).in_(gone)),
    ):
        statement = sql_delete(table).where(col(table.brand_id) == scope.brand_id, condition)
        await session.execute(statement.execution_options(synchronize_session=False))
    facts = [NewEvent(EventType.POST_CHANGED, post.id, post.version + 1, {"status": "deleted"}) for post in posts]
    await events.add(session, scope.brand_id, facts, now=now)
