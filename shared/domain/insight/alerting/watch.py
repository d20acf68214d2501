"""One look at one rule: what is found moves its alert, and each turn of it is told, in one transaction.

The rule's row is held meanwhile, so two schedulers that are at it one after the other find what the first has written,
and whatever dies in between is looked at again from where it stood.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.insight.alerting import alerts, detecting
from shared.domain.insight.alerting.detecting import Watched
from shared.domain.insight.alerting.memory import Memory
from shared.domain.insight.watching.counting import Told
from shared.domain.insight.watching.findings import Finding
from shared.domain.insight.watching.learning import LEARNT
from shared.domain.insight.watching.unfolding import APART, Course, Turn, unfold
from shared.domain.publishing.agreeing import holds
from shared.domain.scope import Scope
from shared.errors import Conflict
from shared.ids import new_uuid
from shared.models.alert import Alert, AlertRule
from shared.models.brand import Brand
from shared.models.enums import AlertKind, EventType, HoldSource

_UNLEARNT = timedelta(hours=48)  # of an alert, from which on what it speaks of is learnt after all
_UNUSUAL = (AlertKind.VOLUME_SPIKE, AlertKind.NEGATIVE_SPIKE, AlertKind.SILENCE)
_EXPLAIN_EVERY = timedelta(minutes=10)
_EVENTS = {
    Turn.OPENED: EventType.ALERT_OPENED,
    Turn.FOLLOWED: EventType.ALERT_FOLLOWED,
    Turn.CLOSED: EventType.ALERT_CLOSED,
}


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
            await _close(session, scope, last, now)
        return Looked(rule.kind, Turn.CLOSED if is_open else None)
    watched = Watched(rule, brand, _course(last), _told(last, now), await _spoken(session, scope, now))
    finding, goes_on = await detecting.detect(session, scope, watched, memory, now)
    snoozed = rule.snoozed_until is not None and now < rule.snoozed_until
    if finding is not None and not snoozed and _is_to_be_explained(watched.course, now):
        finding = await detecting.explained(session, scope, watched, finding)
    course, turn = unfold(watched.course, finding, goes_on=goes_on, now=now, snoozed=snoozed)
    if last is not None and watched.course is not None:
        turn = await _move(session, scope, last, course, turn, finding, now)
    elif finding is not None and course is not None:
        await _open(session, scope, rule, finding, course, now)
    return Looked(rule.kind, turn)


async def _open(
    session: Session, scope: Scope, rule: AlertRule, finding: Finding, course: Course, now: datetime
) -> None:  # fmt: skip
    alert = Alert(
        brand_id=scope.brand_id, id=new_uuid(), rule_id=rule.id, kind=rule.kind, since=finding.since, opened_at=now,
        seen=finding.seen, expected=finding.expected, evidence=finding.shown(), course=course.shown(),
    )  # fmt: skip
    if rule.hold_posts:
        alert.hold_id = await _hold(session, scope, rule, now)
    session.add(alert)
    await session.flush()
    await alerts.told(session, scope, alert, EventType.ALERT_OPENED, now=now)


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
    course: Course | None,
    turn: Turn | None,
    finding: Finding | None,
    now: datetime,
) -> Turn | None:
    """What becomes of the alert that there is. One that a person closed only waits to be forgotten."""
    if alert.closed_at is not None:
        alert.course = course.shown() if course is not None else {}
        await session.flush()
        return None
    if course is None:
        await _close(session, scope, alert, now)
        return turn
    alert.course = course.shown()
    if finding is not None:
        kept = alert.evidence if not finding.drivers else {}
        alert.seen, alert.expected = finding.seen, finding.expected
        alert.evidence = finding.shown() | ({"drivers": kept["drivers"]} if kept else {})
    if turn is Turn.FOLLOWED:
        alert.followed_at, alert.version = now, alert.version + 1
    await session.flush()
    if turn is Turn.FOLLOWED:
        await alerts.told(session, scope, alert, EventType.ALERT_FOLLOWED, now=now)
    return turn


async def _close(session: Session, scope: Scope, alert: Alert, now: datetime) -> None:
    alert.closed_at, alert.course, alert.version = now, {}, alert.version + 1
    await session.flush()
    await alerts.told(session, scope, alert, EventType.ALERT_CLOSED, now=now)


def _is_to_be_explained(course: Course | None, now: datetime) -> bool:
    """When it opens; after that, as soon as it may be followed up, every ten minutes: reading what is said costs."""
    if course is None:
        return True
    since = now - course.told_at
    return since >= APART and since % _EXPLAIN_EVERY < timedelta(minutes=2)


def _course(last: Alert | None) -> Course | None:
    if last is None or not last.course:
        return None
    return Course.read(
        last.course, opened_at=last.opened_at, since=last.since, closed_by_hand=last.closed_at is not None
    )


def _told(last: Alert | None, now: datetime) -> Told | None:
    """What the rule's last alert has spoken of, where that is over."""
    if last is None or last.closed_at is None or last.course:
        return None
    return Told(last.since, min(last.closed_at, now))


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
