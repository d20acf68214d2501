"""Whether what a post says fits the networks it is to go out on, by their cards."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from shared.contract import Card, Length
from shared.db import Session
from shared.domain.publishing.library import media_fits, naming
from shared.domain.publishing.library.naming import Known
from shared.domain.publishing.tagging import Tagging
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.models.base import JsonList
from shared.models.channel import Channel
from shared.models.enums import Network, OutgoingKind, VariantStatus
from shared.models.post import Post, Variant

Cards = Mapping[Network, Card]
Place = tuple[str | int, ...]

_STILL_WRITTEN = frozenset({VariantStatus.DRAFT, VariantStatus.IN_REVIEW, VariantStatus.APPROVED})


def text_of(post: Post, variant: Variant) -> str:
    """What is said in this variant, a link beneath it not counted."""
    return variant.text if variant.text is not None else post.text


def media_of(post: Post, variant: Variant) -> JsonList:
    """What goes with it."""
    return variant.media if variant.media is not None else post.media


def link_of(post: Post, variant: Variant) -> str | None:
    """The link that goes with it, apart or beneath its text."""
    return variant.link if variant.link is not None else post.link


def said(post: Post, variant: Variant, card: Card) -> str:
    """The text as it is sent: with the link beneath it where the network knows no link apart."""
    text, link = text_of(post, variant), link_of(post, variant)
    tagging = Tagging.of(post.tagging)
    if tagging is not None:
        network = card.network.value
        text, link = tagging.text(text, network), tagging.link(link, network) if link is not None else None
    if link is None or card.link_apart or link in text:
        return text
    return f"{text}\n\n{link}" if text.strip() else link


def link_apart(post: Post, variant: Variant, card: Card) -> str | None:
    """The link as it is sent beside the text, where the network knows links apart."""
    link, tagging = link_of(post, variant), Tagging.of(post.tagging)
    if link is None or not card.link_apart:
        return None
    return tagging.link(link, card.network.value) if tagging is not None else link


def misfits(post: Post, variant: Variant, channel: Channel, card: Card, known: Known) -> list[dict[str, Any]]:
    """What of a variant its network would not take: each with its place, what it has `used` of which `limit`.

    `known` are the files that it names.
    """
    found = [*fits(said(post, variant, card), media_of(post, variant), (), channel, card, known)]
    if card.needs_media and not media_of(post, variant):
        message = f"{card.label} takes no post without a picture or film: add one for {channel.name[:60]!r}"
        found.append({"code": "required", "message": message, "path": ["media"]})
    if variant.first_comment is not None:
        found += _offered(OutgoingKind.FIRST_COMMENT, ("first_comment",), channel, card)
        found += fits(variant.first_comment, [], ("first_comment",), channel, card, known)
    for index, part in enumerate(variant.parts):
        place = ("parts", index)
        found += _offered(OutgoingKind.THREAD_PART, place, channel, card) if index == 0 else ()
        found += fits(part["text"], part.get("media") or [], place, channel, card, known)
        if not part["text"].strip() and not part.get("media"):
            found.append({"code": "required", "message": "a part needs a text or media", "path": [*place, "text"]})
    if variant.audience is not None and variant.audience not in card.audiences:
        circles = ", ".join(card.audiences) or "none"
        message = f"{card.label} has no audience {variant.audience!r}; it has: {circles}"
        found.append({"code": "unknown_audience", "message": message, "path": ["audience"]})
    return found


def fits(
    text: str, media: JsonList, place: Place, channel: Channel, card: Card, known: Known
) -> Iterator[dict[str, Any]]:
    """What of a text and its media the channel's network would not take."""
    length = length_of(text, channel, card)
    field = place if place[:1] == ("first_comment",) else (*place, "text")
    if not length.fits:
        yield _misfit("too_long", field, length.used, length.limit, length.unit, channel, card)
    most = channel.limits.get("media", card.most_media)
    if most is not None and len(media) > most:
        yield _misfit("too_many", (*place, "media"), len(media), most, "media", channel, card)
    for found in media_fits.problems([known.item(item) for item in media], card):
        yield {**found, "path": [*place, "media", *found["path"]]}


def length_of(text: str, channel: Channel, card: Card) -> Length:
    """A text's length as the channel's network counts it, and the most that this server of it takes."""
    length = card.count(text)
    own = channel.limits.get("text")
    return replace(length, limit=int(own)) if isinstance(own, int) else length


def _offered(kind: OutgoingKind, place: Place, channel: Channel, card: Card) -> Iterator[dict[str, Any]]:
    if kind not in card.effects:
        what = kind.value.replace("_", " ")
        message = f"{card.label} has no {what} here: leave it out for {channel.name[:60]!r}"
        yield {"code": "cannot", "message": message, "path": list(place)}


def refuse(
    post: Post,
    variants: Sequence[Variant],
    places: Mapping[UUID, Place],
    channels: Mapping[UUID, Channel],
    cards: Cards,
    known: Known,
) -> None:
    """Raise Invalid, naming every variant (by its place) and field, unless all of them fit their networks."""
    problems = [
        Problem(one["code"], one["message"], (*places[variant.channel_id], *one["path"]))
        for variant in variants
        for channel in (channels[variant.channel_id],)
        for one in misfits(post, variant, channel, cards[channel.network], known)
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
    known = await naming.known(session, scope, naming.lists_of(post, written))
    for variant in written:
        channel = channels[variant.channel_id]
        variant.problems = misfits(post, variant, channel, cards[channel.network], known)


def _misfit(
    code: str, place: Place, used: int, limit: int | None, unit: str, channel: Channel, card: Card
) -> dict[str, Any]:
    what = place[-1] if isinstance(place[-1], str) else "text"
    message = (
        f"the {what.replace('_', ' ')} for {channel.name[:60]!r} has {used} {unit}: {card.label} takes at most {limit}"
    )
    return {"code": code, "message": message, "path": list(place), "used": used, "limit": limit, "unit": unit}
