"""What stands out in a range."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import IdentityRef
from services.api.rest.mentions import Where
from services.api.rest.shapes import Moment, Read
from shared.domain.insight import tops
from shared.domain.page import MOST
from shared.models.enums import TopKind

router = APIRouter(prefix="/v1/brands/{brand_id}/top", route_class=TransactedRoute, tags=["metrics"])


class TopItemRead(Read):
    """One of the most. `value` names it; `id` and `name` are an account's. `share` is of all mentions of the range,
    `previous` the count in as long a range before, `change` what came on top by that, null where it is none.
    `net_sentiment` lies between `low` and `high` with 95 % confidence. `score` is a rising phrase's z-score."""

    value: str
    id: IdentityRef | None
    name: str | None
    mentions: int
    share: float
    engagement: int
    net_sentiment: float | None
    low: float | None
    high: float | None
    previous: int
    change: float | None
    score: float | None


class TopRead(Read):
    """The most of one kind, of all `mentions` of the range and `previous` before it. `sampled`: there were more texts
    than are read for phrases, and the counts are of those that were read."""

    what: TopKind
    data: list[TopItemRead]
    mentions: int
    previous: int
    sampled: bool
    definition: str
    fresh_at: datetime


@router.get("/{what}", summary="Who spoke most, where, of what, with what intent, and which phrases rise")
async def get_top(
    call: Calling,
    scope: InBrand,
    what: Annotated[TopKind, Path()],
    where: Where,
    from_: Annotated[Moment, Query(alias="from", description="Inclusive.")],
    to: Annotated[Moment, Query(description="Exclusive; 90 days at most.")],
    limit: Annotated[
        int, Query(description=f"How many, 1 to {MOST}.", json_schema_extra={"minimum": 1, "maximum": MOST})
    ] = 10,
) -> TopRead:
    now = call.services.clock()
    found = await tops.of(call.session, scope, what=what, since=from_, until=to, first=limit, where=where, now=now)
    return TopRead(
        what=found.what,
        data=[TopItemRead(**{name: getattr(one, name) for name in TopItemRead.model_fields}) for one in found.items],
        mentions=found.mentions,
        previous=found.previous,
        sampled=found.sampled,
        definition=found.definition,
        fresh_at=found.fresh_at,
    )
