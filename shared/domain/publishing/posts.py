"""What people do with posts: write, plan, publish, take back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete as sql_delete
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.publishing import drafts, due, fitting, held, naming, reading, transitions, variants
from shared.domain.publishing.drafts import PostChanges, PostDraft, Timing, When
from shared.domain.publishing.fitting import Cards
from shared.domain.publishing.reading import PostFilter, attempts_of, get, outgoing_of, search, variants_of
from shared.domain.publishing.transitions import Verb
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import EventType, GrantRole, KeyScope, PostStatus, VariantStatus
from shared.models.media import MediaUse
from shared.models.post import Attempt, Outgoing, Post, Variant

__all__ = [
    "Cards",
    "PostChanges",
    "PostDraft",
    "PostFilter",
    "attempts_of",
    "cancel",
    "create",
    "delete",
    "get",
    "outgoing_of",
    "publish",
    "schedule",
    "search",
    "update",
    "variants_of",
]


async def create(session: Session, scope: Scope, *, draft: PostDraft, cards: Cards, now: datetime) -> Post:
    """Write a post; with a time, or status `scheduled`, it goes out then. Raises Invalid, naming the place.

    A draft may say what a network would not take: its variant lists it among its problems.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    draft = await naming.filled(session, scope, draft)
    moment = drafts.when(draft, await _timezone(session, scope))
    post = Post(
        brand_id=scope.brand_id,
        text=draft.text,
        media=variants.dumped(draft.media),
        link=draft.link,
        created_by=scope.principal.user_id if scope.principal is not None else None,
        created_at=now,
        updated_at=now,
    )
    _plan(post, moment)
    session.add(post)
    await session.flush()
    found = await variants.set_up(
        session, scope, post, channel_ids=draft.channel_ids, drafts=draft.variants, standing=(), cards=cards
    )
    await naming.keep_uses(session, scope, post)
    if draft.status == "scheduled" or (draft.status is None and moment is not None):
        await _schedule(session, scope, post, found, moment, cards=cards, now=now)
    await fitting.note(session, scope, post, found, cards)
    await held.tell_posts(session, scope, [post], now=now)
    await audit.add(session, scope, "post.create", typeid(Prefix.POST, post.id), {"status": post.status.value})
    return post


async def update(
    session: Session,
    scope: Scope,
    post_id: UUID,
    *,
    changes: PostChanges,
    cards: Cards,
    now: datetime,
    if_version: int | None = None,
) -> Post:
    """Change a post that has not begun to go out; a scheduled one stays scheduled.

    Raises NotFound, Stale, Invalid, and Conflict once it is being sent.
    """
    post, standing = await _held(session, scope, post_id, Verb.EDIT, if_version)
    changes = await naming.filled(session, scope, changes)
    given = changes.model_fields_set
    if "text" in given:
        if changes.text is None:
            raise Invalid([Problem("required", "a post's text can be empty, not null", ("text",))])
        post.text = changes.text
    if "media" in given:
        post.media = variants.dumped(changes.media or [])
    if "link" in given:
        post.link = changes.link
    if given & {"scheduled_at", "local_time", "timezone"}:
        _plan(post, drafts.when(_with_own_zone(changes, post), await _timezone(session, scope)))
    is_planned = post.status is PostStatus.SCHEDULED
    if is_planned:
        await _take_back_plan(session, scope, standing, now)
    if given & {"channel_ids", "variants"}:
        wanted = [v for v in standing if v.status is not VariantStatus.CANCELLED]
        channel_ids = changes.channel_ids
        if channel_ids is None:
            channel_ids = [variant.channel_id for variant in wanted]
        own = changes.variants
        if own is None:
            own = [variants.as_draft(variant) for variant in wanted if variant.channel_id in channel_ids]
        standing = await variants.set_up(
            session, scope, post, channel_ids=channel_ids, drafts=own, standing=standing, cards=cards
        )
    await naming.keep_uses(session, scope, post)
    if is_planned:
        await _schedule(session, scope, post, standing, _planned(post), cards=cards, now=now)
    await fitting.note(session, scope, post, standing, cards)
    return await _changed(session, scope, post, "post.update", now)


async def schedule(
    session: Session,
    scope: Scope,
    post_id: UUID,
    *,
    at: datetime | None = None,
    local_time: str | None = None,
    timezone: str | None = None,
    cards: Cards,
    now: datetime,
    if_version: int | None = None,
) -> Post:
    """Let a post go out at a moment, at wall-clock time in a zone, or at the time it already has; again to move it."""
    post, found = await _held(session, scope, post_id, Verb.SCHEDULE, if_version)
    timing = Timing(scheduled_at=at, local_time=local_time, timezone=timezone)
    moment = drafts.when(timing, await _timezone(session, scope)) or _planned(post)
    await _take_back_plan(session, scope, found, now)
    _plan(post, moment)
    await _schedule(session, scope, post, found, moment, cards=cards, now=now)
    return await _changed(session, scope, post, "post.schedule", now)


async def publish(
    session: Session, scope: Scope, post_id: UUID, *, cards: Cards, now: datetime, if_version: int | None = None
) -> Post:
    """Let a post go out now. What already is on its network stays there and is not sent again."""
    post, found = await _held(session, scope, post_id, Verb.PUBLISH, if_version)
    await _take_back_plan(session, scope, found, now)
    moment = await due.at_once(session, scope, now)
    for variant in await variants.enqueue(session, scope, post, found, cards=cards, at=moment, now=now):
        variant.status = VariantStatus.PUBLISHING
    _plan(post, When(moment))
    post.status = PostStatus.PUBLISHING
    return await _changed(session, scope, post, "post.publish", now)


async def cancel(
    session: Session, scope: Scope, post_id: UUID, *, now: datetime, if_version: int | None = None
) -> Post:
    """Take a post back: what has not left us never does. Raises Conflict where all of it may have left already."""
    post, found = await _held(session, scope, post_id, Verb.CANCEL, if_version)
    called_off = await variants.take_back(session, scope, found, now=now, whole=False)
    for variant in found:
        if variant in called_off or variant.status in {VariantStatus.DRAFT, VariantStatus.APPROVED}:
            variant.status = VariantStatus.CANCELLED
    post.status = transitions.post_status_of(found)
    return await _changed(session, scope, post, "post.cancel", now)


async def delete(
    session: Session, scope: Scope, post_id: UUID, *, now: datetime, if_version: int | None = None
) -> tuple[Post, list[Variant]]:
    """Let go of a post that never went out, with all that belongs to it; the post and its variants as they were."""
    post, found = await _held(session, scope, post_id, Verb.DELETE, if_version)
    post.version += 1
    gone = NewEvent(EventType.POST_CHANGED, post.id, post.version, {"status": "deleted"})
    by_variant = await reading.outgoing_of(session, scope, [variant.id for variant in found])
    ids = [outgoing.id for rows in by_variant.values() for outgoing in rows]
    for table, condition in (
        (Attempt, col(Attempt.outgoing_id).in_(ids)),
        (Outgoing, col(Outgoing.id).in_(ids)),
        (Variant, col(Variant.post_id) == post_id),
        (MediaUse, col(MediaUse.thing_id) == post_id),
        (Post, col(Post.id) == post_id),
    ):
        statement = sql_delete(table).where(col(table.brand_id) == scope.brand_id, condition)
        await session.execute(statement.execution_options(synchronize_session=False))
    session.expunge_all()
    await events.add(session, scope.brand_id, [gone], now=now)
    await audit.add(session, scope, "post.delete", typeid(Prefix.POST, post_id))
    return post, found


async def _held(
    session: Session, scope: Scope, post_id: UUID, verb: Verb, if_version: int | None
) -> tuple[Post, list[Variant]]:
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    wanted = (
        select(Post)
        .where(col(Post.brand_id) == scope.brand_id, col(Post.id) == post_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    post = (await session.execute(wanted)).scalar_one_or_none()
    if post is None:
        raise reading.unknown(post_id)
    if if_version is not None and post.version != if_version:
        raise Stale(f"the post is at version {post.version}, not {if_version}: read it again")
    transitions.require(post.status, verb)
    return post, (await reading.variants_of(session, scope, [post_id])).get(post_id, [])


async def _schedule(
    session: Session,
    scope: Scope,
    post: Post,
    found: list[Variant],
    moment: When | None,
    *,
    cards: Cards,
    now: datetime,
) -> None:
    if moment is None:
        raise Invalid([Problem("required", "say when: scheduled_at, or local_time with timezone", ("scheduled_at",))])
    drafts.refuse_past(moment, scope.now(now))
    for variant in await variants.enqueue(session, scope, post, found, cards=cards, at=moment.at, now=now):
        variant.status = VariantStatus.SCHEDULED
    post.status = PostStatus.SCHEDULED


async def _take_back_plan(session: Session, scope: Scope, found: list[Variant], now: datetime) -> None:
    await variants.take_back(session, scope, found, now=now, whole=True)
    await variants.forget_untried(session, scope, found)


async def _changed(session: Session, scope: Scope, post: Post, action: str, now: datetime) -> Post:
    post.version += 1
    await held.tell_posts(session, scope, [post], now=now)
    await audit.add(session, scope, action, typeid(Prefix.POST, post.id), {"status": post.status.value})
    return post


async def _timezone(session: Session, scope: Scope) -> str:
    wanted = select(Brand.timezone).where(col(Brand.brand_id) == scope.brand_id)
    return (await session.execute(wanted)).scalar_one()


def _plan(post: Post, moment: When | None) -> None:
    post.scheduled_at = moment.at if moment is not None else None
    post.local_time = moment.local_time if moment is not None else None
    post.timezone = moment.timezone if moment is not None else None


def _planned(post: Post) -> When | None:
    return None if post.scheduled_at is None else When(post.scheduled_at, post.local_time, post.timezone)


def _with_own_zone(changes: PostChanges, post: Post) -> Timing:
    """The change of time, in the zone that the post was planned in where it names none."""
    zone = changes.timezone
    local_time = changes.local_time
    if zone is None and local_time is not None:
        zone = post.timezone
    if zone is not None and local_time is None and changes.scheduled_at is None:
        local_time = post.local_time
    return Timing(scheduled_at=changes.scheduled_at, local_time=local_time, timezone=zone)
