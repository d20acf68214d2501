"""What the brand has to say."""

from datetime import date, datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.approval import Approval, Review, remarks, review, verdicts
from services.api.schema.campaign import Campaign
from services.api.schema.channel import Channel
from services.api.schema.connection import Info, Node, public_id
from services.api.schema.media import shown
from services.api.schema.mention import Media, Mention
from services.api.schema.outgoing import Outgoing, Problem, problem_of
from shared import models
from shared.ids import Prefix, typeid
from shared.models.base import JsonList
from shared.models.enums import PostStatus, VariantStatus


async def _channel(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return await loaders.channel(info.context, root.brand_id, root.channel_id)


async def _text(root: strawberry.Parent[models.Variant], info: Info) -> str:
    if root.text is not None:
        return root.text
    post = await loaders.post(info.context, root.brand_id, root.post_id)
    return post.text if post is not None else ""


async def _items(root: models.Variant, info: Info) -> JsonList:
    if root.media is not None:
        return root.media
    post = await loaders.post(info.context, root.brand_id, root.post_id)
    return post.media if post is not None else []


async def _media(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return await shown(info, root.brand_id, await _items(root, info))


async def _media_ids(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return _public(await _items(root, info))


def _public(items: JsonList) -> list[strawberry.ID]:
    return [strawberry.ID(item["media_id"]) for item in items if "media_id" in item]


async def _link(root: strawberry.Parent[models.Variant], info: Info) -> str | None:
    if root.link is not None:
        return root.link
    post = await loaders.post(info.context, root.brand_id, root.post_id)
    return post.link if post is not None else None


@strawberry.type(description="What follows in the same thread.")
class Part:
    text: str
    media: list[Media]
    media_ids: list[strawberry.ID]


async def _parts(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return [
        Part(text=part["text"], media=await shown(info, root.brand_id, items), media_ids=_public(items))
        for part in root.parts
        for items in (part.get("media") or [],)
    ]


def _problems(root: strawberry.Parent[models.Variant]) -> Any:
    return [problem_of(found) for found in root.problems]


async def _outgoing(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return await loaders.outgoings(info.context, root.brand_id, root.id)


async def _shown_as(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return await loaders.shown(info.context, root.brand_id, root.id)


async def _edited_at(root: strawberry.Parent[models.Variant], info: Info) -> datetime | None:
    found = await loaders.shown(info.context, root.brand_id, root.id)
    return found.edited_at if found is not None else None


async def _removed_at(root: strawberry.Parent[models.Variant], info: Info) -> datetime | None:
    found = await loaders.shown(info.context, root.brand_id, root.id)
    return found.deleted_at if found is not None else None


async def _figures(root: strawberry.Parent[models.Variant], info: Info) -> Any:
    return await loaders.figures_of(info.context, root.brand_id, root.id)


@strawberry.type(description="What the network counted, by its last count of an hour; null: it did not say.")
class Figure:
    hour: datetime
    counted_at: datetime
    likes: int | None
    replies: int | None
    shares: int | None
    views: int | None


@strawberry.type(description="A post's form for one channel.")
class Variant:
    id: strawberry.ID = public_id(Prefix.VARIANT)
    channel: Channel = strawberry.field(resolver=_channel)
    status: VariantStatus
    text: str = strawberry.field(resolver=_text)
    media: list[Media] = strawberry.field(resolver=_media)
    media_ids: list[strawberry.ID] = strawberry.field(
        resolver=_media_ids, description="Those of its media that are the brand's own."
    )
    link: str | None = strawberry.field(resolver=_link)
    first_comment: str | None
    parts: list[Part] = strawberry.field(resolver=_parts)
    audience: str | None
    external_id: str | None
    url: str | None
    published_at: datetime | None
    mention: Mention | None = strawberry.field(resolver=_shown_as, description="The post as its network shows it.")
    edited_at: datetime | None = strawberry.field(resolver=_edited_at, description="Changed on the network.")
    removed_at: datetime | None = strawberry.field(resolver=_removed_at, description="Taken down on the network.")
    figures: list[Figure] = strawberry.field(resolver=_figures)
    problems: list[Problem] = strawberry.field(resolver=_problems)
    outgoing: list[Outgoing] = strawberry.field(resolver=_outgoing)


async def _approvals(root: strawberry.Parent[models.Post], info: Info) -> Any:
    return verdicts(await loaders.said(info.context, root.brand_id, root.id))


async def _comments(root: strawberry.Parent[models.Post], info: Info) -> Any:
    return remarks(await loaders.said(info.context, root.brand_id, root.id))


async def _review(root: strawberry.Parent[models.Post], info: Info) -> Any:
    stands = await loaders.standing(info.context, root)
    return review(stands) if stands is not None else None


async def _post_media(root: strawberry.Parent[models.Post], info: Info) -> Any:
    return await shown(info, root.brand_id, root.media)


def _post_media_ids(root: strawberry.Parent[models.Post]) -> Any:
    return _public(root.media)


async def _warnings(root: strawberry.Parent[models.Post], info: Info) -> Any:
    found = await loaders.warnings(info.context, root)
    return [
        PostWarning(
            code=one.code,
            message=one.message,
            path=[str(part) for part in one.path],
            post_id=strawberry.ID(typeid(Prefix.POST, one.post_id)) if one.post_id is not None else None,
        )
        for one in found
    ]


@strawberry.type(description="Worth a second look; nothing is refused for it. `postId` is the other post.")
class PostWarning:
    code: str
    message: str
    path: list[str]
    post_id: strawberry.ID | None


async def _campaign(root: strawberry.Parent[models.Post], info: Info) -> Any:
    return await loaders.campaign(info.context, root.brand_id, root.campaign_id) if root.campaign_id else None


async def _variants(root: strawberry.Parent[models.Post], info: Info) -> Any:
    return await loaders.variants(info.context, root.brand_id, root.id)


def _slot_id(root: strawberry.Parent[models.Post]) -> strawberry.ID | None:
    return strawberry.ID(typeid(Prefix.SLOT, root.slot_id)) if root.slot_id is not None else None


def _recurrence_id(root: strawberry.Parent[models.Post]) -> strawberry.ID | None:
    return strawberry.ID(typeid(Prefix.RECURRENCE, root.recurrence_id)) if root.recurrence_id is not None else None


@strawberry.type(
    description="Content we author. `scheduledAt` is the moment; `localTime` and `timezone` what was meant."
)
class Post(Node):
    id: strawberry.ID = public_id(Prefix.POST)
    status: PostStatus
    text: str
    media: list[Media] = strawberry.field(resolver=_post_media)
    media_ids: list[strawberry.ID] = strawberry.field(
        resolver=_post_media_ids, description="Those of its media that are the brand's own."
    )
    link: str | None
    campaign: Campaign | None = strawberry.field(resolver=_campaign)
    scheduled_at: datetime | None
    local_time: str | None
    timezone: str | None
    slot_id: strawberry.ID | None = strawberry.field(resolver=_slot_id)
    recurrence_id: strawberry.ID | None = strawberry.field(resolver=_recurrence_id)
    occurs_on: date | None
    variants: list[Variant] = strawberry.field(resolver=_variants)
    review: Review | None = strawberry.field(resolver=_review, description="Null of a post that is deleted.")
    approvals: list[Approval] = strawberry.field(resolver=_approvals)
    comments: list[Approval] = strawberry.field(resolver=_comments)
    warnings: list[PostWarning] = strawberry.field(resolver=_warnings)
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Post)
