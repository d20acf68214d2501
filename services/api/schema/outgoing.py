"""Effects on networks that must happen once, and what is wrong with things."""

from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.channel import Channel
from services.api.schema.connection import Info, Node, public_id
from services.api.schema.mention import Mention
from shared import models
from shared.domain.publishing.sending import stories
from shared.ids import Prefix
from shared.models.enums import OutgoingKind, OutgoingState


@strawberry.type(description="One thing that is wrong or worth knowing, and where: keys and indexes, outermost first.")
class Problem:
    code: str
    message: str
    path: list[str]


def problem_of(found: dict[str, Any]) -> Problem:
    return Problem(code=found["code"], message=found["message"], path=[str(part) for part in found.get("path") or ()])


def _problem(root: strawberry.Parent[models.Outgoing]) -> Any:
    return problem_of(root.problem) if root.problem else None


async def _channel(root: strawberry.Parent[models.Outgoing], info: Info) -> Any:
    return await loaders.channel(info.context, root.brand_id, root.channel_id)


async def _mention(root: strawberry.Parent[models.Outgoing], info: Info) -> Any:
    return await loaders.mention(info.context, root.brand_id, root.mention_id) if root.mention_id else None


async def _attempts(root: strawberry.Parent[models.Outgoing], info: Info) -> Any:
    return await loaders.attempts(info.context, root.brand_id, root.id)


def _text(root: strawberry.Parent[models.Outgoing]) -> str:
    return str(root.payload.get("text", ""))


def _said(root: strawberry.Parent[models.Outgoing], info: Info) -> str:
    return stories.said_of(root, info.context.services.clock())


def _ways_out(root: strawberry.Parent[models.Outgoing]) -> list[str]:
    return stories.ways_out(root)


@strawberry.type(description="One try, committed before the network was called. `outcome` null: never heard of again.")
class Attempt:
    id: strawberry.ID = public_id(Prefix.ATTEMPT)
    number: int
    step: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    message: str | None


@strawberry.type(description="One effect on a network that must happen once, and its whole story.")
class Outgoing(Node):
    id: strawberry.ID = public_id(Prefix.OUTGOING)
    kind: OutgoingKind
    state: OutgoingState
    channel: Channel = strawberry.field(resolver=_channel)
    mention: Mention | None = strawberry.field(resolver=_mention, description="What it answers or acts on.")
    text: str = strawberry.field(resolver=_text)
    due_at: datetime
    tries: int
    first_attempt_at: datetime | None
    external_id: str | None
    url: str | None
    problem: Problem | None = strawberry.field(resolver=_problem)
    settled_at: datetime | None
    created_at: datetime
    said: str = strawberry.field(resolver=_said, description="Where it stands, in a sentence.")
    ways_out: list[str] = strawberry.field(resolver=_ways_out, description="What a person can do about it now.")
    attempts: list[Attempt] = strawberry.field(resolver=_attempts)

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Outgoing)
