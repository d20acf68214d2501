"""What a brand is watched for."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, require_version
from services.api.rest.ids import AlertRulePath, AlertRuleRef, ChannelRef, QueryRef, UserRef
from services.api.rest.shapes import Body, ListRead, Paging, Read, Text, listed
from shared.domain.insight.alerting import rules
from shared.domain.insight.alerting.rules import AlertRuleChanges, AlertRuleDraft
from shared.ids import Prefix, typeid
from shared.models.alert import AlertRule
from shared.models.enums import AlertKind, AlertSensitivity, MentionKind, Network

router = APIRouter(prefix="/v1/brands/{brand_id}/alert-rules", route_class=TransactedRoute, tags=["alerts"])


class AlertRuleWhere(Body):
    """Of which mentions a rule speaks. Empty: any."""

    networks: list[Network] = Field(default_factory=list, max_length=20)
    channel_ids: list[ChannelRef] = Field(default_factory=list, max_length=100)
    query_ids: list[QueryRef] = Field(default_factory=list, max_length=20)
    kinds: list[MentionKind] = Field(default_factory=list, max_length=10)
    languages: list[str] = Field(default_factory=list, max_length=50)


class AlertRuleRead(Read):
    """What is watched for, and how easily it speaks. Until `snoozed_until` nothing opens, nothing is followed up."""

    id: AlertRuleRef
    name: str
    kind: AlertKind
    sensitivity: AlertSensitivity
    where: AlertRuleWhere
    reach: int | None
    hold_posts: bool
    paused: bool
    snoozed_until: datetime | None
    created_by: UserRef | None
    created_at: datetime
    updated_at: datetime
    version: int


class AlertRuleList(ListRead[AlertRuleRead]):
    pass


class AlertRuleBody(Body):
    """A new rule. `reach` is of `far_reaching_author`; `hold_posts` needs the right to hold posts."""

    name: Text = Field(min_length=1, max_length=200)
    kind: AlertKind
    sensitivity: AlertSensitivity = AlertSensitivity.MEDIUM
    where: AlertRuleWhere | None = None
    reach: int | None = Field(default=None, ge=1, le=2_000_000_000)
    hold_posts: bool = False
    paused: bool = False


class AlertRulePatch(Body):
    """What is absent stays; `where` is replaced whole."""

    name: Text | None = Field(default=None, min_length=1, max_length=200)
    sensitivity: AlertSensitivity | None = None
    where: AlertRuleWhere | None = None
    reach: int | None = Field(default=None, ge=1, le=2_000_000_000)
    hold_posts: bool | None = None
    paused: bool | None = None


def _read(row: AlertRule) -> AlertRuleRead:
    shown = {name: getattr(row, name) for name in AlertRuleRead.model_fields if name != "where"}
    meant = rules.meant(row.where)
    where = {name: getattr(meant, name) or [] for name in AlertRuleWhere.model_fields}
    return AlertRuleRead(**shown, where=AlertRuleWhere.model_validate(where))


def _given(body: Body) -> dict[str, Any]:
    """What was set of a body, ids as uuids."""
    found = {name: getattr(body, name) for name in body.model_fields_set}
    return {name: _given(value) if isinstance(value, Body) else value for name, value in found.items()}


@router.get("", response_model=AlertRuleList, summary="The brand's alert rules, the newest made first")
async def list_alert_rules(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    return listed(await rules.search(call.session, scope, page=page, cursors=call.services.cursors), _read)


@router.post("", status_code=201, response_model=AlertRuleRead, summary="Watch for something")
async def create_alert_rule(
    call: Calling, scope: InBrand, body: Annotated[AlertRuleBody, FromBody()], response: Response
) -> AlertRuleRead:
    draft = AlertRuleDraft.model_validate(_given(body))
    made = await rules.create(call.session, scope, draft=draft, now=call.services.clock())
    brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.ALERT_RULE, made.id)
    response.headers["location"] = f"/v1/brands/{brand}/alert-rules/{own}"
    return _read(made)


@router.get("/{alert_rule_id}", summary="One alert rule")
async def get_alert_rule(call: Calling, scope: InBrand, alert_rule_id: AlertRulePath) -> AlertRuleRead:
    return _read(await rules.get(call.session, scope, alert_rule_id))


@router.patch("/{alert_rule_id}", summary="Change an alert rule")
async def update_alert_rule(
    call: Calling,
    scope: InBrand,
    alert_rule_id: AlertRulePath,
    body: Annotated[AlertRulePatch, FromBody()],
    if_match: IfMatch = None,
) -> AlertRuleRead:
    current = (await rules.get(call.session, scope, alert_rule_id)).version
    require_version(if_match, current)
    changes = AlertRuleChanges.model_validate(_given(body))
    changed = await rules.change(
        call.session, scope, alert_rule_id, changes=changes, now=call.services.clock(), if_version=current
    )
    return _read(changed)


@router.delete("/{alert_rule_id}", status_code=204, response_class=Response, summary="Watch no longer; its alerts stay")
async def delete_alert_rule(
    call: Calling, scope: InBrand, alert_rule_id: AlertRulePath, if_match: IfMatch = None
) -> None:
    current = (await rules.get(call.session, scope, alert_rule_id)).version
    require_version(if_match, current)
    await rules.remove(call.session, scope, alert_rule_id, now=call.services.clock(), if_version=current)
