"""A rule run over a past: what it would have told, and when, by the detectors and the course of when it is live."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from shared.domain.insight.watching import counting, negative
from shared.domain.insight.watching.counting import Counted, Told
from shared.domain.insight.watching.findings import Finding
from shared.domain.insight.watching.learning import LEARNT, fit
from shared.domain.insight.watching.negative import Feelings, Shares
from shared.domain.insight.watching.rhythm import HOUR, Hour, Rhythm
from shared.domain.insight.watching.sensitivity import Care
from shared.domain.insight.watching.unfolding import Course, Turn, unfold
from shared.models.enums import AlertKind

STEP = timedelta(minutes=5)
LEARN_EVERY = timedelta(hours=6)
REPLAYED = frozenset({AlertKind.VOLUME_SPIKE, AlertKind.NEGATIVE_SPIKE, AlertKind.SILENCE})
_STEPS = HOUR // STEP
_QUARTER = counting.QUARTER // STEP
_SPIKES, _SILENCE = 60, max(counting.QUIET)  # hours before now that detectors look at


class Series:
    """Counts by steps of five minutes from a whole hour on, and their sums, so that any window is one subtraction."""

    def __init__(self, start: datetime, counts: Sequence[int], posts: Sequence[int] = ()) -> None:
        self.start = start
        self._sums = [0, *accumulate(counts)]
        self._posts = [0, *accumulate(posts)] if posts else [0] * (len(counts) + 1)
        self._hours = [self._hour(number, (number + 1) * _STEPS) for number in range(len(counts) // _STEPS)]

    def counted(self, now: datetime, hours: int) -> Counted:
        """What was known at `now`: so many whole hours and what runs."""
        last = (now - self.start) // STEP
        running = last // _STEPS
        shown = self._hours[max(0, running - hours) : running]
        if last % _STEPS:
            shown.append(self._hour(running, last))
        return Counted(now, shown, self._between(last - _STEPS, last), self._between(last - _QUARTER, last))

    def _hour(self, number: int, end: int) -> Hour:
        begin = number * _STEPS
        at = self.start + number * HOUR
        return Hour(at, self._between(begin, end), self._posts[end] - self._posts[begin])

    def total(self, start: datetime, end: datetime) -> int:
        return self._between((start - self.start) // STEP, (end - self.start) // STEP)

    def _between(self, begin: int, end: int) -> int:
        return self._sums[max(end, 0)] - self._sums[max(begin, 0)]


@dataclass(frozen=True, slots=True)
class Past:
    """What was said, and the negative part of what was analysed, where it was."""

    said: Series
    negative: Series | None = None


@dataclass(frozen=True, slots=True)
class Firing:
    """A turn of an alert: what was told at `at`, and the finding that opened or followed it."""

    at: datetime
    turn: Turn
    finding: Finding | None


def replay(
    past: Past, zone: ZoneInfo, kind: AlertKind, care: Care, *, since: datetime, until: datetime
) -> Iterator[Firing]:
    """Every turn from `since` to `until`, looked for every five minutes. Raises ValueError for a kind that is not of
    counts."""
    if kind not in REPLAYED:
        raise ValueError(f"{kind.value} can't be replayed from counts")
    course: Course | None = None
    told: list[Told] = []
    rhythm: Rhythm | None = None
    learnt_at = now = since
    while now <= until:
        if rhythm is None or now - learnt_at >= LEARN_EVERY:
            rhythm, learnt_at = _learn(past, zone, kind, told, now), now
        finding, goes_on = look(past, rhythm, kind, care, told[-1] if told else None, course, now)
        before = course
        course, turn = unfold(course, finding, goes_on=goes_on, now=now)
        if turn is not None:
            yield Firing(now, turn, finding)
        if turn is Turn.CLOSED and before is not None:
            told.append(Told(before.since, now))
        now += STEP


def look(
    past: Past, rhythm: Rhythm, kind: AlertKind, care: Care, told: Told | None, course: Course | None, now: datetime
) -> tuple[Finding | None, bool]:
    """What there is to find now, and whether what is open goes on."""
    counted = past.said.counted(now, _SILENCE if kind is AlertKind.SILENCE else _SPIKES)
    if kind is AlertKind.SILENCE:
        return counting.silence(rhythm, counted, care), not counting.speaks_again(rhythm, counted)
    if kind is AlertKind.NEGATIVE_SPIKE:
        if past.negative is None:
            return None, False
        bad = past.negative.counted(now, _SPIKES)
        before = Shares(
            past.said.total(now - LEARNT, now - timedelta(days=1)),
            past.negative.total(now - LEARNT, now - timedelta(days=1)),
        )
        finding = negative.spike(rhythm, Feelings(bad, counted), before, care, told)
        return finding, course is not None and counting.goes_on(rhythm, bad, course.length)
    finding = counting.spike(rhythm, counted, care, told)
    return finding, course is not None and counting.goes_on(rhythm, counted, course.length)


def _learn(past: Past, zone: ZoneInfo, kind: AlertKind, told: Sequence[Told], now: datetime) -> Rhythm:
    series = past.negative if kind is AlertKind.NEGATIVE_SPIKE and past.negative is not None else past.said
    return fit(counting.without(series.counted(now, LEARNT // HOUR), told).hours, zone, now)
