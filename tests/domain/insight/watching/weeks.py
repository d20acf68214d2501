"""Weeks of a brand, made by chance, for tests of what is learnt from them."""

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.insight.watching.rhythm import HOUR, Hour

BRUSSELS = ZoneInfo("Europe/Brussels")
BEGINS = datetime(2026, 1, 4, 23, tzinfo=UTC)  # a Monday in Brussels


def shape(local: datetime) -> float:
    """Twice as much by day as on average, next to nothing by night, half of it at weekends."""
    day = 1.0 if local.weekday() < 5 else 0.5
    return day * (0.1 if local.hour < 7 else 2.0 if 9 <= local.hour < 18 else 1.0)


def weeks(
    count: int, a_day: float, *, seed: int = 1, change: Callable[[int, float], float] | None = None
) -> list[Hour]:
    """Hours of so many weeks, each a Poisson count; `change` may give the hour of a number another mean."""
    chance = random.Random(seed)
    hours = []
    for number in range(count * 168):
        at = BEGINS + number * HOUR
        mean = a_day / 24 * shape(at.astimezone(BRUSSELS))
        mean = change(number, mean) if change is not None else mean
        hours.append(Hour(at, drawn(chance, mean)))
    return hours


def drawn(chance: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count, product = count + 1, product * chance.random()
    return count


def after(hours: list[Hour], *, hours_more: float = 0) -> datetime:
    return hours[-1].at + HOUR + timedelta(hours=hours_more)
