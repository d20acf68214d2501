"""Figures over time."""

from datetime import datetime

import strawberry

from shared.models.enums import Dimension, MetricKey


@strawberry.type(description="One coordinate of a series; a channel is named by its id, an unknown language is null.")
class MetricDimension:
    name: Dimension
    value: str | None


@strawberry.type(
    description="One bucket, [start, end). `value` is null only where nothing was observed and nothing counted."
)
class MetricPoint:
    start: datetime
    end: datetime
    value: float | None
    complete: bool


@strawberry.type(description="One line of a chart, with what it means and how fresh it is.")
class MetricSeries:
    key: MetricKey
    unit: str
    dimensions: list[MetricDimension]
    points: list[MetricPoint]
    definition: str
    fresh_at: datetime
