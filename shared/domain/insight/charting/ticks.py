"""Which buckets of a time axis are named, and how: worked out here, so that a chart says the same everywhere."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.insight.charting.words import Words
from shared.models.enums import Interval

Group = Callable[[datetime], Hashable]


def _hours(n: int) -> Group:
    return lambda at: (at.date(), at.hour // n)


def _days(n: int) -> Group:
    return lambda at: at.toordinal() // n


def _weeks(n: int) -> Group:
    return lambda at: (at.toordinal() - 1) // 7 // n  # from Monday, as the first day of the calendar was


def _months(n: int) -> Group:
    return lambda at: (at.year * 12 + at.month - 1) // n


# What may stand between two names, the closest first, with how it is told which bucket begins one.
_STEPS: tuple[tuple[Interval, Group], ...] = (
    *((Interval.HOUR, _hours(n)) for n in (1, 3, 6, 12)),
    *((Interval.DAY, _days(n)) for n in (1, 2)),
    *((Interval.WEEK, _weeks(n)) for n in (1, 2)),
    *((Interval.MONTH, _months(n)) for n in (1, 2, 3, 6, 12, 24, 60, 120, 600, 6000)),
)
_ORDER = list(Interval)


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a chart: their edges, and those in the brand's zone."""

    edges: Sequence[datetime]
    interval: Interval
    zone: ZoneInfo

    def __len__(self) -> int:
        return len(self.edges) - 1

    def begins(self) -> list[datetime]:
        """When each begins, by the clocks of the zone."""
        return [edge.astimezone(self.zone) for edge in self.edges[:-1]]

    def ends(self) -> list[datetime]:
        """The last moment of each, by the clocks of the zone."""
        return [(edge - timedelta(microseconds=1)).astimezone(self.zone) for edge in self.edges[1:]]

    def names(self, words: Words) -> list[str]:
        """Each bucket, in full."""
        return [self._name(words, begin, end) for begin, end in zip(self.begins(), self.ends(), strict=True)]

    def _name(self, words: Words, begin: datetime, end: datetime) -> str:
        match self.interval:
            case Interval.HOUR:
                return f"{words.date(begin)}, {begin:%H:%M}"
            case Interval.DAY:
                return words.date(begin)
            case Interval.WEEK:
                return f"{words.day(begin)} – {words.date(end)}"
            case Interval.MONTH:
                return words.month(begin)

    def span(self, words: Words) -> str:
        """From the first day to the last."""
        first, last = words.date(self.begins()[0]), words.date(self.ends()[-1])
        return first if first == last else f"{first} – {last}"

    def ticks(self, words: Words, most: int) -> dict[int, str]:
        """At most so many buckets, evenly, with their short names."""
        begins = self.begins()
        for unit, group in _STEPS:
            if _ORDER.index(unit) < _ORDER.index(self.interval):
                continue
            found = [n for n in range(1, len(begins)) if group(begins[n]) != group(begins[n - 1])]
            if len(found) < most:
                break
        # The range may begin anywhere: its first bucket is named where there is room before the next name.
        if not found or found[0] * most >= len(begins):
            found.insert(0, 0)
        return {n: _short(words, begins[n], unit) for n in found[:most]}


def _short(words: Words, at: datetime, unit: Interval) -> str:
    match unit:
        case Interval.HOUR:
            return f"{at:%H:%M}" if at.hour else words.day(at)
        case Interval.DAY | Interval.WEEK:
            return words.day(at)
        case Interval.MONTH:
            return words.month(at)
