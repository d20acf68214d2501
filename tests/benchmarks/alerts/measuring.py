"""Rules run over simulated pasts: false alarms a week while nothing happens, and how soon a crisis is spoken of."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

from shared.domain.insight.watching import replaying
from shared.domain.insight.watching.replaying import STEP, Series
from shared.domain.insight.watching.sensitivity import CARES
from shared.domain.insight.watching.unfolding import Turn
from shared.models.enums import AlertKind, AlertSensitivity
from tests.benchmarks.alerts import pasts
from tests.benchmarks.alerts.pasts import A_DAY, AN_HOUR, ZONE, Past

SIZES = (2, 20, 200, 2_000, 20_000)
STRENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0)
START = datetime(2026, 1, 4, 23, tzinfo=UTC)
LEARNING, TESTED = 8, 6  # weeks
FOUND_WITHIN = timedelta(hours=24)


@dataclass(slots=True)
class Measured:
    """Of one size: false alarms over so many weeks; of each strength the delays in minutes, None where none came."""

    size: int
    kind: AlertKind
    sensitivity: AlertSensitivity
    weeks: float = 0.0
    false: int = 0
    open_hours: float = 0.0
    delays: dict[float, list[float | None]] = field(default_factory=dict)

    @property
    def a_week(self) -> float:
        return self.false / self.weeks if self.weeks else 0.0

    def delay(self, strength: float) -> tuple[float | None, float]:
        """The median delay in minutes among those that were found, and the share that was."""
        found = [one for one in self.delays[strength] if one is not None]
        return (median(found) if found else None), len(found) / len(self.delays[strength])


def measure(
    size: int, kind: AlertKind, sensitivity: AlertSensitivity, seeds: Sequence[int], crises: int,
    strengths: Sequence[float] = STRENGTHS,
    weeks: int = TESTED,
) -> Measured:  # fmt: skip
    """Over the pasts of these seeds, and `crises` in each at times of chance while people are awake."""
    found = Measured(size, kind, sensitivity)
    for seed in seeds:
        past = pasts.make(seed, size, START, LEARNING + weeks, calm_from=LEARNING)
        _quiet(found, past, weeks)
        chance = random.Random(seed)
        left = 11 if kind is AlertKind.SILENCE else 3  # days, in which it has to be found
        for number in range(crises):
            day = (LEARNING * 7 + chance.randrange(max(weeks * 7 - left, 1))) * A_DAY
            at = day + chance.randrange(8, 22) * AN_HOUR + chance.randrange(AN_HOUR)
            for strength in strengths:
                crisis = pasts.silence(past, at) if kind is AlertKind.SILENCE else pasts.inject(
                    past, seed * 1000 + number, at, strength
                )  # fmt: skip
                found.delays.setdefault(strength, []).append(_delay(found, crisis, at))
    return found


def _quiet(found: Measured, past: Past, weeks: int) -> None:
    since = past.start + timedelta(weeks=LEARNING)
    until = since + timedelta(weeks=weeks)
    opened: datetime | None = None
    for firing in _replay(found, past, since, until):
        if firing.turn is Turn.OPENED:
            found.false, opened = found.false + 1, firing.at
        if firing.turn is Turn.CLOSED and opened is not None:
            found.open_hours += (firing.at - opened) / timedelta(hours=1)
    found.weeks += weeks


def _delay(found: Measured, past: Past, at: int) -> float | None:
    """Minutes; from a day before, so that what is open already is known, and counts as found at once."""
    begins = past.start + at * STEP
    begins_at = begins - (begins - past.start) % timedelta(hours=1)
    within = timedelta(days=10) if found.kind is AlertKind.SILENCE else FOUND_WITHIN
    for firing in _replay(found, past, begins_at, min(begins + within, past.start + len(past.said) * STEP)):
        if firing.turn in {Turn.OPENED, Turn.FOLLOWED} and firing.at > begins:
            return (firing.at - begins) / timedelta(minutes=1)
    return None


def _replay(found: Measured, past: Past, since: datetime, until: datetime) -> Iterator[replaying.Firing]:
    said = Series(past.start, past.said, past.posts)
    negative = Series(past.start, past.negative, past.posts)
    return replaying.replay(
        replaying.Past(said, negative), ZONE, found.kind, CARES[found.sensitivity], since=since, until=until
    )
