"""What came in, and what became of it."""

from asyncio import gather
from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.channel import Channel
from services.api.schema.connection import Info, Node, public_id
from services.api.schema.mention import Mention
from shared import models
from shared.ids import Prefix
from shared.models.enums import ArrivalState, Network


@strawberry.type(description="One thing in an arrival that was not usable: which, where in it, and why.")
class ArrivalProblem:
    index: int | None
    path: str | None
    code: str | None
    message: str


def _problems(root: strawberry.Parent[models.Arrival]) -> Any:
    return [
        ArrivalProblem(index=p.get("index"), path=p.get("path"), code=p.get("code"), message=p["message"])
        for p in root.problems
    ]


def _ignored(root: strawberry.Parent[models.Arrival]) -> Any:
    return [str(one.get("reason", "")) for one in root.ignored]


def _source(root: strawberry.Parent[models.Arrival]) -> str:
    return root.source.value


def _body(root: strawberry.Parent[models.Arrival]) -> Any:
    return root.body.decode("utf-8", "replace") if root.body is not None else None


async def _channel(root: strawberry.Parent[models.Arrival], info: Info) -> Any:
    if root.channel_id is None or root.brand_id is None:
        return None
    return await loaders.channel(info.context, root.brand_id, root.channel_id)


async def _mentions(root: strawberry.Parent[models.Arrival], info: Info) -> Any:
    if root.brand_id is None:
        return []
    brand_id = root.brand_id
    found = await gather(*(loaders.mention_by_key(info.context, brand_id, key) for key in root.mention_keys))
    return [mention for mention in found if mention is not None]


@strawberry.type(description="One raw thing received or polled, kept until its time is over.")
class Arrival(Node):
    id: strawberry.ID = public_id(Prefix.ARRIVAL)
    network: Network
    source: str = strawberry.field(resolver=_source, description="`webhook`, `poll`, `fetch` or `part`.")
    key: str
    state: ArrivalState
    channel: Channel | None = strawberry.field(resolver=_channel)
    body: str | None = strawberry.field(resolver=_body, description="The raw text; null once it is forgotten.")
    stamp: datetime
    received_at: datetime
    settled_at: datetime | None
    problems: list[ArrivalProblem] = strawberry.field(resolver=_problems)
    ignored: list[str] = strawberry.field(resolver=_ignored, description="Why parts of it were knowingly passed over.")
    mentions: list[Mention] = strawberry.field(resolver=_mentions)

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Arrival)
