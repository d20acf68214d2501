"""A brand's calendar for a person's own calendar program: addresses that hold a token, made and taken back."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete as sql_delete
from sqlalchemy import text
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.publishing import reading
from shared.domain.publishing.drafts import Label
from shared.domain.publishing.planning import blackouts, ical
from shared.domain.scope import Scope
from shared.errors import Conflict, NotAllowed, NotFound
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import GrantRole, KeyScope
from shared.models.planning import CalendarFeed
from shared.models.post import Post
from shared.vault import hash_key

MOST = 50
MOST_POSTS = 2000
_BEFORE, _AFTER = timedelta(days=90), timedelta(days=366)
_ENTER = text("SELECT feed_id, brand_id FROM parvis.enter_by_feed(:digest)")


class FeedDraft(BaseModel):
    """What a person calls it, to know it again."""

    model_config = ConfigDict(extra="forbid")
    label: Label = ""


async def list_(session: Session, scope: Scope) -> list[CalendarFeed]:
    """The acting user's own, in the order in which they were made."""
    wanted = select(CalendarFeed).where(col(CalendarFeed.brand_id) == scope.brand_id)
    return list((await session.execute(wanted.order_by(col(CalendarFeed.id)))).scalars())


async def get(session: Session, scope: Scope, feed_id: UUID) -> CalendarFeed:
    """One of the acting user's own. Raises NotFound."""
    wanted = select(CalendarFeed).where(col(CalendarFeed.brand_id) == scope.brand_id, col(CalendarFeed.id) == feed_id)
    found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no feed with the id {typeid(Prefix.CALENDAR_FEED, feed_id)!r}")
    return found


async def create(session: Session, scope: Scope, *, draft: FeedDraft, now: datetime) -> tuple[CalendarFeed, str]:
    """An address for the acting user, and its token, which is shown this once. Raises NotAllowed, Conflict."""
    scope.require(KeyScope.READ, GrantRole.VIEWER)
    if scope.principal is None:
        raise NotAllowed("a feed belongs to a user")
    if len(await list_(session, scope)) >= MOST:
        raise Conflict(f"a user has at most {MOST} feeds of a brand: revoke old ones", code="too_many")
    token = secrets.token_urlsafe(32)
    made = CalendarFeed(
        digest=hash_key(token),
        brand_id=scope.brand_id,
        organization_id=scope.principal.organization_id,
        user_id=scope.principal.user_id,
        label=draft.label,
        created_at=now,
    )
    session.add(made)
    await session.flush()
    await audit.add(session, scope, "calendar_feed.create", typeid(Prefix.CALENDAR_FEED, made.id))
    return made, token


async def revoke(session: Session, scope: Scope, feed_id: UUID) -> CalendarFeed:
    """Let an address of the acting user's lead nowhere from now on; the feed as it was. Raises NotFound."""
    found = await get(session, scope, feed_id)
    statement = sql_delete(CalendarFeed).where(
        col(CalendarFeed.brand_id) == scope.brand_id, col(CalendarFeed.id) == feed_id
    )
    await session.execute(statement.execution_options(synchronize_session=False))
    session.expunge(found)
    await audit.add(session, scope, "calendar_feed.revoke", typeid(Prefix.CALENDAR_FEED, feed_id))
    return found


async def enter(session: Session, token: str) -> Scope:
    """The brand behind an address, seen by this transaction. Raises NotFound, also for who may no longer see it."""
    row = (await session.execute(_ENTER, {"digest": hash_key(token)})).one_or_none()
    if row is None:
        raise NotFound("there is no such calendar")
    return Scope(row.brand_id)


async def read(session: Session, scope: Scope, *, now: datetime) -> bytes:
    """The brand's calendar from 90 days ago to a year ahead, as iCalendar (RFC 5545); 2,000 posts at most."""
    now = scope.now(now)
    brand = await session.get_one(Brand, scope.brand_id)
    wanted = select(Post).where(
        col(Post.brand_id) == scope.brand_id,
        col(Post.scheduled_at) >= now - _BEFORE,
        col(Post.scheduled_at) < now + _AFTER,
    )
    wanted = wanted.order_by(col(Post.scheduled_at), col(Post.id)).limit(MOST_POSTS)
    posts = list((await session.execute(wanted)).scalars())
    variants = await reading.variants_of(session, scope, [post.id for post in posts])
    silent = await blackouts.list_(session, scope)
    return ical.written(brand, posts, variants, silent, now=now)
