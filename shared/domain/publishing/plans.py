"""When a post goes out, and what stands before that: those who must agree, a hold, a moment that is over."""

from collections.abc import Sequence
from datetime import datetime

from shared.db import Session
from shared.domain.publishing import drafts, transitions, variants
from shared.domain.publishing.agreeing import holds, reviews
from shared.domain.publishing.agreeing.reviews import Standing
from shared.domain.publishing.drafts import When
from shared.domain.publishing.fitting import Cards
from shared.domain.publishing.transitions import Verb
from shared.domain.scope import Scope
from shared.errors import Invalid
from shared.models.enums import PostStatus, Reviewer, VariantStatus
from shared.models.post import Post, Variant

_MISSED = "its moment had passed when the last of those who must agree did: publish it now, or give it another time"


def moment_of(post: Post) -> When | None:
    """When the post is to go out: by its wall clock, where it has one, and the rules that hold now."""
    if post.local_time is not None and post.timezone is not None:
        return drafts.at_wall_clock(datetime.fromisoformat(post.local_time), post.timezone)
    return None if post.scheduled_at is None else When(post.scheduled_at)


async def take_back(session: Session, scope: Scope, found: Sequence[Variant], now: datetime) -> None:
    """Call off all that is planned, without a trace where nothing was tried. Raises Conflict where some of it may be
    out already."""
    await variants.take_back(session, scope, found, now=now, whole=True)
    await variants.forget_untried(session, scope, found)


async def go_out(
    session: Session,
    scope: Scope,
    post: Post,
    found: Sequence[Variant],
    verb: Verb | None,
    *,
    at: datetime,
    cards: Cards,
    now: datetime,
) -> Reviewer | None:
    """Let the post go out `at`; whom it waits for first, where somebody must agree.

    `verb` None: the post is being made. Raises Invalid, naming every variant that can't go out, in both cases.
    """
    rule = await reviews.policy(session, scope)
    stands = await reviews.standing(session, scope, post, found, rule)
    # A post that is out in part can't be changed: what is sent again is what was agreed to.
    if stands.waits_for is not None and not transitions.is_out([variant.status for variant in found]):
        await variants.ready(session, scope, post, found, cards=cards)
        await _wait(session, scope, post, found, verb, stands, now)
        return stands.waits_for
    await _enqueue(session, scope, post, found, verb, at=at, cards=cards, now=now)
    await reviews.forget_reminder(session, scope, post.id)
    return None


async def edited(
    session: Session, scope: Scope, post: Post, found: Sequence[Variant], *, cards: Cards, now: datetime
) -> Reviewer | None:
    """Put a post that was changed where it now belongs; whom it waits for, where it is new to them.

    What was agreed to holds for what it was said of: another version waits for its own.
    """
    is_new = await reviews.written(session, scope, post, found)
    moment = moment_of(post)
    match post.status:
        case PostStatus.SCHEDULED | PostStatus.HELD:
            if moment is None or _is_over(moment, scope.now(now)):
                _stand(post, found, Verb.EDIT, PostStatus.HELD, VariantStatus.HELD, holds.missed_problem())
                return None
            return await go_out(session, scope, post, found, Verb.EDIT, at=moment.at, cards=cards, now=now)
        case PostStatus.IN_REVIEW | PostStatus.APPROVED:
            rule = (await reviews.policy(session, scope)).or_one()
            stands = await reviews.standing(session, scope, post, found, rule)
            if stands.waits_for is not None and (is_new or post.status is PostStatus.IN_REVIEW):
                await _wait(session, scope, post, found, Verb.EDIT, stands, now)
                return stands.waits_for if is_new else None
            if post.status is PostStatus.IN_REVIEW:
                await agreed(session, scope, post, found, Verb.EDIT, cards=cards, now=now)
            return None
        case _:
            return None


async def submit(
    session: Session, scope: Scope, post: Post, found: Sequence[Variant], *, cards: Cards, now: datetime
) -> Reviewer | None:
    """Put a post before those who must agree (where nobody must, before one person); whom it waits for."""
    await variants.ready(session, scope, post, found, cards=cards)
    rule = (await reviews.policy(session, scope)).or_one()
    stands = await reviews.standing(session, scope, post, found, rule)
    if stands.waits_for is None:
        await agreed(session, scope, post, found, Verb.SUBMIT, cards=cards, now=now)
    else:
        await _wait(session, scope, post, found, Verb.SUBMIT, stands, now)
    return stands.waits_for


async def agreed(
    session: Session,
    scope: Scope,
    post: Post,
    found: Sequence[Variant],
    verb: Verb,
    *,
    cards: Cards,
    now: datetime,
) -> None:
    """All who must have agreed: the post goes out at its time by itself, or stands approved, and says why."""
    await reviews.forget_reminder(session, scope, post.id)
    moment = moment_of(post)
    if moment is None:
        _stand(post, found, verb, PostStatus.APPROVED, VariantStatus.APPROVED)
        return
    if _is_over(moment, scope.now(now)):
        problem: dict[str, object] = {"code": "missed", "message": _MISSED, "path": ["scheduled_at"]}
        _stand(post, found, verb, PostStatus.APPROVED, VariantStatus.APPROVED, problem)
        return
    try:
        await _enqueue(session, scope, post, found, verb, at=moment.at, cards=cards, now=now)
    except Invalid as error:
        # Who agrees is not told off for a channel that is gone meanwhile: their word stands, the author mends it.
        wrong = error.problems[0]
        problem = {"code": wrong.code, "message": wrong.message, "path": [str(part) for part in wrong.path]}
        _stand(post, found, verb, PostStatus.APPROVED, VariantStatus.APPROVED, problem)


async def back_to_draft(session: Session, scope: Scope, post: Post, found: Sequence[Variant], now: datetime) -> None:
    """Give a post back to its author, its time kept, and nothing of it under way. Raises Conflict where some may be."""
    await take_back(session, scope, found, now)
    await reviews.forget_reminder(session, scope, post.id)
    _stand(post, found, Verb.REQUEST_CHANGES, PostStatus.DRAFT, VariantStatus.DRAFT)


async def _wait(
    session: Session,
    scope: Scope,
    post: Post,
    found: Sequence[Variant],
    verb: Verb | None,
    stands: Standing,
    now: datetime,
) -> None:
    _stand(post, found, verb, PostStatus.IN_REVIEW, VariantStatus.IN_REVIEW)
    await reviews.ask(session, scope, post, stands, now=now)


async def _enqueue(
    session: Session,
    scope: Scope,
    post: Post,
    found: Sequence[Variant],
    verb: Verb | None,
    *,
    at: datetime,
    cards: Cards,
    now: datetime,
) -> None:
    is_now = verb is Verb.PUBLISH
    status = VariantStatus.PUBLISHING if is_now else VariantStatus.SCHEDULED
    if await holds.current(session, scope) is not None:
        status = VariantStatus.HELD
    for variant in await variants.enqueue(session, scope, post, found, cards=cards, at=at, now=now):
        # Of one that is out only what is missing follows.
        is_out = variant.status is VariantStatus.PUBLISHED
        variant.status = VariantStatus.PUBLISHING if is_out else status
    _put(post, verb, transitions.planned_status(found, now=is_now))


def _stand(
    post: Post,
    found: Sequence[Variant],
    verb: Verb | None,
    status: PostStatus,
    variant_status: VariantStatus,
    problem: dict[str, object] | None = None,
) -> None:
    for variant in found:
        if transitions.may_be_sent(variant):
            variant.status = variant_status
            variant.problems = [problem] if problem is not None else []
    _put(post, verb, status)


def _put(post: Post, verb: Verb | None, status: PostStatus) -> None:
    if verb is not None:
        transitions.go(post, verb, status)
        return
    assert status in transitions.BORN
    post.status = status


def _is_over(moment: When, now: datetime) -> bool:
    return moment.at < now - drafts.LATE
