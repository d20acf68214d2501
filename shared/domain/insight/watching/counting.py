"""Spikes and silence: what the last windows hold against what they usually do.

Four windows are looked at side by side: the last quarter and the last hour, sliding; six hours and a day, to the hour.
The false alarms that a rule may make are shared out among them equally, and in each by how many looks it amounts to in
a week; a window that slides is looked at more often than it is new, which `_SLIDING` stands for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from shared.domain.insight.watching.findings import Finding
from shared.domain.insight.watching.rhythm import HOUR, Hour, Rhythm, heard
from shared.domain.insight.watching.sensitivity import Care
from shared.domain.insight.watching.tails import Expected
from shared.models.enums import AlertKind

QUARTER = timedelta(minutes=15)
LONG = (6, 24)  # whole hours, the one that runs included
_WINDOWS = 4
QUIET = (3, 12, 48, 168)
_WEEK = timedelta(days=7)
_SLIDING = 2.5
_STILL_RATIO, _STILL_CHANCE = 1.3, 0.05  # what is still going on asks for less than what begins
_SILENT = 0.1  # of what is expected, up to which it is silent
_BEGAN = 1.5  # times what is expected: an hour above belongs to a spike
_LOOKED_BACK = 48


@dataclass(frozen=True, slots=True)
class Told:
    """Hours that an earlier alert of the rule has spoken of: they are not spoken of again."""

    since: datetime
    until: datetime

    def holds(self, hour: datetime) -> bool:
        return self.since < hour + HOUR and hour < self.until


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted at `now`: whole hours in order, the one that runs last; the last hour and quarter, sliding."""

    now: datetime
    hours: Sequence[Hour]
    hour: int
    quarter: int


@dataclass(frozen=True)
class Window:
    """[start, end), what was seen in it and what is expected; it amounts to `looks` independent looks a week."""

    start: datetime
    end: datetime
    seen: int
    expected: Expected
    looks: float

    @cached_property
    def more(self) -> float:
        """The chance of as much."""
        return self.expected.at_least(self.seen)

    @cached_property
    def less(self) -> float:
        """The chance of as little."""
        return self.expected.at_most(self.seen)

    def chance(self, alarms: float) -> float:
        """What may be left to chance in one look, for so many false alarms a week in all windows together."""
        return alarms / _WINDOWS / self.looks

    @property
    def ratio(self) -> float:
        return self.seen / self.expected.mean


def windows(rhythm: Rhythm, counted: Counted, told: Told | None = None, *, fewest: int = 0) -> list[Window]:
    """The windows that end now and hold at least `fewest`. Hours that were spoken of count as what was expected."""
    echoes = heard(counted.hours)
    found = []
    for length, seen in ((QUARTER, counted.quarter), (HOUR, counted.hour)):
        start = counted.now - length
        if seen >= fewest and (told is None or start >= told.until):
            found.append(_window(rhythm, start, counted.now, seen, echoes))
    for count in LONG:
        hours = [hour for hour in counted.hours[-count:] if hour.usual]
        if len(hours) < count:
            continue
        seen = sum(_unspoken(rhythm, hour, told, echoes) for hour in hours)
        if seen >= fewest:
            found.append(_window(rhythm, hours[0].at, counted.now, seen, echoes, looked=timedelta(hours=count)))
    return found


def _window(
    rhythm: Rhythm,
    start: datetime,
    end: datetime,
    seen: int,
    echoes: dict[datetime, float],
    looked: timedelta | None = None,
) -> Window:
    looks = _WEEK / (looked or end - start) * _SLIDING
    return Window(start, end, seen, rhythm.expect(start, end, echoes), looks)


def _unspoken(rhythm: Rhythm, hour: Hour, told: Told | None, echoes: dict[datetime, float]) -> int:
    if told is None or not told.holds(hour.at):
        return hour.count
    return min(hour.count, round(rhythm.expect(hour.at, hour.at + HOUR, echoes).mean))


def spike(
    rhythm: Rhythm, counted: Counted, care: Care, told: Told | None = None, kind: AlertKind = AlertKind.VOLUME_SPIKE
) -> Finding | None:
    """More than is likely, in the window that makes it plainest."""
    loud = [
        window
        for window in windows(rhythm, counted, told, fewest=care.fewest)
        if window.seen >= care.ratio * window.expected.mean and window.more <= window.chance(care.alarms)
    ]
    if not loud:
        return None
    plainest = min(loud, key=lambda window: (window.more * window.looks, -window.ratio))
    return _finding(kind, plainest, began(rhythm, counted, plainest), plainest.more, plainest.ratio)


def goes_on(rhythm: Rhythm, counted: Counted, length: float) -> bool:
    """Whether a spike that was found in a window of so many hours still goes on: more than likely, by less."""
    found = windows(rhythm, counted)
    hours = max(length, 1.0)
    alike = [window for window in found if QUARTER < window.end - window.start <= timedelta(hours=hours)]
    if not alike:
        return False
    window = alike[-1]
    return window.ratio >= _STILL_RATIO and window.more <= _STILL_CHANCE and window.seen > 1


def silence(rhythm: Rhythm, counted: Counted, care: Care) -> Finding | None:
    """Next to nothing where there is usually something, for the longest of the windows that are silent."""
    silent = []
    for count in QUIET:
        hours = counted.hours[-count:]
        if len(hours) < count or not all(hour.usual for hour in hours):
            continue
        window = _window(
            rhythm, hours[0].at, counted.now, sum(hour.count for hour in hours), {}, looked=timedelta(hours=count)
        )
        if window.seen <= _SILENT * window.expected.mean and window.less <= care.alarms / len(QUIET) / window.looks:
            silent.append(window)
    if not silent:
        return None
    longest = silent[-1]
    since = next((hour.at + HOUR for hour in reversed(counted.hours) if hour.count), longest.start)
    return _finding(AlertKind.SILENCE, longest, since, longest.less, longest.expected.mean / max(longest.seen, 0.5))


def speaks_again(rhythm: Rhythm, counted: Counted) -> bool:
    """Whether the silence is over: of what the last hours usually bring, a fair part has come."""
    for count in QUIET:
        hours = counted.hours[-count:]
        if len(hours) == count:
            expected = rhythm.expect(hours[0].at, counted.now, {})
            if expected.mean >= 3 or count == QUIET[-1]:
                return sum(hour.count for hour in hours) > 3 * _SILENT * expected.mean
    return False


def began(rhythm: Rhythm, counted: Counted, window: Window) -> datetime:
    """The hour from which on there is most in excess of what is half as much again as usual: where the sum of what was
    too much turned up for the last time (Page's cumulative sum)."""
    echoes = heard(counted.hours)
    sum_, best, start = 0.0, 0.0, window.start
    for hour in reversed(counted.hours[-_LOOKED_BACK:]):
        end = min(hour.at + HOUR, counted.now)
        if end <= hour.at:
            continue
        sum_ += hour.count - _BEGAN * rhythm.expect(hour.at, end, echoes).mean
        if sum_ > best:
            best, start = sum_, hour.at
    return start


def _finding(kind: AlertKind, window: Window, since: datetime, chance: float, weight: float) -> Finding:
    low, high = window.expected.usual()
    return Finding(
        kind, window.start, window.end, since, window.seen, weight, window.expected.mean, low, high, chance
    )  # fmt: skip


def without(counted: Counted, spoken: Sequence[Told]) -> Counted:
    """The same with the hours of alerts marked: they are no lesson about what is usual."""
    hours = [
        replace(hour, usual=False) if hour.usual and any(one.holds(hour.at) for one in spoken) else hour
        for hour in counted.hours
    ]
    return replace(counted, hours=hours)
