"""What the brand has to say."""

from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.approval import Approval, Review, remarks, review, verdicts
from services.api.schema.channel import Channel
from services.api.schema.connection import Info, Node, public_id
from services.api.schema.mention import Media
from shared import models
from shared.ids import Prefix
from shared.models.enums import OutgoingState, PostStatus, VariantStatus


@strawberry.type(description="One thing that is wrong or worth knowing, and where: keys and indexes, outermost first.")
class Problem:
    code: str
    message: str
    path: list[str]


def problem_of(found: dict[str, Any]) -> Problem:
    return Problem(code=found["code"], message=found["message"], path=[str(part) for part in found.get("path") or ()])


def _problem(root: strawberry.Parent[models.Outgoing]) -> Any:
    return problem_of(root.problem) if root.problem else None


@strawberry.type(description="One effect on a network that must happen once.")
class Outgoing:
    id: strawberry.ID = public_id(Prefix.OUTGOING)
    state: OutgoingState
    due_at: datetime
    tries: int
    external_id: str | None
    url: str | None
    problem: Problem | None = strawberry.field(resolver=_problem)
    settled_at: datetime | None


async def _channel(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return await loaders.channel(info.context, root.brand_id, root.channel_id)


async def _text(root: strawberry.Parent[models.Variant], info: Info) -> str:
    if root.text is not None:
        return root.text
    post = await loaders.post(info.context, root.brand_id, root.post_id)
    return post.text if post is not None else ""


async def _media(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    found = root.media
    if found is None:
        post = await loaders.post(info.context, root.brand_id, root.post_id)
        found = post.media if post is not None else []
    return [Media(url=m["url"], kind=m["kind"], alt=m.get("alt")) for m in found]


def _problems(root: strawberry.Parent[models.Variant]) -> Any:
    return [problem_of(found) for found in root.problems]


async def _outgoing(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return await loaders.outgoings(info.context, root.brand_id, root.id)


@strawberry.type(description="A post's form for one channel.")
class Variant:
    id: strawberry.ID = public_id(Prefix.VARIANT)
    channel: Channel = strawberry.field(resolver=_channel)
    status: VariantStatus
    text: str = strawberry.field(resolver=_text)
    media: list[Media] = strawberry.field(resolver=_media)
    external_id: str | None
    url: str | None
    published_at: datetime | None
    problems: list[Problem] = strawberry.field(resolver=_problems)
    outgoing: list[Outgoing] = strawberry.field(resolver=_outgoing)


async def _approvals(root: strawberry.Parent[models.Post], info: Info) -> Any:
    return verdicts(await loaders.said(info.context, root.brand_id, root.id))


async def _comments(root: strawberry.Parent[models.Post], info: Info) -> Any:
    return remarks(await loaders.said(info.context, root.brand_id, root.id))


async def _review(root: strawberry.Parent[models.Post], info: Info) -> Any:
    stands = await loaders.standing(info.context, root)
    return review(stands) if stands is not None else None


async def _variants(root: strawberry.Parent[models.Post], info: Info) -> Any:
    return await loaders.variants(info.context, root.brand_id, root.id)


@strawberry.type(
    description="Content we author. `scheduledAt` is the moment; `localTime` and `timezone` what was meant."
)
class Post(Node):
    id: strawberry.ID = public_id(Prefix.POST)
    status: PostStatus
    text: str
    scheduled_at: datetime | None
    local_time: str | None
    timezone: str | None
    variants: list[Variant] = strawberry.field(resolver=_variants)
    review: Review | None = strawberry.field(resolver=_review, description="Null of a post that is deleted.")
    approvals: list[Approval] = strawberry.field(resolver=_approvals)
    comments: list[Approval] = strawberry.field(resolver=_comments)
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Post)
