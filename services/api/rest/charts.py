"""Figures over time as pictures, and as what a frontend draws itself."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.api.context import Services
from services.api.rest.call import Calling, InBrand, SteppedRoute, Stepping, TransactedRoute
from services.api.rest.etags import unless_known
from services.api.rest.ids import BrandId
from services.api.rest.mentions import Where
from services.api.rest.shapes import Moment, Text
from services.charting.drawing import SCALES, Picture, picture
from shared.connectors.registry import CARDS
from shared.domain.insight.charting import charts
from shared.domain.insight.charting.charts import Ask, Chart
from shared.domain.insight.charting.look import (
    HEIGHTS,
    TITLE_MOST,
    WIDTHS,
    ChartLanguage,
    ChartMark,
    ChartName,
    ChartTheme,
    Look,
)
from shared.models.enums import Dimension, Interval, MetricKey

_PATH = "/v1/brands/{brand_id}/charts"
specifications = APIRouter(prefix=_PATH, route_class=TransactedRoute, tags=["metrics"])
pictures = APIRouter(prefix=_PATH, route_class=SteppedRoute, tags=["metrics"])

SVG, PNG = "image/svg+xml", "image/png"
# A picture is shown and nothing else: no script runs in it, and nothing is guessed about it.
HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, max-age=60",
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "description": "The picture.",
    }
}


def _size(what: str, bounds: tuple[int, int]) -> Any:
    least, most = bounds
    return Query(
        description=f"{what}, {least} to {most} pixels.", json_schema_extra={"minimum": least, "maximum": most}
    )


def _ask(
    chart: Annotated[ChartName, Path(description="`series` draws the figures of `key`, one below another.")],
    where: Where,
    from_: Annotated[Moment, Query(alias="from", description="Inclusive.")],
    to: Annotated[Moment, Query(description="Exclusive.")],
    interval: Annotated[Interval, Query()],
    key: Annotated[list[MetricKey] | None, Query(description="Of `series`: repeated for several, 4 at most.")] = None,
    keys: Annotated[list[MetricKey] | None, Query(description="The same as `key`, by GraphQL's name.")] = None,
    group_by: Annotated[list[Dimension] | None, Query(description="One; not of `sentiment`.")] = None,
) -> Ask:
    wanted = tuple(dict.fromkeys([*(key or ()), *(keys or ())]))
    return Ask(chart, from_, to, interval, wanted, tuple(group_by or ()), where)


def _look(
    theme: Annotated[ChartTheme, Query()] = ChartTheme.LIGHT,
    lang: Annotated[ChartLanguage, Query(description="Of the chart's own words, days and numbers.")] = ChartLanguage.EN,
    mark: Annotated[ChartMark, Query(description="How counts are drawn.")] = ChartMark.BAR,
    width: Annotated[int, _size("All of it", WIDTHS)] = 800,
    height: Annotated[int, _size("All of it", HEIGHTS)] = 400,
    title: Annotated[
        Text | None,
        Query(
            description="Instead of the brand's name; an empty one leaves that.",
            json_schema_extra={"maxLength": TITLE_MOST},
        ),
    ] = None,
) -> Look:
    return Look(theme, lang, mark, width, height, title)


Asked = Annotated[Ask, Depends(_ask)]
Looks = Annotated[Look, Depends(_look)]


@specifications.get("/{chart}.vl.json", summary="A chart in the words of Vega-Lite, with its figures")
async def get_chart_specification(call: Calling, scope: InBrand, ask: Asked, look: Looks) -> dict[str, Any]:
    now = call.services.clock()
    found = await charts.chart(call.session, scope, ask=ask, look=look, cards=CARDS, now=now)
    return found.specification


@pictures.get("/{chart}.svg", response_class=Response, responses=_BYTES, summary="A chart as an SVG")
async def get_chart_svg(request: Request, steps: Stepping, brand_id: BrandId, ask: Asked, look: Looks) -> Response:
    found = await _chart(steps, brand_id, ask, look)
    return await answer(request, steps.services, picture(found), SVG)


@pictures.get("/{chart}.png", response_class=Response, responses=_BYTES, summary="A chart as a PNG")
async def get_chart_png(
    request: Request,
    steps: Stepping,
    brand_id: BrandId,
    ask: Asked,
    look: Looks,
    scale: Annotated[
        float, Query(ge=SCALES[0], le=SCALES[1], allow_inf_nan=False, description="Dots to the pixel.")
    ] = 1,
) -> Response:
    found = await _chart(steps, brand_id, ask, look)
    return await answer(request, steps.services, picture(found, scale), PNG)


async def _chart(steps: Stepping, brand_id: BrandId, ask: Ask, look: Look) -> Chart:
    """Read, and let go of the database before anything is drawn."""
    async with steps.transaction(brand_id) as (session, scope):
        now = steps.services.clock()
        return await charts.chart(session, scope, ask=ask, look=look, cards=CARDS, now=now)


async def answer(request: Request, services: Services, asked: Picture, kind: str) -> Response:
    """The picture, drawn only for whoever does not have it. Raises NotDrawn."""
    headers = {**HEADERS, "etag": f'"{asked.tag}"'}
    known = unless_known(request, Response(headers=headers))
    if known.status_code == 304:
        return Response(status_code=304, headers=headers)
    return Response(await services.drawer.draw(asked), headers=headers, media_type=kind)
