"""What was found that is not as usual."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Body as FromBody

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import AlertPath, AlertRef, AlertRuleRef, HoldRef, UserRef
from services.api.rest.shapes import Body, ListRead, Moment, Paging, Read, listed
from shared.domain.insight.alerting import alerts, showing
from shared.domain.insight.watching.findings import DriverKind
from shared.models.alert import Alert
from shared.models.enums import AlertKind, AlertState

router = APIRouter(prefix="/v1/brands/{brand_id}/alerts", route_class=TransactedRoute, tags=["alerts"])


class AlertDriverRead(Read):
    """What an alert is made of: a phrase, a network, a cluster of copies, or a mention or an author by their id."""

    what: DriverKind
    key: str
    seen: int
    expected: float | None


class AlertRead(Read):
    """`seen` in the window against `expected`, which usually stays within `low` and `high`; `chance` is that of as much
    where everything is as usual. Of negative spikes, `share` is that of negative mentions. Null: not of this kind."""

    id: AlertRef
    rule_id: AlertRuleRef
    kind: AlertKind
    state: AlertState
    since: datetime
    opened_at: datetime
    followed_at: datetime | None
    closed_at: datetime | None
    closed_by: UserRef | None
    hold_id: HoldRef | None
    seen: float
    expected: float | None
    low: int | None
    high: int | None
    chance: float | None
    share: float | None
    share_expected: float | None
    window_start: datetime
    window_end: datetime
    drivers: list[AlertDriverRead]
    version: int


class AlertList(ListRead[AlertRead]):
    pass


class SnoozeBody(Body):
    """Until when the alert's rule says nothing, within 30 days; null: it speaks again from now on."""

    until: Moment | None


def _read(row: Alert) -> AlertRead:
    shown = showing.of(row)
    return AlertRead(
        **{name: getattr(row, name) for name in AlertRead.model_fields if name in Alert.model_fields},
        state=row.state,
        low=shown.low,
        high=shown.high,
        chance=shown.chance,
        share=shown.share,
        share_expected=shown.share_expected,
        window_start=shown.window_start,
        window_end=shown.window_end,
        drivers=[
            AlertDriverRead(what=one.what, key=one.public, seen=one.seen, expected=one.expected)
            for one in shown.drivers
        ],
    )


@router.get("", response_model=AlertList, summary="The brand's alerts, the newest first")
async def list_alerts(
    call: Calling,
    scope: InBrand,
    page: Paging,
    state: Annotated[AlertState | None, Query(description="Only those that are so.")] = None,
    rule_id: Annotated[AlertRuleRef | None, Query(description="Only this rule's.")] = None,
) -> dict[str, Any]:
    found = await alerts.search(
        call.session, scope, state=state, rule_id=rule_id, page=page, cursors=call.services.cursors
    )
    return listed(found, _read)


@router.get("/{alert_id}", summary="One alert")
async def get_alert(call: Calling, scope: InBrand, alert_id: AlertPath) -> AlertRead:
    return _read(await alerts.get(call.session, scope, alert_id))


@router.post("/{alert_id}/close", summary="Close an alert by hand")
async def close_alert(call: Calling, scope: InBrand, alert_id: AlertPath) -> AlertRead:
    return _read(await alerts.close(call.session, scope, alert_id, now=call.services.clock()))


@router.post("/{alert_id}/snooze", summary="Let the alert's rule say nothing for a while")
async def snooze_alert(
    call: Calling, scope: InBrand, alert_id: AlertPath, body: Annotated[SnoozeBody, FromBody()]
) -> AlertRead:
    return _read(await alerts.snooze(call.session, scope, alert_id, until=body.until, now=call.services.clock()))
