"""Figures over time."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.mentions import Where
from services.api.rest.shapes import ListRead, Moment, Read, whole
from shared.domain.insight import metrics
from shared.domain.insight.metrics import Series
from shared.domain.insight.points import Point
from shared.errors import Invalid, Problem
from shared.models.enums import Dimension, Interval, MetricKey

router = APIRouter(prefix="/v1/brands/{brand_id}/metrics", route_class=TransactedRoute, tags=["metrics"])


class DimensionRead(Read):
    name: Dimension
    value: str | None


class PointRead(Read):
    """One bucket. `value` is null only where nothing was observed and nothing counted, and of a share where there is
    nothing to share. `low` and `high` bound a share with 95 % confidence, and are left out elsewhere."""

    start: datetime
    end: datetime
    value: float | None
    complete: bool
    low: float | None = None
    high: float | None = None


class SeriesRead(Read):
    """One line of a chart, with what it means and how fresh it is."""

    key: MetricKey
    unit: str
    dimensions: list[DimensionRead]
    points: list[PointRead]
    definition: str
    fresh_at: datetime


class SeriesList(ListRead[SeriesRead]):
    pass


def _read(series: Series) -> SeriesRead:
    return SeriesRead(
        key=series.key,
        unit=series.unit,
        dimensions=[DimensionRead(name=one.name, value=one.value) for one in series.dimensions],
        points=[_point(one) for one in series.points],
        definition=series.definition,
        fresh_at=series.fresh_at,
    )


def _point(point: Point) -> PointRead:
    bounds = {} if point.low is None else {"low": point.low, "high": point.high}
    return PointRead(start=point.start, end=point.end, value=point.value, complete=point.complete, **bounds)


# Only shares have bounds: other points leave them out.
@router.get(
    "",
    response_model=SeriesList,
    response_model_exclude_unset=True,
    summary="A series for each key and each value of the dimensions",
)
async def get_metrics(
    call: Calling,
    scope: InBrand,
    where: Where,
    from_: Annotated[Moment, Query(alias="from", description="Inclusive.")],
    to: Annotated[Moment, Query(description="Exclusive.")],
    interval: Annotated[Interval, Query()],
    key: Annotated[list[MetricKey] | None, Query(description="Repeated for several.")] = None,
    keys: Annotated[list[MetricKey] | None, Query(description="The same as `key`, by GraphQL's name.")] = None,
    group_by: Annotated[list[Dimension] | None, Query()] = None,
) -> dict[str, Any]:
    wanted = list(dict.fromkeys([*(key or ()), *(keys or ())]))
    if not wanted:
        raise Invalid([Problem("required", "say which metrics: key=mentions", ("key",))])
    found = await metrics.series(
        call.session,
        scope,
        keys=wanted,
        since=from_,
        until=to,
        interval=interval,
        group_by=group_by or (),
        where=where,
        now=call.services.clock(),
    )
    return whole([_read(series) for series in found])
