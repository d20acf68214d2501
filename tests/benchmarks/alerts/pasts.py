"""Pasts of brands as chance makes them, on purpose not by the model that watches them.

Mentions beget mentions (a self-exciting process with heavy-tailed marks), days and hours differ by log-normal factors,
of which a day's stays in part until the next, volume trends up or down, some days are holidays, the brand's own posts
bring echoes of very different sizes, there were spikes before, and the share of negative mentions wanders.
"""

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.insight.watching.replaying import STEP

ZONE = ZoneInfo("Europe/Brussels")
A_DAY = timedelta(days=1) // STEP
AN_HOUR = timedelta(hours=1) // STEP
_BEGOTTEN = 0.35  # mentions that a mention begets
_FADES = math.exp(-STEP / timedelta(minutes=40))


@dataclass(slots=True)
class Past:
    """Steps of five minutes: what was said, how much of it was negative, how many posts of its own went out."""

    start: datetime
    mean: float  # mentions an hour, over all
    said: list[int] = field(default_factory=list)
    negative: list[int] = field(default_factory=list)
    posts: list[int] = field(default_factory=list)


def make(seed: int, a_day: float, start: datetime, weeks: int, *, calm_from: int) -> Past:
    """A brand with about so many mentions a day. Spikes of its own it has before the week `calm_from` only."""
    chance = random.Random(f"{seed} {a_day}")
    steps = weeks * 7 * A_DAY
    past = Past(start, a_day / 24)
    rates = _rates(chance, a_day, start, steps, calm_from * 7 * A_DAY)
    echoes = _posts(chance, past, a_day, steps)
    share, excited = _share(chance, weeks * 7), 0.0
    for step in range(steps):
        count = poisson(chance, rates[step] + echoes[step] + excited * (1 - _FADES))
        begets = chance.gammavariate(count * 0.4, _BEGOTTEN / 0.4) if count else 0.0
        excited = excited * _FADES + begets
        past.said.append(count)
        past.negative.append(_some(chance, count, share[step // A_DAY]))
    return past


def inject(past: Past, seed: int, at: int, strength: float, *, negative: float = 0.7) -> Past:
    """The same with a crisis from step `at` on: within half an hour `strength` times the brand's mean hour comes on
    top, for three hours, and then half as much every three hours."""
    chance = random.Random(f"{seed} {at} {strength}")
    said, bad = list(past.said), list(past.negative)
    top = strength * past.mean / AN_HOUR
    for n in range(min(36 * AN_HOUR, len(said) - at)):
        hours = n / AN_HOUR
        shape = min(1.0, (hours + 0.04) / 0.5) * (0.5 ** (max(0.0, hours - 3) / 3))
        more = poisson(chance, top * shape)
        said[at + n] += more
        bad[at + n] += _some(chance, more, negative)
    return Past(past.start, past.mean, said, bad, past.posts)


def silence(past: Past, at: int) -> Past:
    """The same with nothing from step `at` on."""
    kept = [*past.said[:at], *([0] * (len(past.said) - at))]
    bad = [*past.negative[:at], *([0] * (len(past.said) - at))]
    return Past(past.start, past.mean, kept, bad, past.posts)


def poisson(chance: random.Random, mean: float) -> int:
    """By Knuth's product for small means, by the normal distribution with a continuity correction for large ones."""
    if mean <= 0:
        return 0
    if mean > 40:
        return max(0, math.floor(chance.gauss(mean, math.sqrt(mean)) + 0.5))
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count += 1
        product *= chance.random()
    return count


def _some(chance: random.Random, count: int, share: float) -> int:
    if count > 200:
        return min(count, max(0, round(chance.gauss(count * share, math.sqrt(count * share * (1 - share))))))
    return sum(chance.random() < share for _ in range(count))


def _rates(chance: random.Random, a_day: float, start: datetime, steps: int, calm_from: int) -> list[float]:
    hours, weekdays, trend = _week(chance), _weekdays(chance), chance.uniform(-0.3, 0.6)
    days = steps // A_DAY + 1
    holidays = {chance.randrange(days): chance.choice([0.35, 0.5, 0.6, 1.5]) for _ in range(days // 14)}
    wander, own = 0.0, a_day * (1 - _BEGOTTEN) / A_DAY
    rates, hourly = [], 1.0
    for step in range(steps):
        local = (start + step * STEP).astimezone(ZONE)
        if step % A_DAY == 0:
            wander = 0.6 * wander + chance.gauss(0, 0.16)
        if step % AN_HOUR == 0:
            hourly = math.exp(chance.gauss(-0.01, 0.15))
        day = weekdays[local.weekday()] * holidays.get(step // A_DAY, 1.0) * math.exp(wander)
        rates.append(own * hours[local.hour] * day * hourly * (1 + trend * (step / steps - 0.5)))
    for _ in range(chance.randint(1, 3)):
        begin, times = chance.randrange(calm_from - A_DAY), chance.uniform(4, 15)
        for n in range(min(chance.randint(3, 20) * AN_HOUR, calm_from - begin)):
            rates[begin + n] += own * times
    return rates


def _week(chance: random.Random) -> list[float]:
    peaks = [(chance.uniform(8, 13), chance.uniform(2, 4)), (chance.uniform(17, 22), chance.uniform(1.5, 3))]
    split = chance.uniform(0.3, 0.8)
    shape = [
        0.08
        + split * math.exp(-(((hour - peaks[0][0]) / peaks[0][1]) ** 2) / 2)
        + (1 - split) * math.exp(-(((hour - peaks[1][0]) / peaks[1][1]) ** 2) / 2)
        for hour in range(24)
    ]
    return [part * 24 / sum(shape) for part in shape]


def _weekdays(chance: random.Random) -> list[float]:
    weekend = chance.uniform(0.4, 1.3)
    shape = [chance.uniform(0.9, 1.1) for _ in range(5)] + [weekend * chance.uniform(0.9, 1.1) for _ in range(2)]
    return [part * 7 / sum(shape) for part in shape]


def _posts(chance: random.Random, past: Past, a_day: float, steps: int) -> list[float]:
    """The rates that echoes bring; a post brings between a fiftieth and a tenth of a day, give or take a factor."""
    brings, often = a_day * chance.uniform(0.02, 0.1), chance.uniform(0.3, 1.5)
    heard, rates = 0.0, []
    fades = math.exp(-STEP / timedelta(hours=2))
    for step in range(steps):
        hour = (past.start + step * STEP).astimezone(ZONE).hour
        posts = poisson(chance, often / (12 * AN_HOUR)) if 8 <= hour < 20 else 0
        past.posts.append(posts)
        for _ in range(posts):
            heard += brings * math.exp(chance.gauss(-0.25, 0.7))
        rates.append(heard * (1 - fades))
        heard *= fades
    return rates


def _share(chance: random.Random, days: int) -> list[float]:
    middle, wander, shares = chance.uniform(0.06, 0.3), 0.0, []
    for _ in range(days + 1):
        wander = 0.5 * wander + chance.gauss(0, 0.2)
        shares.append(1 / (1 + (1 - middle) / middle * math.exp(-wander)))
    return shares
