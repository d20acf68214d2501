"""From series to what is drawn of them: lines with names and colours, the smallest together as one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from shared.domain.insight.charting.look import Palette
from shared.domain.insight.charting.words import Words
from shared.domain.insight.metrics import DimensionValue, Series
from shared.models.enums import Dimension, MetricKey, Sentiment

Name = Callable[[DimensionValue], str]
Values = tuple[str | None, ...]

STACKED = frozenset({MetricKey.MENTIONS, MetricKey.POSTS, MetricKey.ENGAGEMENT, MetricKey.REACH})
SHARES = {MetricKey.NET_SENTIMENT: (-1, 1), MetricKey.SHARE_OF_VOICE: (0, 1)}
"""Between what they lie."""


@dataclass(frozen=True, slots=True)
class Value:
    """One bucket of a line; `low` and `high` bound a share."""

    value: float | None
    complete: bool
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    colour: str
    values: list[Value]


@dataclass(frozen=True, slots=True)
class Panel:
    """One of a chart's drawings, over the same time as the others: lines of one key. `left_out`: of how many more
    lines nothing is shown."""

    key: MetricKey
    lines: list[Line]
    left_out: int = 0

    @property
    def is_stacked(self) -> bool:
        return self.key in STACKED

    @property
    def is_share(self) -> bool:
        return self.key in SHARES

    @property
    def is_signed(self) -> bool:
        """Whether it may be below zero."""
        return self.key is MetricKey.NET_SENTIMENT

    def unseen(self, buckets: int) -> list[bool]:
        """Which buckets nobody observed. A share may be missing for want of anything to share."""
        if self.is_share or not self.lines:
            return [False] * buckets
        return [all(line.values[n].value is None for line in self.lines) for n in range(buckets)]

    def partly(self, buckets: int) -> list[bool]:
        """Which buckets were observed for a part of their time, or by some of the channels."""
        unseen = self.unseen(buckets)
        return [not unseen[n] and any(not line.values[n].complete for line in self.lines) for n in range(buckets)]

    def stacked(self) -> list[list[tuple[float, float] | None]]:
        """Of each line from where to where it reaches in each bucket, upon the lines before it."""
        heights = [[value.value or 0.0 for value in line.values] for line in self.lines]
        tops = list(accumulate(heights, lambda below, own: [a + b for a, b in zip(below, own, strict=True)]))
        return [
            [
                None if value.value is None else (top - height, top)
                for value, top, height in zip(line.values, tops[n], heights[n], strict=True)
            ]
            for n, line in enumerate(self.lines)
        ]


def order(key: MetricKey, found: Sequence[Series]) -> list[Values]:
    """By what a chart is taken apart, the greatest of this key first: the same colours in each of its panels."""
    greatest = sorted(found, key=lambda one: (one.key is not key, -_weight(one), [v or "" for v in _values_of(one)]))
    return list(dict.fromkeys(_values_of(one) for one in greatest))


def panel(
    key: MetricKey, found: Sequence[Series], order: Sequence[Values], words: Words, palette: Palette, name: Name
) -> Panel:
    """The lines of a key in this order; moods in the order of the mood."""
    series = [one for one in found if one.key is key]
    if any(one.name is Dimension.SENTIMENT for line in series for one in line.dimensions):
        return Panel(key, _moods(series, palette, name))
    by_values = {_values_of(one): one for one in series}
    if () in by_values:
        order = [()]  # not taken apart, whatever the other panels are
    shown = [(by_values[one], colour) for one, colour in zip(order, palette.series, strict=False) if one in by_values]
    rest = [by_values[one] for one in order[len(palette.series) :] if one in by_values]
    drawn = [Line(" · ".join(name(one) for one in line.dimensions), colour, _values(line)) for line, colour in shown]
    if rest and key in STACKED:
        return Panel(key, [*drawn, Line(words.others, palette.others, _sum([_values(line) for line in rest]))])
    return Panel(key, drawn, len(rest))


def _values_of(series: Series) -> Values:
    return tuple(one.value for one in series.dimensions)


def _weight(series: Series) -> float:
    return sum(abs(point.value) for point in series.points if point.value is not None)


def _values(series: Series) -> list[Value]:
    return [Value(point.value, point.complete, point.low, point.high) for point in series.points]


def _moods(series: Sequence[Series], palette: Palette, name: Name) -> list[Line]:
    colours = {
        Sentiment.NEGATIVE.value: palette.negative,
        Sentiment.NEUTRAL.value: palette.neutral,
        Sentiment.POSITIVE.value: palette.positive,
        None: palette.unread,
    }
    order = list(colours)
    by_mood = sorted(series, key=lambda one: order.index(one.dimensions[0].value))
    return [Line(name(one.dimensions[0]), colours[one.dimensions[0].value], _values(one)) for one in by_mood]


def _sum(lines: Sequence[Sequence[Value]]) -> list[Value]:
    return [
        Value(
            sum(one.value or 0.0 for one in bucket) if any(one.value is not None for one in bucket) else None,
            all(one.complete for one in bucket),
        )
        for bucket in zip(*lines, strict=True)
    ]
