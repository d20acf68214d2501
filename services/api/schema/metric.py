"""Figures over time."""

from datetime import datetime
from typing import Any

import strawberry

from services.api.completed import leaves
from services.api.schema.connection import Info
from shared.models.enums import Dimension, MetricKey


@strawberry.type(description="One coordinate of a series; a channel is named by its id, an unknown language is null.")
class MetricDimension:
    name: Dimension
    value: str | None


@strawberry.type(
    description="One bucket, [start, end). `value` is null only where nothing was observed and nothing counted, and of"
    " a share where there is nothing to share. `low` and `high` bound a share with 95 % confidence."
)
class MetricPoint:
    start: datetime
    end: datetime
    value: float | None
    complete: bool
    low: float | None
    high: float | None


_POINT = {name: name for name in ("start", "end", "value", "complete", "low", "high")}


def _points(root: Any, info: Info) -> Any:
    """Years of days are thousands of points: they pass the executor by."""
    return leaves(info, root.points, "MetricPoint", _POINT) or root.points


def _models(root: Any) -> Any:
    return root.models or []


@strawberry.type(
    description="A version of the model, null: nobody. So many mentions stand read by it; of them so many are corrected"
    " by a person."
)
class MetricModel:
    version: str | None
    mentions: int
    corrected: int


@strawberry.type(
    description="One line of a chart, with what it means and how fresh it is. `models`, where the figures rest on what"
    " was read of texts, are those that have read what was said on the range's days, on the channels and of the kinds"
    " that are asked for; empty elsewhere."
)
class MetricSeries:
    key: MetricKey
    unit: str
    dimensions: list[MetricDimension]
    points: list[MetricPoint] = strawberry.field(resolver=_points)
    definition: str
    fresh_at: datetime
    models: list[MetricModel] = strawberry.field(resolver=_models)
