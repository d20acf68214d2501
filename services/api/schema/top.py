"""What stands out in a range."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from services.api.schema.connection import Info
from services.api.schema.mention import MentionFilter
from shared import models
from shared.domain.insight import tops
from shared.ids import Prefix, typeid
from shared.models.enums import TopKind

MOST = 10


def _id(root: strawberry.Parent[tops.TopItem]) -> strawberry.ID | None:
    return strawberry.ID(typeid(Prefix.IDENTITY, root.id)) if root.id is not None else None


@strawberry.type(
    description="One of the most. `value` names it; `id` and `name` are an account's. `share` is of all mentions of the"
    " range, `previous` the count in as long a range before, `change` what came on top by that, null where it is none."
    " `netSentiment` lies between `low` and `high` with 95 % confidence. `score` is a rising phrase's z-score."
)
class TopItem:
    value: str
    id: strawberry.ID | None = strawberry.field(resolver=_id)
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


@strawberry.type(
    description="The most of one kind, of all `mentions` of the range and `previous` before it. `sampled`: there were"
    " more texts than are read for phrases, and the counts are of those that were read."
)
class Top:
    what: TopKind
    items: list[TopItem]
    mentions: int
    previous: int
    sampled: bool
    definition: str
    fresh_at: datetime


async def most(
    root: strawberry.Parent[models.Brand],
    info: Info,
    what: TopKind,
    from_: Annotated[datetime, strawberry.argument(name="from")],
    to: datetime,
    first: int | None = MOST,
    where: MentionFilter | None = UNSET,
) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return await tops.of(
            session,
            scope,
            what=what,
            since=from_,
            until=to,
            first=MOST if first is None else first,
            where=where.read() if where else None,
            now=info.context.services.clock(),
        )
