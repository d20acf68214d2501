"""Verbs of alerts and their rules."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.alert import Alert, AlertRule
from services.api.schema.connection import Info, given
from services.api.schema.inputs import given_values, validated
from services.api.schema.outgoing import Problem
from shared import models
from shared.db import Session
from shared.domain.insight.alerting import alerts, rules
from shared.domain.insight.alerting.rules import AlertRuleChanges, AlertRuleDraft
from shared.domain.scope import Scope
from shared.errors import Invalid, NotFound
from shared.errors import Problem as Wrong
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import AlertKind, AlertSensitivity, MentionKind, Network

_FIELDS = ("name", "sensitivity", "reach", "hold_posts", "paused")


@strawberry.input(description="Of which mentions a rule speaks. Absent or empty: any.")
class AlertRuleWhereInput:
    networks: list[Network] | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    query_ids: list[strawberry.ID] | None = UNSET
    kinds: list[MentionKind] | None = UNSET
    languages: list[str] | None = UNSET

    def read(self) -> dict[str, Any]:
        """Raises Invalid for an id that is none."""
        found = given_values(self, "networks", "channel_ids", "query_ids", "kinds", "languages")
        for name, prefix in (("channel_ids", Prefix.CHANNEL), ("query_ids", Prefix.QUERY)):
            if found.get(name) is not None:
                found[name] = [_read(prefix, one, name) for one in found[name]]
        return found


def _read(prefix: Prefix, id_: str, place: str) -> UUID:
    try:
        return parse_typeid(prefix, id_)
    except NotFound as error:
        raise Invalid([Wrong(f"unknown_{prefix.name.lower()}", error.message, ("where", place))]) from None


def _values(source: Any) -> dict[str, Any]:
    values = given_values(source, *_FIELDS)
    if where := given(source.where):
        values["where"] = where.read()
    return values


@strawberry.input(description="`reach` is of FAR_REACHING_AUTHOR; `holdPosts` needs the right to hold posts.")
class CreateAlertRuleInput:
    brand_id: strawberry.ID
    name: str
    kind: AlertKind
    sensitivity: AlertSensitivity | None = UNSET
    where: AlertRuleWhereInput | None = UNSET
    reach: int | None = UNSET
    hold_posts: bool | None = UNSET
    paused: bool | None = UNSET

    def draft(self) -> AlertRuleDraft:
        values = {name: value for name, value in _values(self).items() if value is not None}
        return validated(AlertRuleDraft, {**values, "kind": self.kind})


@strawberry.input(description="What is absent stays; `where` is replaced whole.")
class UpdateAlertRuleInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    name: str | None = UNSET
    sensitivity: AlertSensitivity | None = UNSET
    where: AlertRuleWhereInput | None = UNSET
    reach: int | None = UNSET
    hold_posts: bool | None = UNSET
    paused: bool | None = UNSET

    def changes(self) -> AlertRuleChanges:
        return validated(AlertRuleChanges, _values(self))


@strawberry.input
class DeleteAlertRuleInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class CloseAlertInput:
    id: strawberry.ID


@strawberry.input(description="Within 30 days; null: the alert's rule speaks again from now on.")
class SnoozeAlertInput:
    id: strawberry.ID
    until: datetime | None = UNSET


@strawberry.type
class CreateAlertRulePayload:
    alert_rule: AlertRule | None
    errors: list[Problem]


@strawberry.type
class UpdateAlertRulePayload:
    alert_rule: AlertRule | None
    errors: list[Problem]


@strawberry.type
class DeleteAlertRulePayload:
    deleted_id: strawberry.ID | None
    errors: list[Problem]


@strawberry.type
class CloseAlertPayload:
    alert: Alert | None
    errors: list[Problem]


@strawberry.type
class SnoozeAlertPayload:
    alert: Alert | None
    errors: list[Problem]


@strawberry.type
class AlertMutation:
    @strawberry.mutation(description="Watches for something from now on.")  # type: ignore[untyped-decorator]
    async def create_alert_rule(self, info: Info, input: CreateAlertRuleInput) -> CreateAlertRulePayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.AlertRule:
            return await rules.create(session, scope, draft=input.draft(), now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> models.AlertRule:
            return await rules.get(session, scope, UUID(kept["id"]))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda made: {"id": str(made.id)}, again=again,
        )  # fmt: skip
        return CreateAlertRulePayload(alert_rule=cast(Any, outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Changes a rule; it holds from the next look on.")  # type: ignore[untyped-decorator]
    async def update_alert_rule(self, info: Info, input: UpdateAlertRuleInput) -> UpdateAlertRulePayload:
        now, version = info.context.services.clock(), given(input.if_version)

        async def act(session: Session, scope: Scope, id_: UUID) -> models.AlertRule:
            return await rules.change(session, scope, id_, changes=input.changes(), now=now, if_version=version)

        outcome = await on(info, Prefix.ALERT_RULE, input.id, act, rules.get)
        return UpdateAlertRulePayload(alert_rule=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Watches no longer; the rule's alerts stay.")  # type: ignore[untyped-decorator]
    async def delete_alert_rule(self, info: Info, input: DeleteAlertRuleInput) -> DeleteAlertRulePayload:
        now, version = info.context.services.clock(), given(input.if_version)

        async def act(session: Session, scope: Scope) -> UUID:
            id_ = parse_typeid(Prefix.ALERT_RULE, input.id)
            await rules.remove(session, scope, id_, now=now, if_version=version)
            return id_

        async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> UUID:
            return UUID(kept["id"])

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.ALERT_RULE, input.id), act,
            kept=lambda id_: {"id": str(id_)}, again=again,
        )  # fmt: skip
        gone = strawberry.ID(typeid(Prefix.ALERT_RULE, outcome.thing)) if outcome.thing is not None else None
        return DeleteAlertRulePayload(deleted_id=gone, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Closes an alert; none opens again of the same before it has been calm.")  # type: ignore[untyped-decorator]
    async def close_alert(self, info: Info, input: CloseAlertInput) -> CloseAlertPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Alert:
            return await alerts.close(session, scope, id_, now=now)

        outcome = await on(info, Prefix.ALERT, input.id, act, alerts.get)
        return CloseAlertPayload(alert=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Lets the alert's rule say nothing for a while.")  # type: ignore[untyped-decorator]
    async def snooze_alert(self, info: Info, input: SnoozeAlertInput) -> SnoozeAlertPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Alert:
            return await alerts.snooze(session, scope, id_, until=given(input.until), now=now)

        outcome = await on(info, Prefix.ALERT, input.id, act, alerts.get)
        return SnoozeAlertPayload(alert=outcome.thing, errors=errors_of(outcome.problems))
