"""What grows: a robust slope over the second half of each series, against a limit that is written here.

The first half is for pools, caches and buffers to fill. The slope is Theil and Sen's, the median of all pairs', so
that neither a peak, nor a step, nor the saw of a collector or a vacuum is taken for growth; and it counts only where
Mann and Kendall's test says that the order of the samples is no chance.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

SURE = 3.0  # standard deviations that the number of rising pairs has to lie above chance
MB = 1024.0 * 1024.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How much a flat series may drift over the second half: `floor`, or `share` of its median where that is more."""

    floor: float
    share: float = 0.0

    def at(self, level: float) -> float:
        return max(self.floor, self.share * level)


# By the first word of a series' name. Bytes, or counts.
FLAT: Mapping[str, Limit] = {
    "memory": Limit(4 * MB, 0.04),
    # PostgreSQL keeps hundreds of files open for each of its processes, and closes some when it likes.
    "files": Limit(2, 0.1),
    "threads": Limit(1),
    "connections": Limit(1),
    "clients": Limit(2),
    "keys": Limit(5),
    "redis": Limit(1 * MB, 0.1),
    "queue": Limit(20, 0.5),
    "rows": Limit(20, 0.2),
    "size": Limit(1 * MB, 0.25),
}
# How many times as much a table may take for one delivery in the second half as in the first.
FASTER = 1.5
FASTER_FLOOR = 4 * MB  # bytes of growth below which an index page more or less would decide


@dataclass(frozen=True, slots=True)
class Finding:
    """One series with its verdict: what it was, by how much it drifted, and how much it may."""

    name: str
    first: float
    level: float  # the median of the second half
    drift: float  # over the second half
    limit: float
    grows: bool


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Theil and Sen's: the median of the slopes between all pairs of points, 0 where there is no pair."""
    pairs = itertools.combinations(zip(x, y, strict=True), 2)
    return median([(d - b) / (c - a) for (a, b), (c, d) in pairs if c != a] or [0.0])


def rises(y: Sequence[float]) -> bool:
    """Whether later samples are greater more often than chance lets them be (Mann and Kendall, ties counted)."""
    count = len(y)
    score = sum((b > a) - (b < a) for a, b in itertools.combinations(y, 2))
    ties = [len(list(group)) for _, group in itertools.groupby(sorted(y))]
    variance = (count * (count - 1) * (2 * count + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    return variance > 0 and score > SURE * math.sqrt(variance)


def flat(name: str, at: Sequence[float], values: Sequence[float], limit: Limit) -> Finding:
    """Whether a series that should stay as it is does."""
    half = len(values) // 2
    late = values[half:]
    level = median(late)
    drift = slope(at[half:], late) * (at[-1] - at[half])
    allowed = limit.at(level)
    # One step in the middle has a slope and no end of it: what leaks still leaks in the last quarter.
    last = len(values) * 3 // 4
    goes_on = slope(at[last:], values[last:]) * (at[-1] - at[half]) > allowed / 2 or rises(values[last:])
    return Finding(name, values[0], level, drift, allowed, drift > allowed and rises(late) and goes_on)


def proportional(name: str, sent: Sequence[float], values: Sequence[float]) -> Finding:
    """Whether a series that grows with what is sent grows no faster for each delivery than it did at first."""
    half = len(values) // 2
    early, late = slope(sent[:half], values[:half]), slope(sent[half:], values[half:])
    told = sent[-1] - sent[half]
    allowed = max(FASTER * early * told, FASTER_FLOOR if name.startswith("size") else 50.0)
    drift = late * told
    return Finding(name, values[0], median(values[half:]), drift, allowed, drift > allowed)


def judge(at: Sequence[float], sent: Sequence[float], series: Mapping[str, Sequence[float]]) -> list[Finding]:
    """Every series' verdict; those named `…, sent` may grow with what was sent."""
    found = []
    for name, values in series.items():
        if name.endswith(", sent"):
            found.append(proportional(name, sent, values))
        else:
            found.append(flat(name, at, values, FLAT[name.split(" ", 1)[0]]))
    return found


def to_json(found: Sequence[Finding]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]
