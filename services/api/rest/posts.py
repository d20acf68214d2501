"""What a brand has to say, and how it is brought to its channels."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi import Body as FromBody

from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, meant, require_version
from services.api.rest.forms import FigureRead, WarningRead
from services.api.rest.ids import (
    CampaignRef,
    ChannelRef,
    MediaRef,
    MentionRef,
    PostPath,
    PostRef,
    RecurrenceRef,
    SlotRef,
    UserRef,
    VariantRef,
)
from services.api.rest.mentions import MediaRead
from services.api.rest.outgoing import OutgoingRead, outgoing_read
from services.api.rest.pictured import PartRead, Pictured, part_read, pictures
from services.api.rest.shapes import ListRead, Moment, Paging, Read, whole
from shared.connectors.registry import CARDS
from shared.domain.publishing import cautions, figures, posts
from shared.domain.publishing.drafts import Planning
from shared.domain.publishing.fitting import link_of, media_of
from shared.domain.publishing.library import naming
from shared.domain.publishing.posts import PostChanges, PostDraft, PostFilter
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.base import JsonList
from shared.models.enums import PostStatus, VariantStatus
from shared.models.mention import Mention
from shared.models.post import Outgoing, Post, Variant
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/posts", route_class=TransactedRoute, tags=["posts"])


class VariantRead(Read):
    """The post's form for one channel; `text` and `media` are what is sent there, `media_ids` those that are ours.

    `mention_id` is the post as its network shows it; it was changed there at `edited_at`, taken down at `removed_at`.
    """

    id: VariantRef
    channel_id: ChannelRef
    status: VariantStatus
    text: str
    media: list[MediaRead]
    media_ids: list[MediaRef]
    link: str | None
    first_comment: str | None
    parts: list[PartRead]
    audience: str | None
    external_id: str | None
    url: str | None
    published_at: datetime | None
    mention_id: MentionRef | None
    edited_at: datetime | None
    removed_at: datetime | None
    problems: JsonList
    outgoing: list[OutgoingRead]


class PostRead(Read):
    """Content we author. `local_time` and `timezone` are what the person meant by `scheduled_at`.

    `slot_id`: it stands in an occurrence of this slot. `recurrence_id`, `occurs_on`: which occurrence it is.
    """

    id: PostRef
    status: PostStatus
    text: str
    media: list[MediaRead]
    media_ids: list[MediaRef]
    link: str | None
    campaign_id: CampaignRef | None
    scheduled_at: datetime | None
    local_time: str | None
    timezone: str | None
    slot_id: SlotRef | None
    recurrence_id: RecurrenceRef | None
    occurs_on: date | None
    variants: list[VariantRead]
    warnings: list[WarningRead]
    created_by: UserRef | None
    created_at: datetime
    updated_at: datetime
    version: int


class VariantFigures(Read):
    """A variant's figures, in the order of time; empty where nothing was counted."""

    variant_id: VariantRef
    channel_id: ChannelRef
    points: list[FigureRead]


class PostFigures(ListRead[VariantFigures]):
    pass


class PostList(ListRead[PostRead]):
    pass


def _variant(
    row: Variant, post: Post, effects: Sequence[Outgoing], shown: Mention | None, pictured: Pictured
) -> VariantRead:
    return VariantRead(
        id=row.id,
        channel_id=row.channel_id,
        status=row.status,
        text=row.text if row.text is not None else post.text,
        media=pictured(media_of(post, row)),
        media_ids=naming.ids_of(media_of(post, row)),
        link=link_of(post, row),
        first_comment=row.first_comment,
        parts=[part_read(part, pictured) for part in row.parts],
        audience=row.audience,
        external_id=row.external_id,
        url=row.url,
        published_at=row.published_at,
        mention_id=shown.id if shown is not None else None,
        edited_at=shown.edited_at if shown is not None else None,
        removed_at=shown.deleted_at if shown is not None else None,
        problems=row.problems,
        outgoing=[outgoing_read(effect) for effect in effects],
    )


async def read_all(call: Call, scope: Scope, found: Sequence[Post]) -> list[PostRead]:
    variants = await posts.variants_of(call.session, scope, [post.id for post in found])
    ids = [variant.id for rows in variants.values() for variant in rows]
    effects = await posts.outgoing_of(call.session, scope, ids)
    lists = [items for post in found for items in naming.lists_of(post, variants.get(post.id, []))]
    pictured = await pictures(call, scope, lists)
    shown = await figures.mentions_of(call.session, scope, ids)
    warned = await cautions.of_posts(call.session, scope, [(post, variants.get(post.id, [])) for post in found])
    return [
        PostRead(
            id=post.id,
            status=post.status,
            text=post.text,
            media=pictured(post.media),
            media_ids=naming.ids_of(post.media),
            link=post.link,
            campaign_id=post.campaign_id,
            scheduled_at=post.scheduled_at,
            local_time=post.local_time,
            timezone=post.timezone,
            slot_id=post.slot_id,
            recurrence_id=post.recurrence_id,
            occurs_on=post.occurs_on,
            variants=[
                _variant(row, post, effects.get(row.id, []), shown.get(row.id), pictured)
                for row in variants.get(post.id, [])
            ],
            warnings=[
                WarningRead(code=one.code, message=one.message, path=list(one.path), post_id=one.post_id)
                for one in warned.get(post.id, [])
            ],
            created_by=post.created_by,
            created_at=post.created_at,
            updated_at=post.updated_at,
            version=post.version,
        )
        for post in found
    ]


async def answer(call: Call, scope: Scope, post: Post, status: int = 200) -> Response:
    (found,) = await read_all(call, scope, [post])
    response = Response(found.model_dump_json(), status, media_type="application/json")
    if status == 201:
        brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.POST, post.id)
        response.headers["location"] = f"/v1/brands/{brand}/posts/{own}"
    return response


async def if_version(call: Call, scope: Scope, post_id: UUID, if_match: str | None) -> int | None:
    return meant(if_match, (await posts.get(call.session, scope, post_id)).version)


@router.get("", response_model=PostList, summary="Posts, the newest made first")
async def list_posts(
    call: Calling,
    scope: InBrand,
    page: Paging,
    status: Annotated[list[PostStatus] | None, Query()] = None,
    channel_id: Annotated[list[ChannelRef] | None, Query()] = None,
    campaign_id: Annotated[CampaignRef | None, Query()] = None,
    since: Annotated[Moment | None, Query(description="Scheduled at or after.")] = None,
    until: Annotated[Moment | None, Query(description="Scheduled before.")] = None,
) -> dict[str, Any]:
    where = PostFilter(
        statuses=tuple(status or ()),
        channel_ids=tuple(channel_id or ()),
        campaign_id=campaign_id,
        since=since,
        until=until,
    )
    found = await posts.search(call.session, scope, where=where, page=page, cursors=call.services.cursors)
    data = await read_all(call, scope, found.items)
    return {"data": data, "next_cursor": found.next_cursor, "has_more": found.has_more}


@router.post("", status_code=201, response_model=PostRead, summary="Write a post; with a time or slot it goes out then")
async def create_post(call: Calling, scope: InBrand, body: Annotated[PostDraft, FromBody()]) -> Response:
    post = await posts.create(call.session, scope, draft=body, cards=CARDS, now=call.services.clock())
    call.ring(SendOutgoing())
    return await answer(call, scope, post, 201)


@router.get("/{post_id}", response_model=PostRead, summary="One post, with its variants and what was sent")
async def get_post(call: Calling, scope: InBrand, post_id: PostPath) -> Response:
    return await answer(call, scope, await posts.get(call.session, scope, post_id))


@router.get("/{post_id}/figures", response_model=PostFigures, summary="What its networks counted, from hour to hour")
async def get_post_figures(call: Calling, scope: InBrand, post_id: PostPath) -> dict[str, Any]:
    post = await posts.get(call.session, scope, post_id)
    variants = (await posts.variants_of(call.session, scope, [post.id])).get(post.id, [])
    found = await figures.of_variants(call.session, scope, [variant.id for variant in variants])
    names = FigureRead.model_fields
    return whole(
        [
            VariantFigures(
                variant_id=variant.id,
                channel_id=variant.channel_id,
                points=[
                    FigureRead(**{name: getattr(one, name) for name in names}) for one in found.get(variant.id, [])
                ],
            )
            for variant in variants
        ]
    )


@router.patch("/{post_id}", response_model=PostRead, summary="Change a post that has not begun to go out")
async def update_post(
    call: Calling,
    scope: InBrand,
    post_id: PostPath,
    body: Annotated[PostChanges, FromBody()],
    if_match: IfMatch = None,
) -> Response:
    current = (await posts.get(call.session, scope, post_id)).version
    require_version(if_match, current)
    post = await posts.update(
        call.session, scope, post_id, changes=body, cards=CARDS, now=call.services.clock(), if_version=current
    )
    call.ring(SendOutgoing())
    return await answer(call, scope, post)


@router.delete("/{post_id}", status_code=204, response_class=Response, summary="Let go of a post that never went out")
async def delete_post(call: Calling, scope: InBrand, post_id: PostPath, if_match: IfMatch = None) -> None:
    version = await if_version(call, scope, post_id, if_match)
    await posts.delete(call.session, scope, post_id, now=call.services.clock(), if_version=version)


@router.post("/{post_id}/publish", response_model=PostRead, summary="Let a post go out now")
async def publish_post(call: Calling, scope: InBrand, post_id: PostPath, if_match: IfMatch = None) -> Response:
    version = await if_version(call, scope, post_id, if_match)
    post = await posts.publish(call.session, scope, post_id, cards=CARDS, now=call.services.clock(), if_version=version)
    call.ring(SendOutgoing())
    return await answer(call, scope, post)


@router.post("/{post_id}/schedule", response_model=PostRead, summary="Let a post go out at a time, or in a slot")
async def schedule_post(
    call: Calling, scope: InBrand, post_id: PostPath, body: Annotated[Planning, FromBody()], if_match: IfMatch = None
) -> Response:
    current = (await posts.get(call.session, scope, post_id)).version
    require_version(if_match, current)
    post = await posts.schedule(
        call.session,
        scope,
        post_id,
        at=body.scheduled_at,
        local_time=body.local_time,
        timezone=body.timezone,
        slot=body.slot,
        cards=CARDS,
        now=call.services.clock(),
        if_version=current,
    )
    call.ring(SendOutgoing())
    return await answer(call, scope, post)


@router.post("/{post_id}/cancel", response_model=PostRead, summary="Take a post back: what has not left us never does")
async def cancel_post(call: Calling, scope: InBrand, post_id: PostPath, if_match: IfMatch = None) -> Response:
    version = await if_version(call, scope, post_id, if_match)
    post = await posts.cancel(call.session, scope, post_id, now=call.services.clock(), if_version=version)
    return await answer(call, scope, post)
