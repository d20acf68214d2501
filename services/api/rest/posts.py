"""What a brand has to say, and how it is brought to its channels."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi import Body as FromBody

from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, meant, require_version
from services.api.rest.ids import ChannelRef, MediaRef, PostPath, PostRef, UserRef, VariantRef
from services.api.rest.mentions import MediaRead
from services.api.rest.outgoing import OutgoingRead, outgoing_read
from services.api.rest.shapes import ListRead, Moment, Paging, Read
from shared.connectors.registry import CARDS
from shared.domain.publishing import naming, posts
from shared.domain.publishing.drafts import Timing
from shared.domain.publishing.fitting import link_of, media_of
from shared.domain.publishing.posts import PostChanges, PostDraft, PostFilter
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.base import JsonList, JsonObject
from shared.models.enums import PostStatus, VariantStatus
from shared.models.post import Outgoing, Post, Variant
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/posts", route_class=TransactedRoute, tags=["posts"])


class PartRead(Read):
    """What follows in the same thread."""

    text: str
    media: list[MediaRead]
    media_ids: list[MediaRef]


class VariantRead(Read):
    """The post's form for one channel; `text` and `media` are what is sent there, `media_ids` those that are ours."""

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
    problems: JsonList
    outgoing: list[OutgoingRead]


class PostRead(Read):
    """Content we author. `local_time` and `timezone` are what the person meant by `scheduled_at`."""

    id: PostRef
    status: PostStatus
    text: str
    media: list[MediaRead]
    media_ids: list[MediaRef]
    link: str | None
    scheduled_at: datetime | None
    local_time: str | None
    timezone: str | None
    variants: list[VariantRead]
    created_by: UserRef | None
    created_at: datetime
    updated_at: datetime
    version: int


class PostList(ListRead[PostRead]):
    pass


Shown = Callable[[JsonList], list[MediaRead]]


async def _shown(call: Call, scope: Scope, lists: Sequence[JsonList]) -> Shown:
    """How the media of these lists are shown: where they are, and what is said of them."""
    known = await naming.known(call.session, scope, lists)
    address = call.services.addresses.at(call.services.clock())

    def shown(items: JsonList) -> list[MediaRead]:
        return [MediaRead(url=one.url, kind=one.kind, alt=one.alt) for one in known.outgoing(scope, items, address)]

    return shown


def _part(part: JsonObject, shown: Shown) -> PartRead:
    media = part.get("media") or []
    return PartRead(text=part["text"], media=shown(media), media_ids=naming.ids_of(media))


def _variant(row: Variant, post: Post, effects: Sequence[Outgoing], shown: Shown) -> VariantRead:
    return VariantRead(
        id=row.id,
        channel_id=row.channel_id,
        status=row.status,
        text=row.text if row.text is not None else post.text,
        media=shown(media_of(post, row)),
        media_ids=naming.ids_of(media_of(post, row)),
        link=link_of(post, row),
        first_comment=row.first_comment,
        parts=[_part(part, shown) for part in row.parts],
        audience=row.audience,
        external_id=row.external_id,
        url=row.url,
        published_at=row.published_at,
        problems=row.problems,
        outgoing=[outgoing_read(effect) for effect in effects],
    )


async def _read(call: Call, scope: Scope, found: Sequence[Post]) -> list[PostRead]:
    variants = await posts.variants_of(call.session, scope, [post.id for post in found])
    ids = [variant.id for rows in variants.values() for variant in rows]
    effects = await posts.outgoing_of(call.session, scope, ids)
    lists = [items for post in found for items in naming.lists_of(post, variants.get(post.id, []))]
    shown = await _shown(call, scope, lists)
    return [
        PostRead(
            id=post.id,
            status=post.status,
            text=post.text,
            media=shown(post.media),
            media_ids=naming.ids_of(post.media),
            link=post.link,
            scheduled_at=post.scheduled_at,
            local_time=post.local_time,
            timezone=post.timezone,
            variants=[_variant(row, post, effects.get(row.id, []), shown) for row in variants.get(post.id, [])],
            created_by=post.created_by,
            created_at=post.created_at,
            updated_at=post.updated_at,
            version=post.version,
        )
        for post in found
    ]


async def _answer(call: Call, scope: Scope, post: Post, status: int = 200) -> Response:
    (found,) = await _read(call, scope, [post])
    response = Response(found.model_dump_json(), status, media_type="application/json")
    if status == 201:
        brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.POST, post.id)
        response.headers["location"] = f"/v1/brands/{brand}/posts/{own}"
    return response


async def _if_version(call: Call, scope: Scope, post_id: UUID, if_match: str | None) -> int | None:
    return meant(if_match, (await posts.get(call.session, scope, post_id)).version)


@router.get("", response_model=PostList, summary="Posts, the newest made first")
async def list_posts(
    call: Calling,
    scope: InBrand,
    page: Paging,
    status: Annotated[list[PostStatus] | None, Query()] = None,
    channel_id: Annotated[list[ChannelRef] | None, Query()] = None,
    since: Annotated[Moment | None, Query(description="Scheduled at or after.")] = None,
    until: Annotated[Moment | None, Query(description="Scheduled before.")] = None,
) -> dict[str, Any]:
    where = PostFilter(statuses=tuple(status or ()), channel_ids=tuple(channel_id or ()), since=since, until=until)
    found = await posts.search(call.session, scope, where=where, page=page, cursors=call.services.cursors)
    data = await _read(call, scope, found.items)
    return {"data": data, "next_cursor": found.next_cursor, "has_more": found.has_more}


@router.post("", status_code=201, response_model=PostRead, summary="Write a post; with a time it goes out then")
async def create_post(call: Calling, scope: InBrand, body: Annotated[PostDraft, FromBody()]) -> Response:
    post = await posts.create(call.session, scope, draft=body, cards=CARDS, now=call.services.clock())
    call.ring(SendOutgoing())
    return await _answer(call, scope, post, 201)


@router.get("/{post_id}", response_model=PostRead, summary="One post, with its variants and what was sent")
async def get_post(call: Calling, scope: InBrand, post_id: PostPath) -> Response:
    return await _answer(call, scope, await posts.get(call.session, scope, post_id))


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
    return await _answer(call, scope, post)


@router.delete("/{post_id}", status_code=204, response_class=Response, summary="Let go of a post that never went out")
async def delete_post(call: Calling, scope: InBrand, post_id: PostPath, if_match: IfMatch = None) -> None:
    version = await _if_version(call, scope, post_id, if_match)
    await posts.delete(call.session, scope, post_id, now=call.services.clock(), if_version=version)


@router.post("/{post_id}/publish", response_model=PostRead, summary="Let a post go out now")
async def publish_post(call: Calling, scope: InBrand, post_id: PostPath, if_match: IfMatch = None) -> Response:
    version = await _if_version(call, scope, post_id, if_match)
    post = await posts.publish(call.session, scope, post_id, cards=CARDS, now=call.services.clock(), if_version=version)
    call.ring(SendOutgoing())
    return await _answer(call, scope, post)


@router.post("/{post_id}/schedule", response_model=PostRead, summary="Let a post go out at a time")
async def schedule_post(
    call: Calling, scope: InBrand, post_id: PostPath, body: Annotated[Timing, FromBody()], if_match: IfMatch = None
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
        cards=CARDS,
        now=call.services.clock(),
        if_version=current,
    )
    call.ring(SendOutgoing())
    return await _answer(call, scope, post)


@router.post("/{post_id}/cancel", response_model=PostRead, summary="Take a post back: what has not left us never does")
async def cancel_post(call: Calling, scope: InBrand, post_id: PostPath, if_match: IfMatch = None) -> Response:
    version = await _if_version(call, scope, post_id, if_match)
    post = await posts.cancel(call.session, scope, post_id, now=call.services.clock(), if_version=version)
    return await _answer(call, scope, post)
