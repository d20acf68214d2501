"""What people do with posts: write, plan, publish, take back."""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.publishing import campaigns, drafts, fitting, letting_go, plans, reading, transitions, variants
from shared.domain.publishing.agreeing import holds, locked, reviews
from shared.domain.publishing.drafts import Planning, PostChanges, PostDraft, Timing, When
from shared.domain.publishing.fitting import Cards
from shared.domain.publishing.library import naming
from shared.domain.publishing.planning import moving, recurrences, seats
from shared.domain.publishing.planning.seats import Wanted
from shared.domain.publishing.reading import PostFilter, attempts_of, get, outgoing_of, search, variants_of
from shared.domain.publishing.sending import due, held
from shared.domain.publishing.transitions import Verb
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import GrantRole, KeyScope, PostStatus, Reviewer, VariantStatus
from shared.models.post import Post, Variant

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

_PLANNED = frozenset({PostStatus.SCHEDULED, PostStatus.HELD})
# Of which nothing is under way.
_IDLE = frozenset({VariantStatus.DRAFT, VariantStatus.IN_REVIEW, VariantStatus.APPROVED, VariantStatus.HELD})


async def create(session: Session, scope: Scope, *, draft: PostDraft, cards: Cards, now: datetime) -> Post:
    """Write a post; with a time, or status `scheduled`, it goes out then. Raises Invalid, naming the place.

    A draft may say what a network would not take: its variant lists it among its problems.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    draft = await naming.filled(session, scope, draft)
    slots = await seats.lock(session, scope) if draft.slot is not None else []
    channel_ids = list(dict(drafts.named_channels(draft.channel_ids, draft.variants)))
    moment, seat = await seats.meant(session, scope, draft, slots, channel_ids=channel_ids, now=now)
    post = Post(
        brand_id=scope.brand_id,
        text=draft.text,
        media=variants.dumped(draft.media),
        link=draft.link,
        created_by=scope.principal.user_id if scope.principal is not None else None,
        created_at=now,
        updated_at=now,
    )
    moving.plan(post, moment, seat)
    await campaigns.join(session, scope, post, draft.campaign_id)
    # Before any row of a post: whoever holds everything back does it before or after this, never in its middle.
    await holds.current(session, scope)
    session.add(post)
    await session.flush()
    found = await variants.set_up(
        session, scope, post, channel_ids=draft.channel_ids, drafts=draft.variants, standing=(), cards=cards
    )
    await naming.keep_uses(session, scope, post)
    waits_for = None
    if draft.status == "scheduled" or (draft.status is None and moment is not None):
        at = _when(scope, moment, now)
        waits_for = await plans.go_out(session, scope, post, found, None, at=at, cards=cards, now=now)
    await fitting.note(session, scope, post, found, cards)
    await held.tell_posts(session, scope, [post], now=now)
    if waits_for is not None:
        await reviews.tell(session, scope, post, now=now, waits_for=waits_for.value)
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
    """Change a post that has not begun to go out; a scheduled one stays scheduled, unless somebody must agree first.

    Raises NotFound, Stale, Invalid, and Conflict once it is being sent.
    """
    post, standing = await locked.take(session, scope, post_id, Verb.EDIT, if_version=if_version)
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
    if "campaign_id" in given:
        await campaigns.join(session, scope, post, changes.campaign_id)
    if given & {"scheduled_at", "local_time", "timezone"}:
        moment = drafts.when(_with_own_zone(changes, post), await _timezone(session, scope))
        moving.plan(post, moment)
        if post.status in _PLANNED:
            _when(scope, moment, now)
    if post.status in _PLANNED:
        await plans.take_back(session, scope, standing, now)
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
    waits_for = await plans.edited(session, scope, post, standing, cards=cards, now=now)
    await fitting.note(session, scope, post, standing, cards)
    return await _changed(session, scope, post, "post.update", now, waits_for)


async def schedule(
    session: Session,
    scope: Scope,
    post_id: UUID,
    *,
    at: datetime | None = None,
    local_time: str | None = None,
    timezone: str | None = None,
    slot: Wanted | None = None,
    cards: Cards,
    now: datetime,
    if_version: int | None = None,
) -> Post:
    """Let a post go out at a moment, at wall-clock time in a zone, in a slot, or at the time it already has.

    Again to move it. What is in the way of a slot: see `seats.find`. Where somebody must agree first it waits for them,
    and goes out then.
    """
    slots = await seats.lock(session, scope) if slot is not None else []
    post, found = await locked.take(session, scope, post_id, Verb.SCHEDULE, if_version=if_version)
    timing = Planning(scheduled_at=at, local_time=local_time, timezone=timezone, slot=slot)
    channel_ids = [variant.channel_id for variant in found if variant.status is not VariantStatus.CANCELLED]
    moment, seat = await seats.meant(session, scope, timing, slots, channel_ids=channel_ids, now=now, besides=[post_id])
    when = _when(scope, moment or plans.moment_of(post), now)
    await plans.take_back(session, scope, found, now)
    if moment is not None:
        moving.plan(post, moment, seat)
    else:
        post.scheduled_at = when
    waits_for = await plans.go_out(session, scope, post, found, Verb.SCHEDULE, at=when, cards=cards, now=now)
    return await _changed(session, scope, post, "post.schedule", now, waits_for)


async def publish(
    session: Session, scope: Scope, post_id: UUID, *, cards: Cards, now: datetime, if_version: int | None = None
) -> Post:
    """Let a post go out now. What already is on its network stays there and is not sent again.

    Where somebody must agree first it waits for them.
    """
    post, found = await locked.take(session, scope, post_id, Verb.PUBLISH, if_version=if_version)
    await plans.take_back(session, scope, found, now)
    at = await due.at_once(session, scope, now)
    moving.plan(post, When(at))
    waits_for = await plans.go_out(session, scope, post, found, Verb.PUBLISH, at=at, cards=cards, now=now)
    return await _changed(session, scope, post, "post.publish", now, waits_for)


async def cancel(
    session: Session, scope: Scope, post_id: UUID, *, now: datetime, if_version: int | None = None
) -> Post:
    """Take a post back: what has not left us never does. Raises Conflict where all of it may have left already."""
    post, found = await locked.take(session, scope, post_id, Verb.CANCEL, if_version=if_version)
    called_off = await variants.take_back(session, scope, found, now=now, whole=False)
    effects = await reading.outgoing_of(session, scope, [variant.id for variant in found])
    idle = _IDLE | ({VariantStatus.FAILED} if post.status is PostStatus.FAILED else set())
    for variant in found:
        if variant in called_off or variant.status in idle:
            variant.status = transitions.called_off(effects.get(variant.id, ()))
    # Its place in a slot is somebody else's from now on.
    post.slot_id = post.slot_day = None
    transitions.go(post, Verb.CANCEL, transitions.post_status_of(found))
    await reviews.forget_reminder(session, scope, post.id)
    return await _changed(session, scope, post, "post.cancel", now)


async def delete(
    session: Session, scope: Scope, post_id: UUID, *, now: datetime, if_version: int | None = None
) -> tuple[Post, list[Variant]]:
    """Let go of a post that never went out, with all that belongs to it; the post and its variants as they were."""
    post, found = await locked.take(session, scope, post_id, Verb.DELETE, if_version=if_version)
    await plans.take_back(session, scope, found, now)
    await reviews.forget_reminder(session, scope, post_id)
    if post.recurrence_id is not None and post.occurs_on is not None:
        await recurrences.leave_out(session, scope, post.recurrence_id, post.occurs_on)
    await letting_go.let_go(session, scope, [post], found, now=now)
    post.version += 1
    await audit.add(session, scope, "post.delete", typeid(Prefix.POST, post_id))
    return post, found


def _when(scope: Scope, moment: When | None, now: datetime) -> datetime:
    """The moment. Raises Invalid where there is none, or where it is over."""
    if moment is None:
        raise Invalid([Problem("required", "say when: scheduled_at, or local_time with timezone", ("scheduled_at",))])
    drafts.refuse_past(moment, scope.now(now))
    return moment.at


async def _changed(
    session: Session, scope: Scope, post: Post, action: str, now: datetime, waits_for: Reviewer | None = None
) -> Post:
    post.version += 1
    await held.tell_posts(session, scope, [post], now=now)
    if waits_for is not None:
        await reviews.tell(session, scope, post, now=now, waits_for=waits_for.value)
    await audit.add(session, scope, action, typeid(Prefix.POST, post.id), {"status": post.status.value})
    return post


async def _timezone(session: Session, scope: Scope) -> str:
    wanted = select(Brand.timezone).where(col(Brand.brand_id) == scope.brand_id)
    return (await session.execute(wanted)).scalar_one()


def _with_own_zone(changes: PostChanges, post: Post) -> Timing:
    """The change of time, in the zone that the post was planned in where it names none."""
    zone = changes.timezone
    local_time = changes.local_time
    if zone is None and local_time is not None:
        zone = post.timezone
    if zone is not None and local_time is None and changes.scheduled_at is None:
        local_time = post.local_time
    return Timing(scheduled_at=changes.scheduled_at, local_time=local_time, timezone=zone)
