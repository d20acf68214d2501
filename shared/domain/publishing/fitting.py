"""Whether what a post says fits the networks it is to go out on, by their cards."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from shared.contract import Card
from shared.db import Session
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.models.base import JsonList
from shared.models.channel import Channel
from shared.models.enums import Network, VariantStatus
from shared.models.post import Post, Variant

Cards = Mapping[Network, Card]

_STILL_WRITTEN = frozenset({VariantStatus.DRAFT, VariantStatus.IN_REVIEW, VariantStatus.APPROVED})


def text_of(post: Post, variant: Variant) -> str:
    """What is said in this variant, a link beneath it not counted."""
    return variant.text if variant.text is not None else post.text


def media_of(post: Post, variant: Variant) -> JsonList:
    """What goes with it."""
    return variant.media if variant.media is not None else post.media


def misfits(post: Post, variant: Variant, channel: Channel, card: Card) -> list[dict[str, Any]]:
    """What of a variant its network would not take: each with its field, what it has `used` of which `limit`."""
    found = []
    length = card.count(text_of(post, variant))
    if not length.fits:
        found.append(_misfit("too_long", "text", length.used, length.limit, length.unit, channel, card))
    media = media_of(post, variant)
    if card.most_media is not None and len(media) > card.most_media:
        found.append(_misfit("too_many", "media", len(media), card.most_media, "media", channel, card))
    return found


def refuse(
    post: Post,
    variants: Sequence[Variant],
    places: Mapping[UUID, tuple[str | int, ...]],
    channels: Mapping[UUID, Channel],
    cards: Cards,
) -> None:
    """Raise Invalid, naming every variant (by its place) and field, unless all of them fit their networks."""
    problems = [
        Problem(one["code"], one["message"], (*places[variant.channel_id], *one["path"]))
        for variant in variants
        for channel in (channels[variant.channel_id],)
        for one in misfits(post, variant, channel, cards[channel.network])
    ]
    if problems:
        raise Invalid(problems)


async def note(session: Session, scope: Scope, post: Post, variants: Collection[Variant], cards: Cards) -> None:
    """List on each variant that is still being written what of it does not fit yet."""
    written = [variant for variant in variants if variant.status in _STILL_WRITTEN]
    wanted = select(Channel).where(
        col(Channel.brand_id) == scope.brand_id, col(Channel.id).in_([variant.channel_id for variant in written])
    )
    channels = {channel.id: channel for channel in (await session.execute(wanted)).scalars()} if written else {}
    for variant in written:
        channel = channels[variant.channel_id]
        variant.problems = misfits(post, variant, channel, cards[channel.network])


def _misfit(
    code: str, field: str, used: int, limit: int | None, unit: str, channel: Channel, card: Card
) -> dict[str, Any]:
    message = f"the {field} for {channel.name[:60]!r} has {used} {unit}: {card.label} takes at most {limit}"
    return {"code": code, "message": message, "path": [field], "used": used, "limit": limit, "unit": unit}
