"""Share of voice."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from services.api.schema.connection import Info
from services.api.schema.mention import MentionFilter
from services.api.schema.saved_query import SavedQuery
from shared import models
from shared.domain.insight import shares as domain


@strawberry.type(
    description="What a query matched of the `matched` mentions that any query did; `share` is `mentions` of `matched`,"
    " null of none, and `low` and `high` bound it with 95 % confidence. A mention that two queries matched counts for"
    " both, and once in `matched`. `complete`: all channels were observed all the time."
)
class Share:
    query: SavedQuery
    mentions: int
    matched: int
    share: float | None
    low: float | None
    high: float | None
    complete: bool


async def shares(
    root: strawberry.Parent[models.Brand],
    info: Info,
    from_: Annotated[datetime, strawberry.argument(name="from")],
    to: datetime,
    where: MentionFilter | None = UNSET,
) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return await domain.of_voice(
            session,
            scope,
            since=from_,
            until=to,
            where=where.read() if where else None,
            now=info.context.services.clock(),
        )
