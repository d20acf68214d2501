"""Share of voice."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import QueryRef
from services.api.rest.mentions import Where
from services.api.rest.shapes import ListRead, Moment, Read, whole
from shared.domain.insight import shares
from shared.domain.insight.shares import Share
from shared.models.enums import QueryGroup

router = APIRouter(prefix="/v1/brands/{brand_id}/share-of-voice", route_class=TransactedRoute, tags=["metrics"])


class ShareRead(Read):
    """What a query matched of the `matched` mentions that any query did; `share` is `mentions` of `matched`, null of
    none, and `low` and `high` bound it with 95 % confidence. A mention that two queries matched counts for both, and
    once in `matched`. `complete`: all channels were observed all the time."""

    query_id: QueryRef
    name: str
    group: QueryGroup
    mentions: int
    matched: int
    share: float | None
    low: float | None
    high: float | None
    complete: bool


class ShareList(ListRead[ShareRead]):
    pass


def _read(share: Share) -> ShareRead:
    return ShareRead(
        query_id=share.query.id,
        name=share.query.name,
        group=share.query.group,
        mentions=share.mentions,
        matched=share.matched,
        share=share.share,
        low=share.low,
        high=share.high,
        complete=share.complete,
    )


@router.get("", response_model=ShareList, summary="What each query matched of all that any query did")
async def get_share_of_voice(
    call: Calling,
    scope: InBrand,
    where: Where,
    from_: Annotated[Moment, Query(alias="from", description="Inclusive.")],
    to: Annotated[Moment, Query(description="Exclusive.")],
) -> dict[str, Any]:
    now = call.services.clock()
    found = await shares.of_voice(call.session, scope, since=from_, until=to, where=where, now=now)
    return whole([_read(share) for share in found])
