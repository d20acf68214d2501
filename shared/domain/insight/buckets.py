"""Time cut into buckets of a zone, and which of it was observed."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from shared.domain.insight.rollups import day_of
from shared.errors import Invalid, Problem
from shared.models import Coverage
from shared.models.enums import CoverageKind, Interval

MOST_POINTS = 5000

Span = tuple[datetime, datetime]


def bounds(since: datetime, until: datetime, interval: Interval, zone: ZoneInfo) -> list[datetime]:
    """The edges of the buckets from `since` to `until`, both included: local hours, days, weeks from Monday, months.

    The first and the last bucket are cut where the range begins and ends. Raises Invalid for an empty range and for
    more than 5,000 buckets.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise Invalid([Problem("invalid_time", "a time needs its offset, as in 2026-12-01T09:00:00Z", ("from",))])
    if since >= until:
        raise Invalid([Problem("empty_range", "`from` must be before `to`", ("from",))])
    edges = [since.astimezone(UTC)]
    try:
        while (edge := _next(edges[-1], interval, zone)) < until:
            edges.append(edge)
            if len(edges) > MOST_POINTS:
                raise Invalid(
                    [
                        Problem(
                            "too_many_points", f"at most {MOST_POINTS} points: ask for a longer interval", ("interval",)
                        )
                    ]
                )
    except OverflowError:
        raise Invalid([Problem("invalid_time", "the range leaves the calendar", ("to",))]) from None
    return [*edges, until.astimezone(UTC)]


def _next(at: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    """The first edge after `at`."""
    local = at.astimezone(zone)
    if interval is Interval.HOUR:
        return (
            at
            + timedelta(hours=1)
            - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        )
    noon = local.replace(hour=12, minute=0, second=0, microsecond=0)
    if interval is Interval.MONTH:
        first = noon.replace(day=1, month=local.month % 12 + 1, year=local.year + local.month // 12)
        return day_of(first, zone)
    days = 7 - local.weekday() if interval is Interval.WEEK else 1
    return day_of(noon + timedelta(days=days), zone)


@dataclass(frozen=True, slots=True)
class Range:
    """[since, until)."""

    since: datetime
    until: datetime

    def shrunk(self, up: Callable[[datetime], datetime], down: Callable[[datetime], datetime]) -> "Range | None":
        """The part between whole edges; None where there is none."""
        inner = Range(up(self.since), down(self.until))
        return inner if inner.since < inner.until else None

    def without(self, inner: "Range | None") -> list["Range"]:
        """What is left on both sides of `inner`."""
        if inner is None:
            return [self]
        sides = [Range(self.since, inner.since), Range(inner.until, self.until)]
        return [side for side in sides if side.since < side.until]


@dataclass(frozen=True, slots=True)
class Observed:
    """When one channel was observed: spans in order, none touching another."""

    spans: tuple[Span, ...]

    def covers(self, start: datetime, end: datetime) -> bool:
        """Whether all of [start, end) was observed."""
        at = bisect_right(self.spans, start, key=lambda span: span[1])
        return at < len(self.spans) and self.spans[at][0] <= start and end <= self.spans[at][1]

    def gaps(self, start: datetime, end: datetime) -> list[Span]:
        """What of [start, end) was not observed."""
        return _without([(start, end)], self.spans) if start < end else []

    def over(self, edges: Sequence[datetime]) -> "Watch":
        """Which of the buckets between these edges were observed."""
        last = len(edges) - 1
        touched, covered = bytearray(last), bytearray(last)
        for start, end in self.spans:
            first, past = bisect_right(edges, start) - 1, bisect_left(edges, end)
            _fill(touched, max(first, 0), min(past, last))
            _fill(covered, bisect_left(edges, start), min(bisect_right(edges, end) - 1, last))
        return Watch(touched, covered)


@dataclass(frozen=True, slots=True)
class Watch:
    """A 1 for each bucket of which a channel saw anything, and for each of which it saw all."""

    touched: bytearray
    covered: bytearray


def _fill(marks: bytearray, first: int, past: int) -> None:
    if first < past:
        marks[first:past] = b"\x01" * (past - first)


def observed(intervals: Iterable[Coverage], now: datetime) -> Observed:
    """What a channel's intervals say: observed time less the holes in it; what is still open reaches to `now`."""
    rows = list(intervals)
    whole = _merged((c.from_at, c.to_at or now) for c in rows if c.kind is CoverageKind.OBSERVED)
    holes = _merged((c.from_at, c.to_at or now) for c in rows if c.kind is CoverageKind.HOLE)
    return Observed(tuple(_without(whole, holes)))


def _merged(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _without(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    left: list[Span] = []
    for start, end in spans:
        inside = [hole for hole in holes if hole[0] < end and hole[1] > start]
        edges = [start, *(edge for hole in inside for edge in hole), end]
        left += [(a, b) for a, b in list(pairwise(edges))[::2] if a < b]
    return left
