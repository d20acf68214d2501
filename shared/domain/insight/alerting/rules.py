"""What a brand is watched for: rules that people make, change, snooze and remove."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from shared.contract import storable
from shared.db import Session, driver
from shared.domain.brands import audit, channels
from shared.domain.listening import queries
from shared.domain.listening.filters import MentionFilter
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.alert import AlertRule
from shared.models.base import JsonObject
from shared.models.enums import AlertKind, AlertSensitivity, GrantRole, KeyScope, MentionKind, Network

MOST = 50  # rules of a brand
LONGEST_SNOOZE = timedelta(days=30)
_KIND = "alert_rules"
_DUE = (
    "INSERT INTO due_alert (brand_id, due_at) VALUES ($1, $2)"
    " ON CONFLICT (brand_id) DO UPDATE SET due_at = least(due_alert.due_at, excluded.due_at)"
)

Text = Annotated[str, BeforeValidator(lambda value: storable(value) if isinstance(value, str) else value)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RuleFilter(_Strict):
    """Of which mentions a rule speaks. Absent or empty: any."""

    networks: list[Network] | None = Field(default=None, max_length=20)
    channel_ids: list[UUID] | None = Field(default=None, max_length=100)
    query_ids: list[UUID] | None = Field(default=None, max_length=20)
    kinds: list[MentionKind] | None = Field(default=None, max_length=10)
    languages: list[Annotated[str, Field(max_length=35)]] | None = Field(default=None, max_length=50)

    def kept(self) -> JsonObject:
        """As a rule keeps it."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value}


class AlertRuleDraft(_Strict):
    """A new rule."""

    name: Text = Field(min_length=1, max_length=200)
    kind: AlertKind
    sensitivity: AlertSensitivity = AlertSensitivity.MEDIUM
    where: RuleFilter | None = None
    reach: int | None = Field(default=None, ge=1, le=2_000_000_000)
    hold_posts: bool = False
    paused: bool = False


class AlertRuleChanges(_Strict):
    """What may change; what is not set stays. What a rule watches for does not: make another."""

    name: Text | None = Field(default=None, min_length=1, max_length=200)
    sensitivity: AlertSensitivity | None = None
    where: RuleFilter | None = None
    reach: int | None = Field(default=None, ge=1, le=2_000_000_000)
    hold_posts: bool | None = None
    paused: bool | None = None


def meant(where: JsonObject) -> MentionFilter:
    """What is kept of a rule's filter, as mentions are searched by."""
    return MentionFilter(
        networks=tuple(map(Network, where["networks"])) if "networks" in where else None,
        channel_ids=tuple(map(UUID, where["channel_ids"])) if "channel_ids" in where else None,
        query_ids=tuple(map(UUID, where["query_ids"])) if "query_ids" in where else None,
        kinds=tuple(map(MentionKind, where["kinds"])) if "kinds" in where else None,
        languages=tuple(where["languages"]) if "languages" in where else None,
    )


async def create(session: Session, scope: Scope, *, draft: AlertRuleDraft, now: datetime) -> AlertRule:
    """Watch for something from now on. Raises Invalid, and Conflict where the brand has as many as it may."""
    _require(scope)
    _refuse_reach(draft.kind, draft.reach)
    _refuse_hold(scope, hold=draft.hold_posts)
    await _refuse_unknown(session, scope, draft.where)
    standing = select(func.count()).where(col(AlertRule.brand_id) == scope.brand_id, _stands())
    if (await session.execute(standing)).scalar_one() >= MOST:
        raise Conflict(f"a brand has at most {MOST} alert rules: remove one first", code="too_many")
    made = AlertRule(
        brand_id=scope.brand_id, name=draft.name, kind=draft.kind, sensitivity=draft.sensitivity,
        where=(draft.where or RuleFilter()).kept(), reach=draft.reach, hold_posts=draft.hold_posts, paused=draft.paused,
        created_by=scope.principal.user_id if scope.principal is not None else None, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    await look_soon(session, scope, now=now)
    await audit.add(session, scope, "alert_rule.create", typeid(Prefix.ALERT_RULE, made.id))
    return made


async def look_soon(session: Session, scope: Scope, *, now: datetime) -> None:
    """Let the brand be looked at with the next round."""
    await (await driver(session)).execute(_DUE, scope.brand_id, now)


async def get(session: Session, scope: Scope, rule_id: UUID) -> AlertRule:
    """One rule. Raises NotFound."""
    found = (await by_ids(session, scope, [rule_id])).get(rule_id)
    if found is None or found.removed_at is not None:
        raise _unknown(rule_id)
    return found


async def by_ids(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, AlertRule]:
    """Removed ones too: their alerts are still there."""
    wanted = select(AlertRule).where(col(AlertRule.brand_id) == scope.brand_id, col(AlertRule.id).in_(ids))
    return {one.id: one for one in (await session.execute(wanted)).scalars()}


async def search(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[AlertRule]:
    """The brand's rules, the newest made first."""
    wanted = select(AlertRule).where(col(AlertRule.brand_id) == scope.brand_id, _stands())
    if page.cursor is not None:
        wanted = wanted.where(col(AlertRule.id) < UUID(cursors.decode(scope.brand_id, _KIND, "", page.cursor)[0]))
    found = (await session.execute(wanted.order_by(col(AlertRule.id).desc()).limit(page.limit + 1))).scalars().all()
    return Page.cut(found, page.limit, lambda one: cursors.encode(scope.brand_id, _KIND, "", [str(one.id)]))


async def change(
    session: Session,
    scope: Scope,
    rule_id: UUID,
    *,
    changes: AlertRuleChanges,
    now: datetime,
    if_version: int | None,
) -> AlertRule:
    """Change a rule; it holds from the next look on. Raises NotFound, Stale, Invalid."""
    rule = await locked(session, scope, rule_id, if_version)
    await _refuse_unknown(session, scope, changes.where)
    for name in changes.model_fields_set:
        value = getattr(changes, name)
        if name == "where":
            value = (value or RuleFilter()).kept()
        elif value is None and name != "reach":
            raise Invalid([Problem("required", f"{name} can't be null", (name,))])
        setattr(rule, name, value)
    _refuse_reach(rule.kind, rule.reach)
    _refuse_hold(scope, hold=bool(changes.hold_posts))
    rule.updated_at, rule.version = now, rule.version + 1
    await session.flush()
    await look_soon(session, scope, now=now)
    await audit.add(session, scope, "alert_rule.update", typeid(Prefix.ALERT_RULE, rule_id))
    return rule


async def snooze(session: Session, scope: Scope, rule_id: UUID, *, until: datetime | None, now: datetime) -> AlertRule:
    """Let a rule say nothing until then; None: from now on it speaks again. Raises NotFound, Invalid."""
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise Invalid([Problem("out_of_range", f"until is within the next {LONGEST_SNOOZE.days} days", ("until",))])
    rule = await locked(session, scope, rule_id, None)
    rule.snoozed_until, rule.updated_at, rule.version = until, now, rule.version + 1
    await session.flush()
    await look_soon(session, scope, now=now)
    await audit.add(session, scope, "alert_rule.snooze", typeid(Prefix.ALERT_RULE, rule_id))
    return rule


async def remove(session: Session, scope: Scope, rule_id: UUID, *, now: datetime, if_version: int | None) -> AlertRule:
    """Watch for it no longer; its alerts stay, and an open one is closed by the next look. Raises NotFound, Stale."""
    rule = await locked(session, scope, rule_id, if_version)
    rule.removed_at, rule.updated_at, rule.version = now, now, rule.version + 1
    await session.flush()
    await look_soon(session, scope, now=now)
    await audit.add(session, scope, "alert_rule.delete", typeid(Prefix.ALERT_RULE, rule_id))
    return rule


async def locked(session: Session, scope: Scope, rule_id: UUID, if_version: int | None) -> AlertRule:
    """The rule, this transaction's until it ends. Raises NotFound, Stale."""
    _require(scope)
    wanted = (
        select(AlertRule)
        .where(col(AlertRule.brand_id) == scope.brand_id, col(AlertRule.id) == rule_id, _stands())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rule = (await session.execute(wanted)).scalar_one_or_none()
    if rule is None:
        raise _unknown(rule_id)
    if if_version is not None and rule.version != if_version:
        raise Stale(f"the rule is at version {rule.version}, not {if_version}: read it again")
    return rule


async def held(session: Session, scope: Scope, rule_id: UUID) -> None:
    """Let nobody else move the rule's alerts, removed rules' included, until this transaction ends."""
    wanted = select(AlertRule.id).where(col(AlertRule.brand_id) == scope.brand_id, col(AlertRule.id) == rule_id)
    await session.execute(wanted.with_for_update())


def _require(scope: Scope) -> None:
    scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)


def _stands() -> ColumnElement[bool]:
    return col(AlertRule.removed_at).is_(None)


def _unknown(rule_id: UUID) -> NotFound:
    return NotFound(f"there is no alert rule with the id {typeid(Prefix.ALERT_RULE, rule_id)!r}")


async def _refuse_unknown(session: Session, scope: Scope, where: RuleFilter | None) -> None:
    wanted = set(where.channel_ids or ()) if where is not None else set()
    if wanted and wanted - set(await channels.by_ids(session, scope, wanted)):
        raise Invalid([Problem("unknown_channel", "this brand has no such channel", ("where", "channel_ids"))])
    asked = set(where.query_ids or ()) if where is not None else set()
    if asked and asked - set(await queries.by_ids(session, scope, asked)):
        raise Invalid([Problem("unknown_query", "this brand has no such query", ("where", "query_ids"))])


def _refuse_reach(kind: AlertKind, reach: int | None) -> None:
    if reach is not None and kind is not AlertKind.FAR_REACHING_AUTHOR:
        raise Invalid([Problem("not_of_this_kind", "reach is of rules about far-reaching authors", ("reach",))])


def _refuse_hold(scope: Scope, *, hold: bool) -> None:
    """Whoever lets a rule hold posts may hold them by hand."""
    if hold:
        scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
