"""What a benchmark is given and what it gives back: sides measured in turns, ratios with their targets, and a proof.

A benchmark is an async function of a Rig and a Plan that returns a Result. It measures its sides by `in_turns`, so that
what the machine does meanwhile meets all of them alike, and proves the work that was measured: what was not proved is
`Unverified`, and is reported as a failure, never as a figure.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from statistics import median
from typing import Literal, NamedTuple, TypeVar

T = TypeVar("T")


class Unverified(Exception):
    """The work was not done, or not rightly: there is nothing to report but this."""


def verify(holds: bool, otherwise: str) -> None:
    """Raise Unverified with the sentence `otherwise` unless it holds."""
    if not holds:
        raise Unverified(otherwise)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often: rounds after the warm-up, whether in short form, the seed of all chance, and a folder."""

    work: Path
    rounds: int = 5
    short: bool = False
    seed: int = 1

    def pick(self, long: T, short: T) -> T:
        """One of the two, by the form of this run."""
        return short if self.short else long


class Figure(NamedTuple):
    """What is measured of a side: a name for a column, and its unit."""

    name: str
    unit: str


# The figures that most benchmarks have; others make their own.
RATE = Figure("rate", "/s")
P50 = Figure("p50", "ms")
P99 = Figure("p99", "ms")
PROCESSOR = Figure("processor", "µs each")  # of the process under test, for one unit of work
POSTGRES = Figure("PostgreSQL's", "µs each")  # of all of the server's processes, for one unit of work
MEMORY = Figure("memory", "MB")

Samples = Mapping[Figure, float]
Round = Callable[[], Awaitable[Samples]]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure of one side, a sample a round."""

    figure: Figure
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.samples)

    @property
    def lowest(self) -> float:
        return min(self.samples)

    @property
    def highest(self) -> float:
        return max(self.samples)

    @property
    def spread(self) -> float:
        """The range as a share of the median: how noisy it was."""
        return (self.highest - self.lowest) / self.median if self.median else 0.0


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that were compared, with its measurements."""

    name: str
    measurements: tuple[Measurement, ...]

    def __getitem__(self, figure: Figure) -> Measurement:
        return next(found for found in self.measurements if found.figure == figure)


@dataclass(frozen=True, slots=True)
class Target:
    """A value that is to be reached, such as a ratio of two medians, and what it came to."""

    text: str
    value: float
    sign: Literal["≥", "≤"]
    limit: float
    unit: str = "×"

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.sign == "≥" else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found. `verified` says how the work was proved; `notes` say where the time goes in a miss."""

    title: str
    what: str  # compared with what, under what load, on which data
    sides: Sequence[Side]
    targets: Sequence[Target]
    verified: str
    notes: Sequence[str] = field(default=())

    def side(self, name: str) -> Side:
        """A side by its name."""
        return next(found for found in self.sides if found.name == name)


async def in_turns(sides: Mapping[str, Round], *, rounds: int, warm_up: int = 1) -> list[Side]:
    """Measure the sides A, B, …, A, B, … in this order; the first `warm_up` rounds are thrown away.

    Every round of a side gives the same figures. Raises what a round raises.
    """
    taken: dict[str, list[Samples]] = {name: [] for name in sides}
    for number in range(warm_up + rounds):
        for name, measure in sides.items():
            samples = await measure()
            if number >= warm_up:
                taken[name].append(samples)
    return [side(name, samples) for name, samples in taken.items()]


def side(name: str, rounds: Sequence[Samples]) -> Side:
    """A side from the samples of its rounds."""
    figures = rounds[0] if rounds else {}
    return Side(name, tuple(Measurement(it, tuple(samples[it] for samples in rounds)) for it in figures))


def ratio(sides: Sequence[Side], figure: Figure, ours: str, theirs: str) -> float:
    """The median of ours over the median of theirs."""
    by_name = {it.name: it for it in sides}
    return by_name[ours][figure].median / by_name[theirs][figure].median


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all do not exceed; 0.99 gives the p99."""
    ordered = sorted(samples)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
