"""What a brand is watched for, and what was found."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api import loaders
from services.api.schema.connection import FIRST, Info, Node, connection, given, public_id, requested
from services.api.schema.identity import Identity
from services.api.schema.mention import Mention
from shared import models
from shared.domain.insight.alerting import alerts, rules, showing
from shared.domain.insight.watching.findings import DriverKind
from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import AlertKind, AlertSensitivity, AlertState, MentionKind, Network

BrandRoot = strawberry.Parent[models.Brand]
_NONE = UUID(int=0)


@strawberry.type(description="Of which mentions a rule speaks; empty: any.")
class AlertRuleWhere:
    networks: list[Network]
    channel_ids: list[strawberry.ID]
    query_ids: list[strawberry.ID]
    kinds: list[MentionKind]
    languages: list[str]


def _where(root: strawberry.Parent[models.AlertRule]) -> Any:
    meant = rules.meant(root.where)
    return AlertRuleWhere(
        networks=list(meant.networks or ()),
        channel_ids=[strawberry.ID(typeid(Prefix.CHANNEL, one)) for one in meant.channel_ids or ()],
        query_ids=[strawberry.ID(typeid(Prefix.QUERY, one)) for one in meant.query_ids or ()],
        kinds=list(meant.kinds or ()),
        languages=list(meant.languages or ()),
    )


@strawberry.type(
    description="What is watched for, and how easily it speaks. Until `snoozedUntil` nothing opens or is followed up."
)
class AlertRule(Node):
    id: strawberry.ID = public_id(Prefix.ALERT_RULE)
    name: str
    kind: AlertKind
    sensitivity: AlertSensitivity
    where: AlertRuleWhere = strawberry.field(resolver=_where)
    reach: int | None
    hold_posts: bool
    paused: bool
    snoozed_until: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.AlertRule)


@strawberry.type(
    description="What an alert is made of: a phrase, a network or a cluster of copies by its key, a mention, an author."
)
class AlertDriver:
    what: DriverKind
    key: str
    seen: int
    expected: float | None
    mention: Mention | None
    author: Identity | None


@strawberry.type(
    description="`seen` against `expected`, which usually stays within `low` and `high`; `chance` is that of as much"
    " where everything is as usual. `share` is that of negative mentions, of negative spikes."
)
class AlertEvidence:
    window_start: datetime
    window_end: datetime
    low: int | None
    high: int | None
    chance: float | None
    share: float | None
    share_expected: float | None
    drivers: list[AlertDriver]


async def _evidence(root: strawberry.Parent[models.Alert], info: Info) -> Any:
    shown = showing.of(root)
    return AlertEvidence(
        window_start=shown.window_start,
        window_end=shown.window_end,
        low=shown.low,
        high=shown.high,
        chance=shown.chance,
        share=shown.share,
        share_expected=shown.share_expected,
        drivers=[await _driver(root, info, one) for one in shown.drivers],
    )


async def _driver(root: models.Alert, info: Info, one: showing.ShownDriver) -> AlertDriver:
    mention: Any = None
    author: Any = None
    if one.what is DriverKind.MENTION and one.thing_id is not None:
        mention = await loaders.mention(info.context, root.brand_id, one.thing_id)
    if one.what is DriverKind.AUTHOR and one.thing_id is not None:
        author = await loaders.identity(info.context, root.brand_id, one.thing_id)
    return AlertDriver(
        what=one.what, key=one.public, seen=one.seen, expected=one.expected, mention=mention, author=author
    )


async def _rule(root: strawberry.Parent[models.Alert], info: Info) -> Any:
    return await loaders.alert_rule(info.context, root.brand_id, root.rule_id)


def _state(root: strawberry.Parent[models.Alert]) -> Any:
    return root.state


def _hold_id(root: strawberry.Parent[models.Alert]) -> Any:
    return strawberry.ID(typeid(Prefix.HOLD, root.hold_id)) if root.hold_id is not None else None


@strawberry.type(description="Something that is not as usual: opens once, is followed up, and closes by itself.")
class Alert(Node):
    id: strawberry.ID = public_id(Prefix.ALERT)
    rule: AlertRule = strawberry.field(resolver=_rule)
    kind: AlertKind
    state: AlertState = strawberry.field(resolver=_state)
    since: datetime
    opened_at: datetime
    followed_at: datetime | None
    closed_at: datetime | None
    hold_id: strawberry.ID | None = strawberry.field(
        resolver=_hold_id, description="The hold that it brought about, where its rule holds posts."
    )
    seen: float
    expected: float | None
    evidence: AlertEvidence = strawberry.field(resolver=_evidence)
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Alert)


async def brand_rules(root: BrandRoot, info: Info, first: int | None = FIRST, after: str | None = UNSET) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await rules.search(session, scope, page=page, cursors=info.context.services.cursors)
    return connection(found, page)


async def brand_alerts(
    root: BrandRoot,
    info: Info,
    first: int | None = FIRST,
    after: str | None = UNSET,
    state: AlertState | None = UNSET,
    rule_id: strawberry.ID | None = UNSET,
) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await alerts.search(
            session,
            scope,
            state=given(state),
            rule_id=_named(rule_id) if rule_id else None,
            page=page,
            cursors=info.context.services.cursors,
        )
    return connection(found, page)


def _named(id_: str) -> UUID:
    """A rule that is none has no alerts."""
    try:
        return parse_typeid(Prefix.ALERT_RULE, id_)
    except NotFound:
        return _NONE
