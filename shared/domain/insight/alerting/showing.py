"""An alert's evidence as both doors show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.insight.watching.findings import DriverKind
from shared.ids import Prefix, typeid
from shared.models.alert import Alert

_THINGS = {DriverKind.MENTION: Prefix.MENTION, DriverKind.AUTHOR: Prefix.IDENTITY}


@dataclass(frozen=True, slots=True)
class ShownDriver:
    """What an alert is made of. `thing_id` is a mention's or an author's; `public` its id, else the key itself."""

    what: DriverKind
    public: str
    thing_id: UUID | None
    seen: int
    expected: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """Evidence, unpacked."""

    window_start: datetime
    window_end: datetime
    low: int | None
    high: int | None
    chance: float | None
    share: float | None
    share_expected: float | None
    drivers: Sequence[ShownDriver]


def of(alert: Alert) -> Shown:
    """What is kept of an alert's evidence."""
    kept = alert.evidence
    low, high = kept.get("usual") or (None, None)
    return Shown(
        datetime.fromisoformat(kept["window"]["start"]),
        datetime.fromisoformat(kept["window"]["end"]),
        low,
        high,
        kept.get("chance"),
        kept.get("share"),
        kept.get("share_expected"),
        [_driver(one["what"], one["key"], one["seen"], one["expected"]) for one in kept.get("drivers", ())],
    )


def _driver(what: str, key: str, seen: int, expected: float | None) -> ShownDriver:
    kind = DriverKind(what)
    prefix = _THINGS.get(kind)
    thing_id = UUID(key) if prefix is not None else None
    public = typeid(prefix, thing_id) if prefix is not None and thing_id is not None else key
    return ShownDriver(kind, public, thing_id, seen, expected)
