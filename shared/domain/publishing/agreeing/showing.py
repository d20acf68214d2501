"""What a client sees by a link: each post as it will look on each channel, and whether it is theirs to agree to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from sqlmodel import col, select

from shared.db import Session
from shared.domain.publishing import reading
from shared.domain.publishing.agreeing import contents, links, reviews
from shared.domain.publishing.agreeing.reviews import Standing
from shared.domain.publishing.fitting import link_of, media_of, text_of
from shared.domain.publishing.library import naming
from shared.domain.publishing.library.media_addresses import Address
from shared.domain.scope import Scope
from shared.models.approval import Approval, ApprovalLink
from shared.models.base import JsonList
from shared.models.brand import Brand
from shared.models.channel import Channel
from shared.models.enums import ApprovalKind, Network, PostStatus, Reviewer, VariantStatus
from shared.models.post import Post, Variant


class Stage(StrEnum):
    """How a post stands for the client."""

    YOURS = "yours"
    AGREED = "agreed"
    OUT = "out"
    RETURNED = "returned"
    NOT_READY = "not_ready"
    CALLED_OFF = "called_off"


# What somebody still works on is nobody else's to see.
SHOWN = frozenset({Stage.YOURS, Stage.AGREED, Stage.OUT})


@dataclass(frozen=True, slots=True)
class Form:
    """A post on one channel, as it will look there."""

    channel: str
    network: Network
    text: str
    media: JsonList
    link: str | None
    first_comment: str | None
    parts: JsonList
    url: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One post for the client; without forms where it is not theirs to see. `said` is what came by this link."""

    post: Post
    content: bytes
    stage: Stage
    forms: Sequence[Form]
    said: Sequence[Approval]


@dataclass(frozen=True, slots=True)
class View:
    """All that a link opens."""

    link: ApprovalLink
    brand: Brand
    posts: Sequence[Shown]


async def view(session: Session, scope: Scope, link: ApprovalLink, *, address: Address) -> View:
    """What the link opens now; `address` is where media of ours can be seen."""
    brand = await session.get_one(Brand, scope.brand_id)
    posts = await links.posts_of(session, scope, link)
    ids = [post.id for post in posts]
    variants = await reading.variants_of(session, scope, ids)
    stands = await reviews.standings(session, scope, posts)
    said = await reviews.said_of(session, scope, ids)
    wanted = select(Channel).where(col(Channel.brand_id) == scope.brand_id)
    channels = {channel.id: channel for channel in (await session.execute(wanted)).scalars()}
    lists = [items for post in posts for items in naming.lists_of(post, variants.get(post.id, []))]
    known = await naming.known(session, scope, lists)

    def seen(items: JsonList) -> JsonList:
        return [{"kind": o.kind, "url": o.url, "alt": o.alt} for o in known.outgoing(scope, items, address)]

    shown = []
    for post in posts:
        own = [one for one in said.get(post.id, []) if one.link_id == link.id]
        found = [one for one in variants.get(post.id, []) if one.status is not VariantStatus.CANCELLED]
        stage = stage_of(post, stands[post.id], own)
        forms = [_form(post, one, channels[one.channel_id], seen) for one in found] if stage in SHOWN else []
        shown.append(Shown(post, contents.digest(post, variants.get(post.id, [])), stage, forms, own))
    return View(link, brand, shown)


def stage_of(post: Post, stands: Standing, own: Sequence[Approval]) -> Stage:
    """How a post stands for a client who said `own` of it."""
    match post.status:
        case PostStatus.IN_REVIEW:
            found = Stage.YOURS if stands.waits_for is Reviewer.CLIENT else Stage.NOT_READY
        case PostStatus.DRAFT:
            wished = bool(own) and own[-1].kind is ApprovalKind.CHANGES_REQUESTED
            found = Stage.RETURNED if wished else Stage.NOT_READY
        case PostStatus.APPROVED | PostStatus.SCHEDULED | PostStatus.HELD:
            found = Stage.AGREED
        case PostStatus.PUBLISHING | PostStatus.PUBLISHED | PostStatus.PARTLY_PUBLISHED | PostStatus.UNCERTAIN:
            found = Stage.OUT
        case PostStatus.FAILED | PostStatus.CANCELLED:
            found = Stage.CALLED_OFF
        case _:
            assert_never(post.status)
    return found


def _form(post: Post, variant: Variant, channel: Channel, seen: Callable[[JsonList], JsonList]) -> Form:
    return Form(
        channel=channel.name,
        network=channel.network,
        text=text_of(post, variant),
        media=seen(media_of(post, variant)),
        link=link_of(post, variant),
        first_comment=variant.first_comment,
        parts=[{**part, "media": seen(part.get("media") or [])} for part in variant.parts],
        url=variant.url,
    )
