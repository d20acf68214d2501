"""Reading posts, their variants, and what was done about them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from shared.db import Session
from shared.domain.events.events import NewEvent
from shared.domain.page import Cursors, Page, PageRequest, digest
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models.enums import EventType, PostStatus
from shared.models.post import Attempt, Outgoing, Post, Variant

_KIND = "posts"
Row = TypeVar("Row", Variant, Outgoing, Attempt)


@dataclass(frozen=True, slots=True)
class PostFilter:
    """Which posts; an empty one is all of them. `since` and `until` speak of `scheduled_at`."""

    statuses: tuple[PostStatus, ...] = ()
    channel_ids: tuple[UUID, ...] = ()
    campaign_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def get(session: Session, scope: Scope, post_id: UUID) -> Post:
    """One post. Raises NotFound."""
    wanted = select(Post).where(col(Post.brand_id) == scope.brand_id, col(Post.id) == post_id)
    post = (await session.execute(wanted)).scalar_one_or_none()
    if post is None:
        raise unknown(post_id)
    return post


def unknown(post_id: UUID) -> NotFound:
    return NotFound(f"there is no post with the id {typeid(Prefix.POST, post_id)!r}")


async def search(
    session: Session, scope: Scope, *, where: PostFilter | None = None, page: PageRequest, cursors: Cursors
) -> Page[Post]:
    """A page of the brand's posts, the newest made first."""
    where = where or PostFilter()
    bound = digest(where)
    wanted = select(Post).where(col(Post.brand_id) == scope.brand_id)
    if where.statuses:
        wanted = wanted.where(col(Post.status).in_(where.statuses))
    if where.channel_ids:
        on_channels = select(Variant.post_id).where(
            col(Variant.brand_id) == scope.brand_id,
            col(Variant.post_id) == col(Post.id),
            col(Variant.channel_id).in_(where.channel_ids),
        )
        wanted = wanted.where(on_channels.exists())
    if where.campaign_id is not None:
        wanted = wanted.where(col(Post.campaign_id) == where.campaign_id)
    if where.since is not None:
        wanted = wanted.where(col(Post.scheduled_at) >= where.since)
    if where.until is not None:
        wanted = wanted.where(col(Post.scheduled_at) < where.until)
    if page.cursor is not None:
        at, id_ = cursors.decode(scope.brand_id, _KIND, bound, page.cursor)
        place = tuple_(col(Post.created_at), col(Post.id))
        wanted = wanted.where(place < tuple_(datetime.fromisoformat(at), UUID(id_)))
    wanted = wanted.order_by(col(Post.created_at).desc(), col(Post.id).desc()).limit(page.limit + 1)
    found = (await session.execute(wanted)).scalars().all()
    return Page.cut(
        found,
        page.limit,
        lambda post: cursors.encode(scope.brand_id, _KIND, bound, [post.created_at.isoformat(), str(post.id)]),
    )


def post_changed(post: Post) -> NewEvent:
    """The fact that a post stands otherwise than before."""
    return NewEvent(EventType.POST_CHANGED, post.id, post.version, {"status": post.status.value})


async def variants_of(
    session: Session, scope: Scope, post_ids: Collection[UUID], *, fresh: bool = False
) -> dict[UUID, list[Variant]]:
    """The variants of each post, in the order in which they were made. `fresh`: as they are now, the posts' rows being
    this transaction's since a moment."""
    wanted = (
        select(Variant)
        .where(col(Variant.brand_id) == scope.brand_id, col(Variant.post_id).in_(post_ids))
        .order_by(col(Variant.id))
        .execution_options(populate_existing=fresh)
    )
    return _by((await session.execute(wanted)).scalars().all(), lambda row: row.post_id)


async def outgoing_of(
    session: Session, scope: Scope, variant_ids: Collection[UUID], *, fresh: bool = False
) -> dict[UUID, list[Outgoing]]:
    """What was and is to be done for each variant, the oldest first. `fresh` as above."""
    wanted = (
        select(Outgoing)
        .where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.variant_id).in_(variant_ids))
        .order_by(col(Outgoing.id))
        .execution_options(populate_existing=fresh)
    )
    return _by((await session.execute(wanted)).scalars().all(), lambda row: row.variant_id)


async def attempts_of(session: Session, scope: Scope, outgoing_ids: Collection[UUID]) -> dict[UUID, list[Attempt]]:
    """Every try at each effect, in order."""
    wanted = (
        select(Attempt)
        .where(col(Attempt.brand_id) == scope.brand_id, col(Attempt.outgoing_id).in_(outgoing_ids))
        .order_by(col(Attempt.outgoing_id), col(Attempt.number))
        .execution_options(populate_existing=True)
    )
    return _by((await session.execute(wanted)).scalars().all(), lambda row: row.outgoing_id)


def _by(rows: Sequence[Row], key: Callable[[Row], UUID | None]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        owner = key(row)
        if owner is not None:
            found[owner].append(row)
    return found
