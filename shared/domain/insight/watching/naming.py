"""Which single mentions a rule has named, so that each is told once. Pure.

What counts is when a mention was heard, not when it was published: one that comes late is news as any other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.domain.insight.watching.single import Said

HEARD = timedelta(hours=24)  # for which a mention is news, from when it was heard
OLDEST = timedelta(hours=24)  # that a mention may be since its publication, when it is heard
MOST = 500  # that are kept by name


@dataclass(frozen=True, slots=True)
class Named:
    """`heard`: the mentions that were told, each with when it was heard. What was heard up to `until` is no news."""

    heard: Mapping[UUID, datetime] = field(default_factory=dict)
    until: datetime | None = None

    @property
    def last(self) -> datetime | None:
        """When the newest of them was heard."""
        return max(self.heard.values(), default=self.until)

    def and_(self, told: Iterable[Said], now: datetime) -> "Named":
        """With these as well. Those that can't be news any more are let go, and where there are more than `MOST` the
        ones that were heard first stand together as `until`."""
        heard = {**self.heard, **{one.id: one.observed_at for one in told}}
        heard = {id_: at for id_, at in heard.items() if at >= now - HEARD}
        if len(heard) <= MOST:
            return Named(heard, self.until)
        until = sorted(heard.values(), reverse=True)[MOST]
        if self.until is not None:
            until = max(until, self.until)
        return Named({id_: at for id_, at in heard.items() if at > until}, until)

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "heard": {str(id_): at.isoformat() for id_, at in self.heard.items()},
            "until": self.until.isoformat() if self.until is not None else None,
        }

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> "Named":
        until = shown.get("until")
        heard = {UUID(id_): datetime.fromisoformat(at) for id_, at in shown["heard"].items()}
        return cls(heard, datetime.fromisoformat(until) if until else None)
