"""Occurrences become posts, a month ahead. Each becomes one post, whoever dies and however often this is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.publishing import campaigns, drafts, letting_go, posts, variants
from shared.domain.publishing.drafts import LATE
from shared.domain.publishing.fitting import Cards
from shared.domain.publishing.planning import blackouts, moving, recurrences, repeats, rules, templates
from shared.domain.publishing.planning.moving import PLANS
from shared.domain.publishing.planning.recurrences import RecurrenceChanges, RecurrenceDraft
from shared.domain.publishing.planning.repeats import Occurrence
from shared.domain.publishing.planning.wallclock import wrong
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid
from shared.ids import Prefix, typeid
from shared.models.enums import GrantRole, KeyScope, RecurrenceStatus
from shared.models.planning import Recurrence
from shared.models.post import Post, Variant

AHEAD = timedelta(days=30)
Said = tuple[object, ...]
_DAY = timedelta(days=1)
_EVERY = timedelta(hours=6)
# A brand whose clock was moved has lived through more than the hours that passed.
_DUE = text(
    "SELECT brand_id, recurrence_id FROM due_recurrence"
    " WHERE due_at <= :now OR (brand_id = ANY (ARRAY(SELECT brand_id FROM brand_clock)) AND due_at <= :now + :every)"
    " ORDER BY due_at LIMIT :limit"
)
_LATER = text("UPDATE due_recurrence SET due_at = :due_at WHERE recurrence_id = :id AND brand_id = :brand")


@dataclass(frozen=True, slots=True)
class Changed:
    """A recurrence as it is now, how many of its posts were made again, and those that a person had changed by hand:
    they stay as they are."""

    recurrence: Recurrence
    replaced: int
    kept: Sequence[UUID]


async def create(session: Session, scope: Scope, *, draft: RecurrenceDraft, cards: Cards, now: datetime) -> Recurrence:
    """Begin a recurrence and make the posts of its next 30 days. Raises Invalid, naming the place."""
    made = await recurrences.write(session, scope, draft=draft, now=now)
    await _require_channels(session, scope, made, cards)
    await _make(session, scope, made, cards=cards, now=now)
    return made


async def due(session: Session, *, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Recurrences, with their brands, that are to be looked at; those that waited longest first."""
    return [(row[0], row[1]) for row in await session.execute(_DUE, {"now": now, "every": _EVERY, "limit": limit})]


async def put_off(session: Session, scope: Scope, recurrence_id: UUID, *, now: datetime) -> None:
    """Look at a recurrence again in some hours."""
    await session.execute(_LATER, {"id": recurrence_id, "brand": scope.brand_id, "due_at": now + _EVERY})


async def go_on(session: Session, scope: Scope, recurrence_id: UUID, *, cards: Cards, now: datetime) -> int:
    """Make the posts of the recurrence's next 30 days that are not made yet; how many. It ends after its last one.

    What would no longer go out (its channel was removed, say) pauses it, and says why once.
    """
    recurrence = await recurrences.lock(session, scope, recurrence_id)
    await put_off(session, scope, recurrence_id, now=now)
    if recurrence.status is not RecurrenceStatus.ACTIVE:
        return 0
    before = recurrence.version
    try:
        async with session.begin_nested():
            made = await _make(session, scope, recurrence, cards=cards, now=now)
    except Invalid as error:
        await session.refresh(recurrence)
        recurrences.set_status(recurrence, RecurrenceStatus.PAUSED, now)
        found = error.problems[0]
        recurrence.problem = {"code": found.code, "message": found.message, "path": list(found.path)}
        made = 0
    if recurrence.version != before:
        await recurrences.tell(session, scope, recurrence, now=now)
    return made


async def change(
    session: Session,
    scope: Scope,
    recurrence_id: UUID,
    *,
    changes: RecurrenceChanges,
    cards: Cards,
    now: datetime,
    if_version: int | None = None,
) -> Changed:
    """Change a recurrence from now on: what lies ahead is made again, but for what a person changed by hand.

    Raises NotFound, Stale, Invalid, and Conflict where it has ended.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    recurrence = await recurrences.lock(session, scope, recurrence_id, if_version)
    replaced, kept = await _withdraw(session, scope, recurrence, now=now)
    await recurrences.change(session, scope, recurrence, changes, now)
    await _require_channels(session, scope, recurrence, cards)
    recurrence.made_until = None
    if recurrence.status is RecurrenceStatus.ACTIVE:
        await _make(session, scope, recurrence, cards=cards, now=now)
    return await _changed(session, scope, recurrence, "recurrence.update", replaced, kept, now)


async def pause(
    session: Session, scope: Scope, recurrence_id: UUID, *, now: datetime, if_version: int | None = None
) -> Changed:
    """Let nothing come of a recurrence until it is resumed: its posts ahead are let go. Raises as `change` does."""
    return await _stop(session, scope, recurrence_id, RecurrenceStatus.PAUSED, now, if_version)


async def end(
    session: Session, scope: Scope, recurrence_id: UUID, *, now: datetime, if_version: int | None = None
) -> Changed:
    """End a recurrence for good: its posts ahead are let go. Raises as `change` does."""
    return await _stop(session, scope, recurrence_id, RecurrenceStatus.ENDED, now, if_version)


async def resume(
    session: Session,
    scope: Scope,
    recurrence_id: UUID,
    *,
    cards: Cards,
    now: datetime,
    if_version: int | None = None,
) -> Changed:
    """Let a recurrence go on with what lies ahead; what came and went meanwhile is not made up for."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    recurrence = await recurrences.lock(session, scope, recurrence_id, if_version)
    recurrences.set_status(recurrence, RecurrenceStatus.ACTIVE, now)
    await _make(session, scope, recurrence, cards=cards, now=now)
    return await _changed(session, scope, recurrence, "recurrence.resume", 0, [], now)


async def skip(
    session: Session,
    scope: Scope,
    recurrence_id: UUID,
    *,
    day: date,
    now: datetime,
    if_version: int | None = None,
) -> Changed:
    """Leave one occurrence out, by its day; a post that was made of it is let go.

    Raises Invalid for a day that is none of its days, Conflict where its post is being sent.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    recurrence = await recurrences.lock(session, scope, recurrence_id, if_version)
    recurrences.require_going(recurrence)
    if day not in rules.days(recurrence.rule, recurrence.starts_on):
        raise wrong("no_occurrence", f"there is no occurrence on {day}", "day")
    ahead = [post.id for post in await posts_of(session, scope, recurrence) if post.occurs_on == day]
    going_ = await moving.hold(session, scope, ahead)
    forms = await posts.variants_of(session, scope, ahead)
    for post in going_:
        await variants.take_back(session, scope, forms.get(post.id, []), now=now, whole=True)
        await letting_go.let_go(session, scope, [post], forms.get(post.id, []), now=now)
    if day not in recurrence.skipped:
        recurrence.skipped = sorted([*recurrence.skipped, day])
    recurrence.updated_at = now
    recurrence.version += 1
    return await _changed(session, scope, recurrence, "recurrence.skip", len(going_), [], now)


async def posts_of(session: Session, scope: Scope, recurrence: Recurrence) -> list[Post]:
    """Every post that was made of a recurrence, in the order in which they were."""
    wanted = select(Post).where(col(Post.brand_id) == scope.brand_id, col(Post.recurrence_id) == recurrence.id)
    return list((await session.execute(wanted.order_by(col(Post.id)))).scalars())


async def _stop(
    session: Session, scope: Scope, recurrence_id: UUID, status: RecurrenceStatus, now: datetime, if_version: int | None
) -> Changed:
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    recurrence = await recurrences.lock(session, scope, recurrence_id, if_version)
    recurrences.set_status(recurrence, status, now)
    await templates.keep_media(session, scope, recurrence)
    replaced, kept = await _withdraw(session, scope, recurrence, now=now)
    recurrence.made_until = None
    return await _changed(session, scope, recurrence, f"recurrence.{status.value}", replaced, kept, now)


async def _changed(
    session: Session, scope: Scope, recurrence: Recurrence, action: str, replaced: int, kept: list[UUID], now: datetime
) -> Changed:
    await recurrences.tell(session, scope, recurrence, now=now)
    await audit.add(session, scope, action, typeid(Prefix.RECURRENCE, recurrence.id), {"replaced": replaced})
    return Changed(recurrence, replaced, kept)


async def _make(session: Session, scope: Scope, recurrence: Recurrence, *, cards: Cards, now: datetime) -> int:
    """Make the posts that are missing. Raises Invalid, naming the place, where one would not go out."""
    moment = scope.now(now)
    today = recurrences.today_in(recurrence.timezone, moment)
    first = recurrence.made_until + _DAY if recurrence.made_until is not None else recurrence.starts_on
    last = today + AHEAD
    since = max(first, today - _DAY)
    silence = await blackouts.silence(session, scope, since - _DAY)
    there = {post.occurs_on for post in await posts_of(session, scope, recurrence)}
    made = 0
    for one in repeats.occurrences(recurrence, silence, since, last):
        # What was over before it was made is not made up for: a house that was away never bursts.
        if one.at > moment - LATE and one.on not in there:
            await _make_one(session, scope, recurrence, one, cards=cards, now=now)
            made += 1
    recurrence.made_until = last
    if rules.days(recurrence.rule, recurrence.starts_on)[-1] < today - _DAY:
        recurrence.status = RecurrenceStatus.ENDED
        recurrence.version += 1
        await templates.keep_media(session, scope, recurrence)
    await session.flush()
    return made


async def _require_channels(session: Session, scope: Scope, recurrence: Recurrence, cards: Cards) -> None:
    """Raise Invalid, naming the place, unless it speaks on channels that can publish, in a campaign that is there."""
    said = recurrence.template
    named = dict(drafts.named_channels([UUID(id_) for id_ in said["channel_ids"]], templates.forms_of(recurrence)))
    if not named:
        raise wrong("required", "a recurrence needs at least one channel to go out on", "channel_ids")
    await variants.channels_of(session, scope, named, cards)
    await campaigns.require(session, scope, templates.campaign_of(recurrence))


async def _make_one(
    session: Session, scope: Scope, recurrence: Recurrence, one: Occurrence, *, cards: Cards, now: datetime
) -> None:
    post = await posts.create(session, scope, draft=templates.draft_of(recurrence, one), cards=cards, now=now)
    post.recurrence_id, post.occurs_on = recurrence.id, one.on
    post.created_by = recurrence.created_by


async def _withdraw(session: Session, scope: Scope, recurrence: Recurrence, *, now: datetime) -> tuple[int, list[UUID]]:
    """Let the posts go that lie ahead and say what the recurrence says; how many, and those that say something else."""
    wanted = select(Post.id).where(
        col(Post.brand_id) == scope.brand_id,
        col(Post.recurrence_id) == recurrence.id,
        col(Post.status).in_(PLANS),
        col(Post.scheduled_at) > scope.now(now),
    )
    held = await moving.hold(session, scope, list((await session.execute(wanted)).scalars()))
    forms = await posts.variants_of(session, scope, [post.id for post in held])
    gone: list[Post] = []
    kept: list[Post] = []
    for post in held:
        own = forms.get(post.id, [])
        same = _says_the_same(recurrence, post, own)
        (gone if same and await _taken_back(session, scope, own, now) else kept).append(post)
    await letting_go.let_go(session, scope, gone, [v for post in gone for v in forms.get(post.id, [])], now=now)
    return len(gone), [post.id for post in kept]


async def _taken_back(session: Session, scope: Scope, forms: list[Variant], now: datetime) -> bool:
    """Whether nothing had left us, and now nothing will."""
    try:
        await variants.take_back(session, scope, forms, now=now, whole=True)
    except Conflict:
        return False
    return True


def _says_the_same(recurrence: Recurrence, post: Post, forms: Sequence[Variant]) -> bool:
    """Whether a post is still what the recurrence made of its occurrence: in words, media, channels and time of day."""
    said = recurrence.template
    usual: Said = (None, None, None, None, [], None)
    wanted: dict[UUID, Said] = dict.fromkeys(templates.channels_of(recurrence), usual)
    for one in templates.forms_of(recurrence):
        media = variants.dumped(one.media) if one.media is not None else None
        parts = [{"text": part.text, "media": variants.dumped(part.media)} for part in one.parts]
        wanted[one.channel_id] = (one.text, one.link, one.first_comment, media, parts, one.audience)
    found = {
        form.channel_id: (form.text, form.link, form.first_comment, form.media, form.parts, form.audience)
        for form in forms
    }
    at, media = (post.local_time or "")[11:], variants.dumped(templates.media_of(recurrence))
    return (post.text, post.media, post.link, post.campaign_id, at, post.timezone, found) == (
        said["text"], media, said["link"], templates.campaign_of(recurrence), recurrence.local_time,
        recurrence.timezone, wanted,
    )  # fmt: skip
