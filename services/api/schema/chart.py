"""Figures over time as what a frontend draws itself."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

from services.api.schema.connection import Info, given
from services.api.schema.mention import MentionFilter
from shared import models
from shared.connectors.registry import CARDS
from shared.domain.insight.charting import charts
from shared.domain.insight.charting.charts import Ask
from shared.domain.insight.charting.look import ChartLanguage, ChartMark, ChartName, ChartTheme, Look
from shared.models.enums import Dimension, Interval, MetricKey


@strawberry.input(description="How a chart looks; `width` and `height` are of all of it, in pixels.")
class ChartLookInput:
    theme: ChartTheme = ChartTheme.LIGHT
    lang: ChartLanguage = ChartLanguage.EN
    mark: ChartMark = ChartMark.BAR
    width: int = 800
    height: int = 400
    title: str | None = UNSET


@strawberry.type(description="A chart over metric series. As a picture it comes by REST, with the same parameters.")
class Chart:
    specification: JSON = strawberry.field(description="In the words of Vega-Lite, with its figures in it.")
    title: str
    description: str = strawberry.field(description="What is to be seen, for whoever does not see it.")


async def drawn(
    root: strawberry.Parent[models.Brand],
    info: Info,
    chart: ChartName,
    from_: Annotated[datetime, strawberry.argument(name="from")],
    to: datetime,
    interval: Interval,
    keys: list[MetricKey] | None = UNSET,
    group_by: list[Dimension] | None = UNSET,
    where: MentionFilter | None = UNSET,
    look: ChartLookInput | None = UNSET,
) -> Any:
    ask = Ask(chart, from_, to, interval, tuple(keys or ()), tuple(group_by or ()), where.read() if where else None)
    asked = look or ChartLookInput()
    wanted = Look(asked.theme, asked.lang, asked.mark, asked.width, asked.height, given(asked.title))
    async with info.context.reading(root.brand_id) as (session, scope):
        now = info.context.services.clock()
        return await charts.chart(session, scope, ask=ask, look=wanted, cards=CARDS, now=now)
