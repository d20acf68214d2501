"""One look at one rule: what is found moves its alert, and each turn of it is told, in one transaction.

The rule's row is held meanwhile, so two schedulers that are at it one after the other find what the first has written,
and whatever dies in between is looked at again from where it stood.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.insight.alerting import alerts, detecting
from shared.domain.insight.alerting.detecting import Watched
from shared.domain.insight.alerting.memory import Memory
from shared.domain.insight.watching.counting import Told
from shared.domain.insight.watching.findings import Driver, DriverKind, Finding
from shared.domain.insight.watching.learning import LEARNT
from shared.domain.insight.watching.naming import Named
from shared.domain.insight.watching.single import Said
from shared.domain.insight.watching.unfolding import APART, Course, Turn, unfold
from shared.domain.publishing.agreeing import holds
from shared.domain.scope import Scope
from shared.errors import Conflict
from shared.ids import new_uuid
from shared.models.alert import Alert, AlertRule
from shared.models.base import JsonObject
from shared.models.brand import Brand
from shared.models.enums import AlertKind, EventType, HoldSource

_UNLEARNT = timedelta(hours=48)  # of an alert, from which on what it speaks of is learnt after all
_UNUSUAL = (AlertKind.VOLUME_SPIKE, AlertKind.NEGATIVE_SPIKE, AlertKind.SILENCE)
_EXPLAIN_EVERY = timedelta(minutes=10)
_NAMING = frozenset({Turn.OPENED, Turn.FOLLOWED})
_NEWS = 3  # mentions that are told with a turn


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look: the turn that was told, if any, of a rule of this kind."""

    kind: AlertKind
    turn: Turn | None


async def look(session: Session, scope: Scope, rule_id: UUID, *, memory: Memory, now: datetime) -> Looked | None:
    """Look at one rule; None where it is gone."""
    rule = await _held(session, scope, rule_id)
    brand = await session.get(Brand, scope.brand_id)
    if rule is None or brand is None:
        return None
    last = await _last(session, scope, rule_id)
    is_open = last is not None and last.closed_at is None
    if rule.removed_at is not None or rule.paused:
        if last is not None and is_open:
            await _close(session, scope, last, _kept(None, _named(rule, last)), now)
        return Looked(rule.kind, Turn.CLOSED if is_open else None)
    named, spoken = _named(rule, last), await _spoken(session, scope, now)
    watched = Watched(rule, brand, _course(last), _told(last, now), spoken, named or Named(), _drivers(last))
    found = await detecting.detect(session, scope, watched, memory, now)
    finding = found.finding
    snoozed = rule.snoozed_until is not None and now < rule.snoozed_until
    if finding is not None and not snoozed and _is_to_be_explained(watched.course, now):
        finding = await detecting.explained(session, scope, watched, finding)
    course, turn = unfold(watched.course, finding, goes_on=found.goes_on, now=now, snoozed=snoozed)
    if named is not None and turn in _NAMING:
        named = named.and_(found.fresh, now)
    kept, news = _kept(course, named), _first(finding, found.fresh)
    if last is not None and watched.course is not None:
        turn = await _move(session, scope, last, kept, turn, finding, news, now)
    elif finding is not None and course is not None:
        await _open(session, scope, rule, finding, kept, news, now)
    return Looked(rule.kind, turn)


async def _open(
    session: Session,
    scope: Scope,
    rule: AlertRule,
    finding: Finding,
    kept: JsonObject,
    news: Sequence[UUID],
    now: datetime,
) -> None:
    alert = Alert(
        brand_id=scope.brand_id, id=new_uuid(), rule_id=rule.id, kind=rule.kind, since=finding.since, opened_at=now,
        seen=finding.seen, expected=finding.expected, evidence=finding.shown(), course=kept,
    )  # fmt: skip
    if rule.hold_posts:
        alert.hold_id = await _hold(session, scope, rule, now)
    session.add(alert)
    await session.flush()
    await alerts.told(session, scope, alert, EventType.ALERT_OPENED, named=news, now=now)


async def _hold(session: Session, scope: Scope, rule: AlertRule, now: datetime) -> UUID | None:
    """Hold what is planned; None where it is held already, by a person or by another alert."""
    try:
        made = await holds.hold(session, scope, reason=rule.name, source=HoldSource.ALERT, now=now)
    except Conflict:
        return None
    return made.id


async def _move(
    session: Session,
    scope: Scope,
    alert: Alert,
    kept: JsonObject,
    turn: Turn | None,
    finding: Finding | None,
    news: Sequence[UUID],
    now: datetime,
) -> Turn | None:
    """What becomes of the alert that there is. One that a person closed only waits to be forgotten."""
    if alert.closed_at is not None:
        alert.course = kept
        await session.flush()
        return None
    if turn is Turn.CLOSED:
        await _close(session, scope, alert, kept, now)
        return turn
    alert.course = kept
    if finding is not None:
        drivers = {} if finding.drivers else {"drivers": alert.evidence["drivers"]}
        alert.seen, alert.expected = finding.seen, finding.expected
        alert.evidence = finding.shown() | drivers
    if turn is Turn.FOLLOWED:
        alert.followed_at, alert.version = now, alert.version + 1
    await session.flush()
    if turn is Turn.FOLLOWED:
        await alerts.told(session, scope, alert, EventType.ALERT_FOLLOWED, named=news, now=now)
    return turn


async def _close(session: Session, scope: Scope, alert: Alert, kept: JsonObject, now: datetime) -> None:
    alert.closed_at, alert.course, alert.version = now, kept, alert.version + 1
    await session.flush()
    await alerts.told(session, scope, alert, EventType.ALERT_CLOSED, now=now)


def _is_to_be_explained(course: Course | None, now: datetime) -> bool:
    """When it opens; after that, as soon as it may be followed up, every ten minutes: reading what is said costs."""
    if course is None:
        return True
    since = now - course.told_at
    return since >= APART and since % _EXPLAIN_EVERY < timedelta(minutes=2)


def _course(last: Alert | None) -> Course | None:
    if last is None or not _unfolds(last):
        return None
    return Course.read(
        last.course, opened_at=last.opened_at, since=last.since, closed_by_hand=last.closed_at is not None
    )


def _told(last: Alert | None, now: datetime) -> Told | None:
    """What the rule's last alert has spoken of, where that is over."""
    if last is None or last.closed_at is None or _unfolds(last):
        return None
    return Told(last.since, min(last.closed_at, now))


def _unfolds(last: Alert) -> bool:
    """Whether it is open, or was closed by hand and waits for calm. Where each mention is told once by itself nothing
    waits: the next one is another matter."""
    return "told_at" in last.course and (last.closed_at is None or last.kind not in detecting.ALONE)


def _named(rule: AlertRule, last: Alert | None) -> Named | None:
    """The single mentions that the rule has named; None for kinds that name none. An alert that does not say which has
    spoken of all that was heard until its last word."""
    if rule.kind not in detecting.ALONE:
        return None
    if last is None:
        return Named()
    if "named" in last.course:
        return Named.read(last.course["named"])
    return Named(until=last.closed_at or last.followed_at or last.opened_at)


def _kept(course: Course | None, named: Named | None) -> JsonObject:
    """What the watch remembers by an alert."""
    return {**(course.shown() if course is not None else {}), **({"named": named.shown()} if named is not None else {})}


def _drivers(last: Alert | None) -> tuple[Driver, ...]:
    """Of an alert that is open."""
    if last is None or last.closed_at is not None:
        return ()
    return tuple(Driver.read(one) for one in last.evidence.get("drivers", ()))


def _first(finding: Finding | None, fresh: Sequence[Said]) -> list[UUID]:
    """The first of the mentions that a finding names anew."""
    if finding is None:
        return []
    new = {one.id for one in fresh}
    mentions = (UUID(one.key) for one in finding.drivers if one.what is DriverKind.MENTION)
    return [one for one in mentions if one in new][:_NEWS]


async def _held(session: Session, scope: Scope, rule_id: UUID) -> AlertRule | None:
    wanted = (
        select(AlertRule)
        .where(col(AlertRule.brand_id) == scope.brand_id, col(AlertRule.id) == rule_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found: AlertRule | None = (await session.execute(wanted)).scalar_one_or_none()
    return found


async def _last(session: Session, scope: Scope, rule_id: UUID) -> Alert | None:
    wanted = (
        select(Alert)
        .where(col(Alert.brand_id) == scope.brand_id, col(Alert.rule_id) == rule_id)
        .order_by(col(Alert.id).desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    found: Alert | None = (await session.execute(wanted)).scalar_one_or_none()
    return found


async def _spoken(session: Session, scope: Scope, now: datetime) -> list[Told]:
    """Hours in which something was the matter by any of the brand's alerts: nothing is learnt from them."""
    wanted = select(Alert.since, Alert.closed_at).where(
        col(Alert.brand_id) == scope.brand_id, col(Alert.kind).in_(_UNUSUAL), col(Alert.opened_at) >= now - LEARNT
    )
    rows = (await session.execute(wanted)).all()
    return [Told(since, min(closed_at or now, since + _UNLEARNT)) for since, closed_at in rows]
