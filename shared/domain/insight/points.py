"""From counts to the points of a series: sums, and shares with how far they can be trusted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.insight.buckets import Watch
from shared.domain.insight.counts import Cell
from shared.models.enums import MetricKey

_Z = 1.959964  # of a normal distribution, 95 % lie within so many deviations


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket, [start, end). `value` is None only where nothing was observed and nothing counted, and of a share
    where there is nothing to share; `complete` says whether every channel that belongs to the bucket was observed for
    all of it. `low` and `high` bound a share with 95 % confidence."""

    start: datetime
    end: datetime
    value: float | None
    complete: bool
    low: float | None = None
    high: float | None = None


def of(
    key: MetricKey,
    edges: Sequence[datetime],
    line: Sequence[Cell],
    watched: Mapping[UUID, Watch],
    whole_line: Sequence[Cell] = (),
) -> list[Point]:
    """The points of one series between `edges`, from its cells and from when its channels were watched; of a share of
    voice also from the cells of all that it is a share of."""
    last = len(edges) - 1
    unseen = bytearray(last)
    for cell in line:
        watch = watched.get(cell.channel_id) if cell.channel_id is not None else None
        if watch is not None and not watch.touched[cell.bucket] and cell.counted:
            unseen[cell.bucket] = 1  # it spoke where nobody looked: what was brought in later
    here, complete = _seen(watched, unseen)
    if key is MetricKey.NET_SENTIMENT:
        return _shares(edges, line, complete)
    if key is MetricKey.SHARE_OF_VOICE:
        return _voices(edges, _totals("mentions", line, last), _totals("mentions", whole_line, last), complete)
    totals = _totals(key.value, line, last)
    return [
        Point(edges[n], edges[n + 1], float(totals[n]) if here[n] or totals[n] else None, complete[n])
        for n in range(last)
    ]


def _seen(watched: Mapping[UUID, Watch], unseen: bytearray) -> tuple[bytes, list[bool]]:
    """In which buckets anything was observed, and which are complete: all at once, as digits of great numbers."""
    ones = int.from_bytes(b"\x01" * len(unseen))
    here, whole = 0, ones
    for watch in watched.values():
        touched = int.from_bytes(watch.touched)
        here |= touched
        whole &= int.from_bytes(watch.covered) | (touched ^ ones)
    complete = here & whole & (int.from_bytes(unseen) ^ ones)
    return here.to_bytes(len(unseen)), [digit == 1 for digit in complete.to_bytes(len(unseen))]


def _totals(name: str, line: Iterable[Cell], last: int) -> list[int]:
    totals = [0] * last
    for cell in line:
        totals[cell.bucket] += getattr(cell, name)
    return totals


def _voices(
    edges: Sequence[datetime], mentions: Sequence[int], whole: Sequence[int], complete: Sequence[bool]
) -> list[Point]:
    return [
        Point(edges[n], edges[n + 1], value, complete[n], low, high)
        for n in range(len(mentions))
        for value, low, high in [share(mentions[n], whole[n]) or (None, None, None)]
    ]


def _shares(edges: Sequence[datetime], line: Sequence[Cell], complete: Sequence[bool]) -> list[Point]:
    last = len(edges) - 1
    positive, neutral, negative = [0] * last, [0] * last, [0] * last
    for cell in line:
        positive[cell.bucket] += cell.positive
        neutral[cell.bucket] += cell.neutral
        negative[cell.bucket] += cell.negative
    found = []
    for n in range(last):
        value, low, high = net_sentiment(positive[n], neutral[n], negative[n]) or (None, None, None)
        found.append(Point(edges[n], edges[n + 1], value, complete[n], low, high))
    return found


def net_sentiment(positive: int, neutral: int, negative: int) -> tuple[float, float, float] | None:
    """(positive - negative) / all, from -1 to 1, and between what it lies with 95 % confidence; None of nothing.

    The interval is that of a difference of two shares of one multinomial, with one added to each of the two (Bonett and
    Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired data", Journal of
    Educational and Behavioral Statistics 37, 2012): it holds its level for small numbers, and is never empty.
    """
    total = positive + neutral + negative
    if not total:
        return None
    n = total + 2
    more, less = (positive + 1) / n, (negative + 1) / n
    middle = more - less
    reach = _Z * math.sqrt(max(0.0, more + less - middle**2) / n)
    return (positive - negative) / total, max(-1.0, middle - reach), min(1.0, middle + reach)


def share(part: int, whole: int) -> tuple[float, float, float] | None:
    """A share, and between what it lies with 95 % confidence (Wilson, "Probable inference, the law of succession, and
    statistical inference", Journal of the American Statistical Association 22, 1927); None of nothing."""
    if not whole:
        return None
    value = part / whole
    middle, widened = value + _Z**2 / (2 * whole), 1 + _Z**2 / whole
    reach = _Z * math.sqrt(value * (1 - value) / whole + _Z**2 / (4 * whole**2))
    low, high = (middle - reach) / widened, (middle + reach) / widened
    return value, min(max(0.0, low), value), max(min(1.0, high), value)
