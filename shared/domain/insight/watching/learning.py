"""What is usual, learnt from the brand's own past.

Every factor of the week is the mean of a gamma distribution that begins at what the coarser one says (the brand's day,
its weekdays, working days and weekends, each hour of the week), so a small brand is given the rhythm that it has shown
and no other. The level is a gamma distribution that forgets (West and Harrison's discounting). Earlier spikes are cut
down to what was likely before they are learnt from, by hour and by day, as Noufaily and others (2013) weigh down past
outbreaks. What a post of the brand's own brings is told apart from the rest by least squares.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import sqrt
from zoneinfo import ZoneInfo

from shared.domain.insight.watching.rhythm import CELLS, ECHO_SPREAD, HOUR, LENGTHS, Hour, Rhythm, clumped, heard

LEARNT = timedelta(days=56)
_HALF_LIFE = 5 * 24.0  # hours, after which what is known of the level counts half
_ROUNDS = 5
_LIKELY = 2.33  # deviations, up to which a count is learnt from as it is
_FIRST_LEVEL, _FIRST_SURENESS = 1.0, 0.5
_DAY, _WEEK, _KIND_OF_DAY, _CELL = 10.0, 20.0, 20.0, 30.0  # mentions' worth of belief in the coarser factor
_WEEKS_LEVEL = 20.0
_FIRST_SPREAD, _SPREAD_BELIEF = 0.12, 60.0
_NARROWEST = {1: 0.05, 6: 0.04, 24: 0.03, 168: 0.03}
_CARE = 1.25  # cutting outliers down makes the spread look smaller than it is
_FIRST_CLUMPS, _CLUMPS_BELIEF = 0.5, 20.0  # mentions' worth of belief in it
_FEW, _CLUMPED = 1.0, 5.0  # mentions an hour from which it is learnt, and up to how many deviations
_ECHO_POSTS = 2.0  # posts' worth of belief that a post brings nothing
# People sleep: where nothing is known, the night brings a tenth of the day.
_AWAKE = [
    0.15, 0.1, 0.1, 0.1, 0.15, 0.3, 0.6, 0.9, 1.1, 1.2, 1.25, 1.3,
    1.35, 1.3, 1.3, 1.3, 1.35, 1.45, 1.5, 1.55, 1.5, 1.3, 0.9, 0.4,
]  # fmt: skip
_USUAL = [part * 24 / sum(_AWAKE) for part in _AWAKE]


def fit(hours: Sequence[Hour], zone: ZoneInfo, now: datetime) -> Rhythm:
    """Learn from the hours before `now`, in order. Of a brand without any, next to nothing is known, and that is said
    by the width of what is expected."""
    echoes = heard(hours)
    known = [hour for hour in hours if hour.usual and now - LEARNT <= hour.at and hour.at + HOUR <= now]
    learning = _Learning.of(known, echoes, zone, now)
    for _ in range(_ROUNDS if known else 0):
        learning.round()
    return learning.learnt(zone)


class _Learning:
    """What is believed so far; each round cuts outliers down by it and learns anew."""

    def __init__(
        self, counts: list[float], ages: list[float], cells: list[int], days: list[int], exposed: list[float]
    ) -> None:
        self.counts, self.ages, self.cells, self.days, self.exposed = counts, ages, cells, days, exposed
        self.weeks = [int(age // CELLS) for age in ages]
        self.factors = [_USUAL[cell % 24] for cell in range(CELLS)]
        self.doubts = [1 / _DAY + 1 / _WEEK] * CELLS
        self.echo = 0.0
        self.spreads = dict.fromkeys(LENGTHS, _FIRST_SPREAD)
        self.levels = dict.fromkeys(self.weeks, _trimmed(counts, days))
        self.level, self.sureness = _FIRST_LEVEL, _FIRST_SURENESS
        self.clumps = _FIRST_CLUMPS
        bases = self._bases()
        self._echo(counts, bases, [1 / (1 + _FIRST_SPREAD * base) for base in bases])

    def _bases(self) -> list[float]:
        """What each hour is expected to bring without the brand's own posts."""
        return [self.levels[week] * self.factors[cell] for week, cell in zip(self.weeks, self.cells, strict=True)]

    @classmethod
    def of(cls, known: Sequence[Hour], echoes: Mapping[datetime, float], zone: ZoneInfo, now: datetime) -> "_Learning":
        local = [hour.at.astimezone(zone) for hour in known]
        return cls(
            [float(hour.count) for hour in known],
            [(now - hour.at) / HOUR for hour in known],
            [at.weekday() * 24 + at.hour for at in local],
            [at.toordinal() for at in local],
            [echoes.get(hour.at, 0.0) for hour in known],
        )

    def round(self) -> None:
        bases = self._bases()
        echoes = [self.echo * part for part in self.exposed]
        means = [base + echo for base, echo in zip(bases, echoes, strict=True)]
        counts = self._cut(bases, echoes, means)
        self._clump(means)
        self._spread(counts, means)
        narrow = self.spreads[1]
        weights = [1 / (1 + narrow * mean) for mean in means]
        # What an hour brought is shared between the two by what they were expected to bring.
        own = [count * base / mean if mean > 0 else 0.0 for count, base, mean in zip(counts, bases, means, strict=True)]
        self._echo(counts, bases, weights)
        self._week(own, weights)
        self._levels(own, weights)

    def _cut(self, bases: list[float], echoes: list[float], means: list[float]) -> list[float]:
        narrow, wide = self.spreads[1], self.spreads[24]
        cut = [
            min(count, mean + 1 + _LIKELY * sqrt(mean + narrow * base * base + ECHO_SPREAD * echo * echo))
            for count, base, echo, mean in zip(self.counts, bases, echoes, means, strict=True)
        ]
        found: dict[int, float] = defaultdict(float)
        awaited: dict[int, float] = defaultdict(float)
        for day, count, mean in zip(self.days, cut, means, strict=True):
            found[day] += count
            awaited[day] += mean
        parts = {}
        for day, count in found.items():
            mean = awaited[day]
            most = mean + 1 + _LIKELY * sqrt(mean + wide * mean * mean)
            parts[day] = most / count if count > most else 1.0
        return [count * parts[day] for count, day in zip(cut, self.days, strict=True)]

    def _clump(self, means: list[float]) -> None:
        """From the hours that bring little, where what comes in clumps outweighs how much hours differ."""
        above, awaited = _FIRST_CLUMPS * _CLUMPS_BELIEF, _CLUMPS_BELIEF
        for count, mean in zip(self.counts, means, strict=True):
            if mean < _FEW:
                most = mean + 1 + _CLUMPED * sqrt(mean * (1 + self.clumps))
                above += (min(count, most) - mean) ** 2 - mean
                awaited += mean
        self.clumps = max(above / awaited, 0.0)

    def _spread(self, counts: list[float], means: list[float]) -> None:
        """By the method of moments over whole windows, believed as far as there are counts to tell it from."""
        for length in LENGTHS:
            above = squares = belief = 0.0
            for start in range(len(counts) % length, len(counts) - length + 1, length):
                found, mean = sum(counts[start : start + length]), sum(means[start : start + length])
                above += (found - mean) ** 2 - (1 + self.clumps * clumped(length)) * mean
                squares += mean * mean
                belief += 1 / (2 * (1 / max(mean, 1e-9) + _FIRST_SPREAD) ** 2)
            seen = _CARE * max(above, 0.0) / squares if squares > 0 else 0.0
            spread = (belief * seen + _SPREAD_BELIEF * _FIRST_SPREAD) / (belief + _SPREAD_BELIEF)
            self.spreads[length] = max(spread, _NARROWEST[length])

    def _echo(self, counts: list[float], bases: list[float], weights: list[float]) -> None:
        """By least squares, on what is heard of the posts in each hour."""
        came, were = 0.0, 1e-9
        for count, base, weight, part in zip(counts, bases, weights, self.exposed, strict=True):
            if part:
                came += weight * part * (count - base)
                were += weight * part * part
        were += _ECHO_POSTS * were / max(sum(self.exposed), 1.0)
        self.echo = max(came / were, 0.0)

    def _week(self, own: list[float], weights: list[float]) -> None:
        """From coarse to fine, each step correcting what the one before says."""
        plain = [self.levels[week] * _USUAL[cell % 24] for week, cell in zip(self.weeks, self.cells, strict=True)]
        factors = [_USUAL[cell % 24] for cell in range(CELLS)]
        doubts = [0.0] * CELLS
        for belief, place in _STEPS:
            came, were = dict.fromkeys(place, belief), dict.fromkeys(place, belief)
            for n, cell in enumerate(self.cells):
                came[place[cell]] += weights[n] * own[n]
                were[place[cell]] += weights[n] * plain[n]
            right = [came[place[cell]] / were[place[cell]] for cell in range(CELLS)]
            factors = [factor * right[cell] for cell, factor in enumerate(factors)]
            plain = [mean * right[cell] for mean, cell in zip(plain, self.cells, strict=True)]
            if belief in {_DAY, _WEEK}:
                doubts = [doubt + 1 / came[place[cell]] for cell, doubt in enumerate(doubts)]
        middle = sum(factors) / CELLS
        self.factors, self.doubts = [factor / middle for factor in factors], doubts

    def _levels(self, own: list[float], weights: list[float]) -> None:
        overall = sum(own) / max(sum(self.factors[cell] for cell in self.cells), 1e-9)
        came: dict[int, float] = defaultdict(lambda: _WEEKS_LEVEL)
        were: dict[int, float] = defaultdict(lambda: _WEEKS_LEVEL / max(overall, 1e-9))
        shape, rate = _FIRST_SURENESS, _FIRST_SURENESS / _FIRST_LEVEL
        for count, weight, cell, week, age in zip(own, weights, self.cells, self.weeks, self.ages, strict=True):
            came[week] += weight * count
            were[week] += weight * self.factors[cell]
            kept = weight * 0.5 ** (age / _HALF_LIFE)
            shape += kept * count
            rate += kept * self.factors[cell]
        self.levels = {week: came[week] / were[week] for week in self.levels}
        self.level, self.sureness = shape / rate, shape

    def learnt(self, zone: ZoneInfo) -> Rhythm:
        return Rhythm(
            zone,
            self.level,
            self.sureness,
            tuple(self.factors),
            tuple(self.doubts),
            self.echo,
            self.clumps,
            dict(self.spreads),
        )


# Of each step: how many mentions' worth the coarser factor is believed, and which hours of the week share one.
_STEPS: tuple[tuple[float, list[int]], ...] = (
    (_DAY, [cell % 24 for cell in range(CELLS)]),
    (_WEEK, [cell // 24 for cell in range(CELLS)]),
    (_KIND_OF_DAY, [cell % 24 + 24 * (cell >= 120) for cell in range(CELLS)]),
    (_CELL, list(range(CELLS))),
)


def _trimmed(counts: Sequence[float], days: Sequence[int]) -> float:
    """Mentions an hour, without the tenth of the days that had most."""
    totals: dict[int, float] = defaultdict(float)
    hours: dict[int, int] = defaultdict(int)
    for count, day in zip(counts, days, strict=True):
        totals[day] += count
        hours[day] += 1
    kept = sorted(totals, key=lambda day: totals[day] / hours[day])[: max(1, len(totals) - len(totals) // 10)]
    return max(sum(totals[day] for day in kept) / max(sum(hours[day] for day in kept), 1), 1e-3)
