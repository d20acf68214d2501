"""What a recall asks of networks."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from services.api import loaders
from services.api.schema.channel import Channel
from services.api.schema.connection import Info
from services.api.schema.outgoing import Problem
from shared import models
from shared.domain.listening.searches import Search, SearchEnd
from shared.ids import Prefix, typeid
from shared.models.enums import Network, OperationStatus


@strawberry.type(description="The words and phrases that must all stand in what is brought, and what came of it.")
class SearchRequest:
    words: list[str]
    pages: int
    brought: int
    reached_at: datetime | None
    ended: SearchEnd | None


@strawberry.type(description="The search of a network for a recall, by the login of `channel`.")
class NetworkSearch:
    id: strawberry.ID
    network: Network
    status: OperationStatus
    requests: list[SearchRequest]
    left_out: list[str] = strawberry.field(description="What of the query could not be asked for.")
    pages: int
    brought: int
    reached_at: datetime | None
    problem: Problem | None
    asked_by: strawberry.Private[tuple[UUID, UUID | None]]

    @strawberry.field
    async def channel(self, info: Info) -> Channel | None:
        brand_id, channel_id = self.asked_by
        found: Any = await loaders.channel(info.context, brand_id, channel_id) if channel_id else None
        return found  # type: ignore[no-any-return]


async def of_recall(root: strawberry.Parent[models.Operation], info: Info) -> Any:
    return [_shown(one) for one in await loaders.searches(info.context, root.brand_id, root.id)]


def _shown(one: Search) -> NetworkSearch:
    own = one.operation
    problem = own.problem
    return NetworkSearch(
        id=strawberry.ID(typeid(Prefix.OPERATION, own.id)),
        network=one.network,
        status=own.status,
        requests=[
            SearchRequest(**{**request, "ended": SearchEnd(request["ended"]) if request["ended"] else None})
            for request in one.requests
        ],
        left_out=one.left_out,
        pages=own.pages,
        brought=own.mentions,
        reached_at=own.reached_at,
        problem=None if problem is None else Problem(code=problem["code"], message=problem["message"], path=[]),
        asked_by=(own.brand_id, own.channel_id),
    )
