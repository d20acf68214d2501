"""What was found: alerts, as people read them and close them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.insight.alerting import rules
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.errors import Conflict, NotFound
from shared.ids import Prefix, typeid
from shared.models.alert import Alert
from shared.models.base import JsonObject
from shared.models.enums import AlertState, EventType, GrantRole, KeyScope

_KIND = "alerts"


async def get(session: Session, scope: Scope, alert_id: UUID) -> Alert:
    """One alert. Raises NotFound."""
    found = (await by_ids(session, scope, [alert_id])).get(alert_id)
    if found is None:
        raise _unknown(alert_id)
    return found


async def by_ids(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Alert]:
    wanted = select(Alert).where(col(Alert.brand_id) == scope.brand_id, col(Alert.id).in_(ids))
    return {one.id: one for one in (await session.execute(wanted)).scalars()}


async def search(
    session: Session,
    scope: Scope,
    *,
    state: AlertState | None = None,
    rule_id: UUID | None = None,
    page: PageRequest,
    cursors: Cursors,
) -> Page[Alert]:
    """The brand's alerts, the newest first."""
    where = f"{state.value if state else ''} {rule_id or ''}"
    wanted = select(Alert).where(col(Alert.brand_id) == scope.brand_id)
    if state is not None:
        closed = col(Alert.closed_at)
        wanted = wanted.where(closed.is_(None) if state is AlertState.OPEN else closed.is_not(None))
    if rule_id is not None:
        wanted = wanted.where(col(Alert.rule_id) == rule_id)
    if page.cursor is not None:
        wanted = wanted.where(col(Alert.id) < UUID(cursors.decode(scope.brand_id, _KIND, where, page.cursor)[0]))
    found = (await session.execute(wanted.order_by(col(Alert.id).desc()).limit(page.limit + 1))).scalars().all()
    return Page.cut(found, page.limit, lambda one: cursors.encode(scope.brand_id, _KIND, where, [str(one.id)]))


async def close(session: Session, scope: Scope, alert_id: UUID, *, now: datetime) -> Alert:
    """Close an alert by hand: what it speaks of opens none again until it has been calm.

    Raises NotFound, and Conflict where it is closed already.
    """
    alert = await _locked(session, scope, alert_id)
    if alert.closed_at is not None:
        raise Conflict("the alert is closed already", code="already_closed")
    alert.closed_at = now
    alert.closed_by = scope.principal.user_id if scope.principal is not None else None
    alert.version += 1
    await session.flush()
    await told(session, scope, alert, EventType.ALERT_CLOSED, now=now)
    await audit.add(session, scope, "alert.close", typeid(Prefix.ALERT, alert_id))
    return alert


async def snooze(session: Session, scope: Scope, alert_id: UUID, *, until: datetime | None, now: datetime) -> Alert:
    """Let the alert's rule say nothing until then; None: from now on it speaks again. Raises NotFound, Invalid."""
    scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)
    alert = await get(session, scope, alert_id)
    await rules.snooze(session, scope, alert.rule_id, until=until, now=now)
    return alert


async def told(
    session: Session, scope: Scope, alert: Alert, type_: EventType, *, named: Sequence[UUID] = (), now: datetime
) -> None:
    """Write the fact of a turn; `named` are mentions that are told with it."""
    payload: JsonObject = {
        "rule_id": typeid(Prefix.ALERT_RULE, alert.rule_id),
        "kind": alert.kind.value,
        "state": alert.state.value,
        "since": alert.since.isoformat(),
        "seen": alert.seen,
        "expected": alert.expected,
    }
    if named:
        payload["mention_ids"] = [typeid(Prefix.MENTION, one) for one in named]
    await events.add(session, scope.brand_id, [NewEvent(type_, alert.id, alert.version, payload)], now=now)


async def _locked(session: Session, scope: Scope, alert_id: UUID) -> Alert:
    scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)
    rule_id = (await get(session, scope, alert_id)).rule_id
    # The rule's row first, as the watch takes them: whoever holds it alone moves the rule's alerts.
    await rules.held(session, scope, rule_id)
    wanted = (
        select(Alert)
        .where(col(Alert.brand_id) == scope.brand_id, col(Alert.id) == alert_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.execute(wanted)).scalar_one()


def _unknown(alert_id: UUID) -> NotFound:
    return NotFound(f"there is no alert with the id {typeid(Prefix.ALERT, alert_id)!r}")
