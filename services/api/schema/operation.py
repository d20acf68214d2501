"""Long work that may be watched and called off."""

from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.channel import Channel
from services.api.schema.connection import Info, Node, public_id
from services.api.schema.outgoing import Problem
from shared import models
from shared.domain.listening import backfills
from shared.ids import Prefix
from shared.models.enums import OperationKind, OperationStatus

Root = strawberry.Parent[models.Operation]


@strawberry.type(
    description="How far it is, for programs and in words; everything since `reachedAt` has been brought. `mentions`"
    " were read anew, `changed` of them otherwise than before."
)
class OperationProgress:
    arrivals: int
    pages: int
    reached_at: datetime | None
    mentions: int
    changed: int
    message: str


@strawberry.type(description="What came of it; `reachedAt` is later than what was asked for where no more is shown.")
class OperationResult:
    arrivals: int
    reached_at: datetime | None
    mentions: int
    changed: int


def _progress(root: Root) -> Any:
    return OperationProgress(**backfills.progress(root))


def _result(root: Root) -> Any:
    if not root.is_over:
        return None
    return OperationResult(
        arrivals=root.arrivals, reached_at=root.reached_at, mentions=root.mentions, changed=root.changed
    )


def _problem(root: Root) -> Any:
    if root.problem is None:
        return None
    return Problem(code=root.problem["code"], message=root.problem["message"], path=[])


async def _channel(root: Root, info: Info) -> Any:
    return await loaders.channel(info.context, root.brand_id, root.channel_id)


@strawberry.type(description="One long work. `result` is there once it is over, `problem` where it failed.")
class Operation(Node):
    id: strawberry.ID = public_id(Prefix.OPERATION)
    kind: OperationKind
    status: OperationStatus
    channel: Channel | None = strawberry.field(resolver=_channel)
    since: datetime
    progress: OperationProgress = strawberry.field(resolver=_progress)
    result: OperationResult | None = strawberry.field(resolver=_result)
    problem: Problem | None = strawberry.field(resolver=_problem)
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Operation)
