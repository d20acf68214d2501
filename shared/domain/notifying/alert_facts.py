"""What is told of alerts: the rule, how much is seen and expected, since when, and which phrases drive it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from shared.db import Session
from shared.domain.scope import Scope
from shared.models.alert import Alert, AlertRule

_PHRASES = 3


async def of_alerts(
    session: Session, scope: Scope, ids: Collection[UUID], zone: ZoneInfo
) -> dict[UUID, dict[str, Any]]:
    """The facts of each alert that is there."""
    wanted = (
        select(Alert, AlertRule.name)
        .join(
            AlertRule,
            (col(AlertRule.brand_id) == col(Alert.brand_id)) & (col(AlertRule.id) == col(Alert.rule_id)),
        )
        .where(col(Alert.brand_id) == scope.brand_id, col(Alert.id).in_(ids))
    )
    return {alert.id: _facts(alert, name, zone) for alert, name in (await session.execute(wanted)).all()}


def shown(count: float | None) -> float | int | None:
    """A count as people read it: whole from ten on."""
    if count is None:
        return None
    return round(count) if count >= 10 or float(count).is_integer() else round(count, 1)


def _facts(alert: Alert, name: str, zone: ZoneInfo) -> dict[str, Any]:
    drivers = alert.evidence.get("drivers", ())
    return {
        "rule": name,
        "alert": alert.kind.value,
        "seen": shown(alert.seen),
        "expected": shown(alert.expected),
        "since": alert.since.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        "phrases": [one["key"] for one in drivers if one["what"] == "phrase"][:_PHRASES],
    }
