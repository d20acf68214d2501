"""What an hour of a brand usually brings: its level, its week, and the echo of its own posts.

Counts are taken as negative binomial: beyond Poisson's variance, windows differ, mentions come in clumps, and what is
known is known more or less well.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import exp
from zoneinfo import ZoneInfo

from shared.domain.insight.watching.tails import Expected

HOUR = timedelta(hours=1)
CELLS = 168  # hours of the week
LENGTHS = (1, 6, 24, 168)  # hours, of the windows whose spread is learnt
ECHO_SPREAD = 2.0  # posts differ in what they bring
_WHOLE_CLUMPS = 1.8  # times what shows within an hour
_ECHOES = 12  # hours, for which a post of the brand's own is heard
_FADING = [exp(-hour / 2.5) for hour in range(_ECHOES)]
_ECHO = [part / sum(_FADING) for part in _FADING]


@dataclass(frozen=True, slots=True)
class Hour:
    """What was counted in one hour, and how many posts of the brand's own went out in it.

    `usual` is False where it teaches nothing: it was not observed, or it is known that something was the matter.
    """

    at: datetime
    count: int
    posts: int = 0
    usual: bool = True


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What is known of a brand's hours. `level` is mentions an hour where the week's factor is 1, with the shape
    `sureness` of its gamma distribution; `doubts` are the factors' own relative variances; `echo` is what one post of
    the brand's own brings; `clumps` is how much mentions come in clumps, as the variance beyond Poisson's by the mean,
    and `spreads` are the relative variances beyond that, by a window's length in hours."""

    zone: ZoneInfo
    level: float
    sureness: float
    factors: tuple[float, ...]
    doubts: tuple[float, ...]
    echo: float
    clumps: float
    spreads: Mapping[int, float]

    def expect(self, start: datetime, end: datetime, heard: Mapping[datetime, float]) -> Expected:
        """What [start, end) usually brings, given how much of the brand's own posts is `heard` in each hour."""
        base = echo = doubt = 0.0
        for hour, part in _parts(start, end):
            cell = _cell(hour, self.zone)
            said = part * self.level * self.factors[cell]
            base += said
            doubt += said * self.doubts[cell]
            echo += part * self.echo * heard.get(hour, 0.0)
        mean = base + echo
        if mean <= 0:
            return Expected(1e-9, 1.0)
        hours = (end - start) / HOUR
        spread = self.spreads[next((length for length in LENGTHS if length >= hours), LENGTHS[-1])]
        own = base / mean
        within = (spread + 1 / self.sureness) * own**2 + (doubt / base if base > 0 else 0.0) * own**2
        return Expected(mean, within + ECHO_SPREAD * (echo / mean) ** 2 + self.clumps * clumped(hours) / mean)


def heard(hours: Iterable[Hour]) -> dict[datetime, float]:
    """How much of the brand's own posts of these hours is heard in each hour, in posts."""
    found: dict[datetime, float] = defaultdict(float)
    for hour in hours:
        for age, part in enumerate(_ECHO if hour.posts else ()):
            found[hour.at + age * HOUR] += hour.posts * part
    return dict(found)


def clumped(hours: float) -> float:
    """What comes in a clump takes a while: within an hour a part of it is seen, in a longer window all of it."""
    return 1.0 if hours <= 1 else _WHOLE_CLUMPS


@lru_cache(maxsize=8192)
def _cell(hour: datetime, zone: ZoneInfo) -> int:
    local = hour.astimezone(zone)
    return local.weekday() * 24 + local.hour


def _parts(start: datetime, end: datetime) -> Iterable[tuple[datetime, float]]:
    """The hours that [start, end) touches, each with how much of it."""
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count = max(0, -((first - end) // HOUR))
    edges = [start, *(first + n * HOUR for n in range(1, count)), end]
    for begin, finish in pairwise(edges):
        if begin < finish:
            yield begin.astimezone(UTC).replace(minute=0, second=0, microsecond=0), (finish - begin) / HOUR
