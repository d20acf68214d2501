"""Charts of made-up figures, without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.insight import buckets as cut
from shared.domain.insight.charting import lines
from shared.domain.insight.charting.lines import Panel
from shared.domain.insight.charting.look import PALETTES, ChartLanguage, Look
from shared.domain.insight.charting.specification import specification
from shared.domain.insight.charting.ticks import Buckets
from shared.domain.insight.charting.words import WORDS
from shared.domain.insight.metrics import DimensionValue, Series
from shared.domain.insight.points import Point
from shared.models.enums import Dimension, Interval, MetricKey

BRUSSELS = ZoneInfo("Europe/Brussels")
MIDNIGHT = datetime(2026, 11, 1, 23, tzinfo=UTC)  # of 2 November, a Monday
ENGLISH = WORDS[ChartLanguage.EN]


def buckets(since: datetime, until: datetime, interval: Interval, zone: ZoneInfo = BRUSSELS) -> Buckets:
    return Buckets(cut.bounds(since, until, interval, zone), interval, zone)


def days(count: int) -> Buckets:
    return buckets(MIDNIGHT, MIDNIGHT + timedelta(days=count), Interval.DAY)


def series(
    values: Sequence[float | None],
    *,
    key: MetricKey = MetricKey.MENTIONS,
    of: tuple[Dimension, str | None] | None = None,
    partly: frozenset[int] = frozenset(),
) -> Series:
    edges = days(len(values)).edges
    bounds = [(None, None) if value is None or key is not MetricKey.NET_SENTIMENT else (-1.0, 1.0) for value in values]
    points = [
        Point(edges[n], edges[n + 1], value, value is not None and n not in partly, *bounds[n])
        for n, value in enumerate(values)
    ]
    return Series(key, "", (DimensionValue(*of),) if of is not None else (), points, "", MIDNIGHT)


def panels(*found: Series, look: Look | None = None) -> list[Panel]:
    look = look or Look()
    keys = list(dict.fromkeys(one.key for one in found))
    order = lines.order(keys[0], found)
    words, palette = WORDS[look.language], PALETTES[look.theme]
    return [
        lines.panel(key, found, order, words, palette, lambda one: words.value(one.name, one.value)) for key in keys
    ]


def drawn(*found: Series, look: Look | None = None) -> dict[str, Any]:
    look = look or Look()
    return specification(
        panels(*found, look=look),
        days(len(found[0].points)),
        look=look,
        palette=PALETTES[look.theme],
        words=WORDS[look.language],
        title="Dunes",
        notes=["a week", "per day"],
    )


def layers(chart: dict[str, Any], drawing: int = 0) -> dict[str, list[dict[str, Any]]]:
    """The rows of each layer of one drawing, by the layer's mark; the first are the bands behind it."""
    found = chart["vconcat"][drawing]["layer"]
    kinds = ["bands", *(layer["mark"]["type"] for layer in found[1:])]
    return {kind: layer["data"]["values"] for kind, layer in zip(kinds, found, strict=True)}
