"""Hold: a person, or an alert, keeps back everything that a brand has planned, until somebody releases it.

Whoever begins a brand's effects, or plans one, takes the brand's gate together with others; a hold closes it for the
moment of its own transaction. So what is answered to a hold is true: what had begun is seen, and nothing begins after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.publishing import reading, transitions, variants
from shared.domain.publishing.sending import due, held
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.ids import Prefix, typeid
from shared.models.approval import Hold
from shared.models.enums import (
    EventType,
    GrantRole,
    HoldSource,
    KeyScope,
    Missed,
    OutgoingKind,
    OutgoingState,
    PostStatus,
    VariantStatus,
)
from shared.models.post import Outgoing, Post, Variant

LONGEST_REASON = 1000
REST = timedelta(hours=1)  # how long what is held rests before it is looked at again
# What a brand says of its own accord. Answers and moderation go on: a crisis is when they are needed.
HELD_KINDS = frozenset({OutgoingKind.PUBLISH, OutgoingKind.FIRST_COMMENT, OutgoingKind.THREAD_PART})
_RESTING = (OutgoingState.WAITING, OutgoingState.RETRYING)
HELD = "held"  # the code of what an effect says that rests under a hold
_AT_ONCE = 1000  # posts in one statement
_GATE = 4801122  # the name space of the lock, so that it meets no other
_PASS = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:brand, :space))")
_CLOSE = text("SELECT pg_advisory_xact_lock(hashtextextended(:brand, :space))")


@dataclass(frozen=True, slots=True)
class Standing:
    """The hold that is on, None without one; how many effects wait, and how many of them should have gone out."""

    hold: Hold | None
    waiting: int
    missed: int


async def current(session: Session, scope: Scope) -> Hold | None:
    """The hold that is on, and stays as it is until this transaction ends. Ask before locking a post's row."""
    await session.execute(_PASS, {"brand": str(scope.brand_id), "space": _GATE})
    return await _current(session, scope)


async def standing(session: Session, scope: Scope, *, now: datetime) -> Standing:
    """Whether everything is held, and what waits."""
    wanted = select(func.count(), func.count().filter(col(Outgoing.due_at) <= scope.now(now))).where(*_held_back(scope))
    waiting, missed = (await session.execute(wanted)).one()
    return Standing(await _current(session, scope), waiting, missed)


async def hold(
    session: Session, scope: Scope, *, reason: str, source: HoldSource = HoldSource.PERSON, now: datetime
) -> Hold:
    """Hold everything that is planned and has not begun. Raises Conflict where it is held already, Invalid."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid([Problem("required", f"say why, in at most {LONGEST_REASON} characters", ("reason",))])
    await session.execute(_CLOSE, {"brand": str(scope.brand_id), "space": _GATE})
    if await _current(session, scope) is not None:
        raise Conflict("everything is held already; release it first", code="already_held")
    made = Hold(
        brand_id=scope.brand_id, reason=reason.strip(), source=source, held_by=_who(scope), held_at=scope.now(now)
    )
    session.add(made)
    found = await _posts(session, scope)
    for one in found:
        for variant, effects in one.variants:
            if _is_main_waiting(effects) and transitions.may_be_held(variant.status):
                variant.status = VariantStatus.HELD
    await _tell(session, scope, found, now)
    await _said(session, scope, made, "hold.begin", "on", now)
    return made


async def release(session: Session, scope: Scope, *, missed: Missed, now: datetime) -> Hold:
    """Let everything go its way again; `missed` decides about what should have gone out meanwhile.

    Raises Conflict where nothing is held.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.MANAGER)
    await session.execute(_CLOSE, {"brand": str(scope.brand_id), "space": _GATE})
    ended = await _current(session, scope)
    if ended is None:
        raise Conflict("nothing is held", code="not_held")
    moment = scope.now(now)
    ended.released_by, ended.released_at, ended.missed = _who(scope), moment, missed
    found = await _posts(session, scope)
    at_once = await due.at_once(session, scope, now)
    out: list[Outgoing] = []
    for one in found:
        for variant, effects in one.variants:
            main = transitions.standing(effects)[:1]
            if missed is not Missed.PUBLISH and _is_main_waiting(effects) and main[0].due_at <= moment:
                await _let_go(session, scope, variant, missed, now)
            else:
                out += _go_on(variant, effects, moment, at_once)
    await session.flush()
    await due.bring_forward(session, scope, [effect.id for effect in out], now)
    await _tell(session, scope, found, now)
    await _said(session, scope, ended, "hold.release", "off", now)
    return ended


def missed_problem() -> dict[str, object]:
    """What a variant says whose moment passed without anybody's fault but the house's own rules."""
    message = "its moment passed while it was held back: publish it now, give it another time, or cancel it"
    return {"code": "missed", "message": message, "path": ["scheduled_at"]}


def _go_on(variant: Variant, effects: Sequence[Outgoing], now: datetime, at_once: datetime) -> list[Outgoing]:
    """Let a variant's effects go their way again; those whose moment is over, to be sent at once."""
    waiting = [effect for effect in effects if _waits(effect)]
    for effect in waiting:
        if (effect.problem or {}).get("code") == HELD:
            effect.problem = None
    late = [effect for effect in waiting if effect.due_at <= now]
    for effect in late:
        effect.due_at = at_once
    if waiting and variant.status is VariantStatus.HELD:
        variant.status = transitions.variant_status_of([effect.state for effect in transitions.standing(effects)])
    variant.problems = [problem for problem in variant.problems if problem.get("code") != HELD]
    return late


@dataclass(frozen=True, slots=True)
class _Found:
    post: Post
    version: tuple[PostStatus, list[VariantStatus]]
    variants: list[tuple[Variant, list[Outgoing]]]


async def _current(session: Session, scope: Scope) -> Hold | None:
    wanted = select(Hold).where(col(Hold.brand_id) == scope.brand_id, col(Hold.released_at).is_(None))
    found: Hold | None = (await session.execute(wanted.execution_options(populate_existing=True))).scalar_one_or_none()
    return found


def _held_back(scope: Scope) -> tuple[Any, ...]:
    return (
        col(Outgoing.brand_id) == scope.brand_id,
        col(Outgoing.kind).in_(HELD_KINDS),
        col(Outgoing.state).in_(_RESTING),
    )


def _is_main_waiting(effects: Sequence[Outgoing]) -> bool:
    """Whether the post itself waits, and not only what hangs beneath it."""
    main = transitions.standing(effects)[:1]
    return bool(main) and _waits(main[0])


def _waits(effect: Outgoing) -> bool:
    return effect.kind in HELD_KINDS and effect.state in _RESTING


async def _posts(session: Session, scope: Scope) -> list[_Found]:
    """The posts with effects that wait, their rows this transaction's, taken in order as everybody takes them."""
    with_effects = (
        select(Variant.post_id)
        .join(
            Outgoing,
            (col(Outgoing.brand_id) == col(Variant.brand_id)) & (col(Outgoing.variant_id) == col(Variant.id)),
        )
        .where(col(Variant.brand_id) == scope.brand_id, *_held_back(scope))
    )
    ids = sorted(set((await session.execute(with_effects)).scalars()))
    found: list[_Found] = []
    for start in range(0, len(ids), _AT_ONCE):
        found += await _locked(session, scope, ids[start : start + _AT_ONCE])
    return found


async def _locked(session: Session, scope: Scope, ids: Sequence[UUID]) -> list[_Found]:
    wanted = (
        select(Post)
        .where(col(Post.brand_id) == scope.brand_id, col(Post.id).in_(ids))
        .order_by(col(Post.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    posts = list((await session.execute(wanted)).scalars())
    siblings = await reading.variants_of(session, scope, [post.id for post in posts], fresh=True)
    effects = await reading.outgoing_of(session, scope, [v.id for rows in siblings.values() for v in rows], fresh=True)
    return [
        _Found(
            post,
            (post.status, [variant.status for variant in siblings[post.id]]),
            [(variant, effects.get(variant.id, [])) for variant in siblings[post.id]],
        )
        for post in posts
    ]


async def _let_go(session: Session, scope: Scope, variant: Variant, missed: Missed, now: datetime) -> None:
    await variants.take_back(session, scope, [variant], now=now, whole=False)
    if missed is Missed.CANCEL:
        variant.status = VariantStatus.CANCELLED
        return
    await variants.forget_untried(session, scope, [variant])
    variant.status, variant.problems = VariantStatus.HELD, [missed_problem()]


async def _tell(session: Session, scope: Scope, found: Sequence[_Found], now: datetime) -> None:
    changed = []
    for one in found:
        statuses = [variant.status for variant, _ in one.variants]
        status = transitions.post_status_of([variant for variant, _ in one.variants])
        if (status, statuses) != one.version:
            one.post.status = status
            one.post.version += 1
            changed.append(one.post)
    await held.tell_posts(session, scope, changed, now=now)


async def _said(session: Session, scope: Scope, hold_: Hold, action: str, state: str, now: datetime) -> None:
    public = typeid(Prefix.HOLD, hold_.id)
    payload = {"state": state, "source": hold_.source.value, "missed": hold_.missed.value if hold_.missed else None}
    version = 1 if state == "on" else 2
    await events.add(session, scope.brand_id, [NewEvent(EventType.HOLD_CHANGED, hold_.id, version, payload)], now=now)
    await audit.add(session, scope, action, public, {"missed": payload["missed"]} if hold_.missed else {})


def _who(scope: Scope) -> UUID | None:
    return scope.principal.user_id if scope.principal is not None else None
