"""Long work that may be watched and called off."""

from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.channel import Channel
from services.api.schema.connection import Info, Node, public_id
from services.api.schema.network_search import NetworkSearch, of_recall
from services.api.schema.outgoing import Problem
from services.api.schema.saved_query import SavedQuery
from shared import models
from shared.domain.listening import backfills
from shared.ids import Prefix
from shared.models.enums import OperationKind, OperationStatus, RecallOver

Root = strawberry.Parent[models.Operation]


@strawberry.type(description="How far it is, for programs and in words; everything since `reachedAt` is done.")
class OperationProgress:
    arrivals: int
    pages: int
    mentions: int
    matches: int
    changed: int
    reached_at: datetime | None
    message: str


@strawberry.type(description="What came of it; `reachedAt` is later than what was asked for where no more is shown.")
class OperationResult:
    arrivals: int
    mentions: int
    matches: int
    changed: int
    reached_at: datetime | None


def _progress(root: Root) -> Any:
    return OperationProgress(**backfills.progress(root))


def _result(root: Root) -> Any:
    return _came_to(root) if root.is_over else None


def _came_to(root: models.Operation) -> OperationResult:
    return OperationResult(
        arrivals=root.arrivals,
        mentions=root.mentions,
        matches=root.matches,
        changed=root.changed,
        reached_at=root.reached_at,
    )


def _problem(root: Root) -> Any:
    if root.problem is None:
        return None
    return Problem(code=root.problem["code"], message=root.problem["message"], path=[])


async def _channel(root: Root, info: Info) -> Any:
    return await loaders.channel(info.context, root.brand_id, root.channel_id) if root.channel_id else None


async def _query(root: Root, info: Info) -> Any:
    return await loaders.saved_query(info.context, root.brand_id, root.query_id) if root.query_id else None


@strawberry.type(description="One long work. `result` is there once it is over, `problem` where it failed.")
class Operation(Node):
    id: strawberry.ID = public_id(Prefix.OPERATION)
    kind: OperationKind
    status: OperationStatus
    channel: Channel | None = strawberry.field(resolver=_channel)
    saved_query: SavedQuery | None = strawberry.field(resolver=_query)
    since: datetime
    progress: OperationProgress = strawberry.field(resolver=_progress)
    result: OperationResult | None = strawberry.field(resolver=_result)
    problem: Problem | None = strawberry.field(resolver=_problem)
    over: list[RecallOver] = strawberry.field(description="What a recall goes over.")
    searches: list[NetworkSearch] = strawberry.field(resolver=of_recall, description="Those of a recall over networks.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Operation)
