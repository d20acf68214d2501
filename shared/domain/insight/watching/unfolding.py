"""How an alert goes: it opens once, follows up when it grows or something new drives it, and closes itself after calm.

One state machine for a rule of a brand; pure, so that two schedulers that look at the same come to the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.domain.insight.watching.findings import DriverKind, Finding

GROWN = 2.0  # times what was last told
APART = timedelta(minutes=30)  # between two turns that are told, so that nobody is told of every minute
CALM = timedelta(hours=1)
LONGEST = timedelta(days=7)  # after which it is how things are now
_DRIVERS = 3  # of a finding, the first ones: a new one among them is news
_KEPT = 100
_NEWS = frozenset({DriverKind.PHRASE, DriverKind.MENTION, DriverKind.COPIES, DriverKind.AUTHOR})


class Turn(StrEnum):
    OPENED = "opened"
    FOLLOWED = "followed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Course:
    """An open alert: what was told of it, since when it is calm. One that was closed by hand waits for calm, unseen."""

    opened_at: datetime
    since: datetime
    length: float  # hours, of the window that opened it
    told_at: datetime
    told_weight: float
    told_drivers: frozenset[str]
    calm_since: datetime | None = None
    closed_by_hand: bool = False

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "length": self.length,
            "told_at": self.told_at.isoformat(),
            "told_weight": self.told_weight,
            "told_drivers": sorted(self.told_drivers),
            "calm_since": self.calm_since.isoformat() if self.calm_since else None,
        }

    @classmethod
    def read(
        cls, shown: dict[str, Any], *, opened_at: datetime, since: datetime, closed_by_hand: bool = False
    ) -> "Course":
        calm = shown.get("calm_since")
        return cls(
            opened_at,
            since,
            float(shown["length"]),
            datetime.fromisoformat(shown["told_at"]),
            float(shown["told_weight"]),
            frozenset(shown["told_drivers"]),
            datetime.fromisoformat(calm) if calm else None,
            closed_by_hand,
        )


def unfold(
    course: Course | None, finding: Finding | None, *, goes_on: bool, now: datetime, snoozed: bool = False
) -> tuple[Course | None, Turn | None]:
    """What becomes of an alert, and what is told of it. None: there is none.

    `goes_on` says whether what opened it still holds, by the looser measure of what has begun already. While a rule
    snoozes nothing opens and nothing is followed up; what is open still closes by itself.
    """
    if course is None:
        return (None, None) if finding is None or snoozed else (_opened(finding, now), Turn.OPENED)
    if finding is None and not goes_on:
        calm_since = course.calm_since or now
        return (None, Turn.CLOSED) if now - calm_since >= CALM else (replace(course, calm_since=calm_since), None)
    course = replace(course, calm_since=None)
    if now - course.opened_at >= LONGEST:
        return None, Turn.CLOSED
    if finding is None or snoozed or course.closed_by_hand or now - course.told_at < APART:
        return course, None
    grown = finding.weight >= GROWN * course.told_weight
    fresh = _news(finding) - course.told_drivers
    if not grown and not fresh:
        return course, None
    return _told(course, finding, now), Turn.FOLLOWED


def _opened(finding: Finding, now: datetime) -> Course:
    return Course(now, finding.since, finding.length, now, finding.weight, _news(finding))


def _told(course: Course, finding: Finding, now: datetime) -> Course:
    told = sorted(_news(finding)) + sorted(course.told_drivers - _news(finding))
    return replace(
        course,
        told_at=now,
        told_weight=max(finding.weight, course.told_weight),
        told_drivers=frozenset(told[:_KEPT]),
    )


def _news(finding: Finding) -> frozenset[str]:
    return frozenset(f"{one.what.value}:{one.key}" for one in _first(finding.drivers))


def _first(drivers: Sequence[Any]) -> list[Any]:
    return [one for one in drivers if one.what in _NEWS][:_DRIVERS]
