"""What is found, and what it is explained by."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.models.enums import AlertKind


class DriverKind(StrEnum):
    """What a driver is: its key is a phrase, a network's name, or the id of a mention, an author or a cluster."""

    PHRASE = "phrase"
    MENTION = "mention"
    AUTHOR = "author"
    NETWORK = "network"
    COPIES = "copies"


@dataclass(frozen=True, slots=True)
class Driver:
    """One of the things that an alert is made of. `seen` and `expected` are mentions in the finding's window."""

    what: DriverKind
    key: str
    seen: int = 1
    expected: float | None = None
    weight: float = 0.0

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> "Driver":
        """As a finding shows it; its weight is not kept."""
        return cls(DriverKind(shown["what"]), shown["key"], shown["seen"], shown["expected"])


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as usual in [start, end), and began at `since`.

    `seen` against `expected`, which usually stays within `low` and `high`; None where nothing is expected of its kind.
    `chance`: of as much by chance, in one look, as the brand usually is. `weight`: what growth is measured by.
    """

    kind: AlertKind
    start: datetime
    end: datetime
    since: datetime
    seen: float
    weight: float
    expected: float | None = None
    low: int | None = None
    high: int | None = None
    chance: float | None = None
    share: float | None = None
    share_expected: float | None = None
    drivers: tuple[Driver, ...] = field(default_factory=tuple)

    @property
    def length(self) -> float:
        """Hours."""
        return (self.end - self.start).total_seconds() / 3600

    def driven_by(self, drivers: tuple[Driver, ...]) -> "Finding":
        return replace(self, drivers=(*self.drivers, *drivers))

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "window": {"start": self.start.isoformat(), "end": self.end.isoformat()},
            "since": self.since.isoformat(),
            "seen": self.seen,
            "expected": None if self.expected is None else round(self.expected, 2),
            "usual": None if self.low is None else [self.low, self.high],
            "chance": self.chance,
            "share": self.share,
            "share_expected": self.share_expected,
            "drivers": [
                {
                    "what": one.what.value,
                    "key": one.key,
                    "seen": one.seen,
                    "expected": None if one.expected is None else round(one.expected, 2),
                }
                for one in self.drivers
            ],
        }
