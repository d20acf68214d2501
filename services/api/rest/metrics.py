"""Figures over time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from services.api import tables
from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.mentions import Where
from services.api.rest.shapes import ListRead, Moment, Read, whole
from services.api.tables import CSV_ANSWER, NDJSON_ANSWER, TableForm
from shared.domain.insight import metrics
from shared.domain.insight.metrics import Series
from shared.domain.insight.points import Point
from shared.domain.insight.reads import Model
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.models.enums import Dimension, Interval, MetricKey

router = APIRouter(prefix="/v1/brands/{brand_id}", route_class=TransactedRoute, tags=["metrics"])


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


class ModelRead(Read):
    """A version of the model, null: nobody. So many mentions stand read by it, and a person has corrected so many."""

    version: str | None
    mentions: int
    corrected: int


class SeriesRead(Read):
    """One line of a chart, with what it means and how fresh it is. `models`, where the figures rest on what was read of
    texts, are those that have read what was said on the range's days, on the channels and of the kinds that are asked
    for; left out elsewhere."""

    key: MetricKey
    unit: str
    dimensions: list[DimensionRead]
    points: list[PointRead]
    definition: str
    fresh_at: datetime
    models: list[ModelRead] | None = None


class SeriesList(ListRead[SeriesRead]):
    pass


def _read(series: Series) -> SeriesRead:
    told = {} if series.models is None else {"models": [_model(one) for one in series.models]}
    return SeriesRead(
        key=series.key,
        unit=series.unit,
        dimensions=[DimensionRead(name=one.name, value=one.value) for one in series.dimensions],
        points=[_point(one) for one in series.points],
        definition=series.definition,
        fresh_at=series.fresh_at,
        **told,
    )


def _model(model: Model) -> ModelRead:
    return ModelRead(version=model.version, mentions=model.mentions, corrected=model.corrected)


def _point(point: Point) -> PointRead:
    bounds = {} if point.low is None else {"low": point.low, "high": point.high}
    return PointRead(start=point.start, end=point.end, value=point.value, complete=point.complete, **bounds)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figures are asked for."""

    keys: tuple[MetricKey, ...]
    since: datetime
    until: datetime
    interval: Interval
    group_by: tuple[Dimension, ...]
    where: MentionFilter


def asked(
    where: Where,
    from_: Annotated[Moment, Query(alias="from", description="Inclusive.")],
    to: Annotated[Moment, Query(description="Exclusive.")],
    interval: Annotated[Interval, Query()],
    key: Annotated[list[MetricKey] | None, Query(description="Repeated for several.")] = None,
    keys: Annotated[list[MetricKey] | None, Query(description="The same as `key`, by GraphQL's name.")] = None,
    group_by: Annotated[list[Dimension] | None, Query()] = None,
) -> Asked:
    wanted = tuple(dict.fromkeys([*(key or ()), *(keys or ())]))
    if not wanted:
        raise Invalid([Problem("required", "say which metrics: key=mentions", ("key",))])
    return Asked(wanted, from_, to, interval, tuple(group_by or ()), where)


Wanted = Annotated[Asked, Depends(asked)]


async def _series(call: Call, scope: Scope, wanted: Asked) -> list[Series]:
    return await metrics.series(
        call.session,
        scope,
        keys=wanted.keys,
        since=wanted.since,
        until=wanted.until,
        interval=wanted.interval,
        group_by=wanted.group_by,
        where=wanted.where,
        now=call.services.clock(),
    )


# Only shares have bounds, only readings models: others leave them out.
@router.get(
    "/metrics",
    response_model=SeriesList,
    response_model_exclude_unset=True,
    summary="A series for each key and each value of the dimensions",
)
async def get_metrics(call: Calling, scope: InBrand, wanted: Wanted) -> dict[str, Any]:
    return whole([_read(series) for series in await _series(call, scope, wanted)])


@router.get("/metrics.csv", response_class=Response, responses=CSV_ANSWER, summary="The same as CSV, a point a row")
async def export_metrics_csv(call: Calling, scope: InBrand, wanted: Wanted) -> Response:
    found = await _series(call, scope, wanted)

    async def lines() -> AsyncIterator[bytes]:
        names = tuple(dict.fromkeys(wanted.group_by))
        yield tables.csv_lines([("key", "unit", *names, *_POINT)])
        for series in found:
            values = (series.key, series.unit, *(one.value for one in series.dimensions))
            yield tables.csv_lines((*values, *(getattr(point, name) for name in _POINT)) for point in series.points)

    return await tables.streamed(lines(), TableForm.CSV, "metrics")


@router.get(
    "/metrics.ndjson", response_class=Response, responses=NDJSON_ANSWER, summary="The same as NDJSON, a point a line"
)
async def export_metrics_ndjson(call: Calling, scope: InBrand, wanted: Wanted) -> Response:
    found = await _series(call, scope, wanted)

    async def lines() -> AsyncIterator[bytes]:
        for series in found:
            values = {
                "key": series.key,
                "unit": series.unit,
                **{one.name.value: one.value for one in series.dimensions},
            }
            yield tables.json_lines(
                {**values, **{name: getattr(point, name) for name in _POINT}} for point in series.points
            )
        yield tables.last_line(sum(len(series.points) for series in found))

    return await tables.streamed(lines(), TableForm.NDJSON, "metrics")


_POINT = ("start", "end", "value", "low", "high", "complete")
