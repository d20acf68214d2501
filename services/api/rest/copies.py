"""Who says the same as a mention."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.api.rest import identities as identity_shapes
from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.identities import IdentityRead
from services.api.rest.ids import MentionPath, MentionRef
from services.api.rest.mentions import MentionRead, listing
from services.api.rest.shapes import ListRead, Paging, Read
from shared.domain.listening import clusters, identities, mentions
from shared.models.enums import Interval, Network

router = APIRouter(prefix="/v1/brands/{brand_id}/mentions", route_class=TransactedRoute, tags=["mentions"])


class CopyBurstRead(Read):
    """How many were published in the hour or day that begins at `start`."""

    start: datetime
    count: int


class CopyNetworkRead(Read):
    """How many a network carries."""

    network: Network
    count: int


class CopyAuthorRead(Read):
    """How many somebody said."""

    author: IdentityRead
    count: int


class CopyCluster(ListRead[MentionRead]):
    """An original and its copies; `data` is a page of them, the original first.

    `spread` is by `interval`, hour or day of the brand's zone, without the empty ones; `authors` are the ten that said
    it most often, of `author_count`.
    """

    original_id: MentionRef
    count: int
    first_at: datetime
    last_at: datetime
    interval: Interval
    spread: list[CopyBurstRead]
    networks: list[CopyNetworkRead]
    author_count: int
    authors: list[CopyAuthorRead]


@router.get(
    "/{mention_id}/copies", response_model=CopyCluster, summary="All that say the same as a mention, itself among them"
)
async def list_mention_copies(call: Calling, scope: InBrand, mention_id: MentionPath, page: Paging) -> dict[str, Any]:
    mention = await mentions.get(call.session, scope, mention_id)
    cluster = await clusters.of(call.session, scope, mention)
    found = await clusters.page_of(call.session, scope, mention, page=page, cursors=call.services.cursors)
    named = await identities.by_ids(call.session, scope, [one.author_id for one in cluster.authors])
    return {
        **await listing(call, scope, found),
        "original_id": cluster.original.id,
        "count": cluster.count,
        "first_at": cluster.first_at,
        "last_at": cluster.last_at,
        "interval": cluster.interval,
        "spread": [CopyBurstRead(start=one.start, count=one.count) for one in cluster.spread],
        "networks": [CopyNetworkRead(network=one.network, count=one.count) for one in cluster.networks],
        "author_count": cluster.author_count,
        "authors": [
            CopyAuthorRead(author=identity_shapes.read(named[one.author_id]), count=one.count)
            for one in cluster.authors
            if one.author_id in named
        ],
    }
