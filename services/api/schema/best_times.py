"""When to publish, by the brand's own results."""

from typing import Any

import strawberry
from strawberry import UNSET

from services.api.schema.connection import Info
from services.api.schema.mention import named_all
from shared import models
from shared.domain.insight import best_times
from shared.ids import Prefix


@strawberry.type(description="An hour of the week in the brand's zone, Monday being 0; ratios to the usual post.")
class BestHour:
    weekday: int
    hour: int
    posts: int
    expected: float
    low: float
    high: float


@strawberry.type(description="Hours, the most promising first; `enough` false: too few posts to say anything yet.")
class BestTimes:
    hours: list[BestHour]
    posts: int
    enough: bool
    definition: str


async def suggested(
    root: strawberry.Parent[models.Brand],
    info: Info,
    channel_ids: list[strawberry.ID] | None = UNSET,
    days: int = 90,
) -> Any:
    now = info.context.services.clock()
    async with info.context.reading(root.brand_id) as (session, scope):
        wanted = named_all(Prefix.CHANNEL, channel_ids) or ()
        found = await best_times.suggest(session, scope, channel_ids=wanted, days=days, now=scope.now(now))
    hours = [BestHour(**{name: getattr(one, name) for name in _FIELDS}) for one in found.hours]
    return BestTimes(hours=hours, posts=found.posts, enough=found.enough, definition=best_times.DEFINITION)


_FIELDS = ("weekday", "hour", "posts", "expected", "low", "high")
