"""When to publish, by the brand's own results."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import ChannelRef
from services.api.rest.shapes import Read
from shared.domain.insight import best_times

router = APIRouter(prefix="/v1/brands/{brand_id}/best-times", route_class=TransactedRoute, tags=["metrics"])


class HourRead(Read):
    """An hour of the week in the brand's zone, Monday being 0. Ratios to the usual post: 1.2 is a fifth better."""

    weekday: int
    hour: int
    posts: int
    expected: float
    low: float
    high: float


class BestTimesRead(Read):
    """Hours, the most promising first. `enough` false: there are too few posts to say anything yet."""

    data: list[HourRead]
    posts: int
    enough: bool
    definition: str


@router.get("", summary="When the brand's own posts did best, and how sure that is")
async def get_best_times(
    call: Calling,
    scope: InBrand,
    channel_id: Annotated[list[ChannelRef] | None, Query()] = None,
    days: Annotated[int, Query(description="How far back, 1 to 366.", json_schema_extra={"minimum": 1})] = 90,
) -> BestTimesRead:
    now = scope.now(call.services.clock())
    found = await best_times.suggest(call.session, scope, channel_ids=channel_id or (), days=days, now=now)
    hours = [HourRead(**{name: getattr(one, name) for name in HourRead.model_fields}) for one in found.hours]
    return BestTimesRead(data=hours, posts=found.posts, enough=found.enough, definition=best_times.DEFINITION)
