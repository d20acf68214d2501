"""A post's forms for its channels: which there are, whether they can go out, and how they come into the queue."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, select

from shared.contract import Capability, Card
from shared.db import Session
from shared.domain.brands.lanes import lane_of
from shared.domain.publishing import fitting, reading, transitions
from shared.domain.publishing.cautions import digest
from shared.domain.publishing.drafts import MediaItem, VariantDraft, named_channels
from shared.domain.publishing.fitting import Cards, link_apart, link_of, media_of, said, text_of
from shared.domain.publishing.library import naming
from shared.domain.publishing.sending import due, effects
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.ids import new_uuid
from shared.models.base import JsonList, JsonObject
from shared.models.channel import Channel
from shared.models.enums import OutgoingKind, OutgoingState, VariantStatus
from shared.models.post import Outgoing, Post, Variant


async def set_up(
    session: Session,
    scope: Scope,
    post: Post,
    *,
    channel_ids: list[UUID],
    drafts: list[VariantDraft],
    standing: Sequence[Variant],
    cards: Cards,
) -> list[Variant]:
    """Give the post a variant for each named channel, and no other: first those of `drafts`, with text and media.

    Raises Invalid, naming the place, for a channel that is not the brand's, or that can't publish.
    """
    named = dict(named_channels(channel_ids, drafts))
    await channels_of(session, scope, named, cards)
    by_channel = {variant.channel_id: variant for variant in standing}
    wanted = {draft.channel_id: draft for draft in drafts}
    found = []
    for channel_id in dict.fromkeys([*wanted, *channel_ids]):
        variant = by_channel.pop(channel_id, None)
        if variant is None:
            variant = Variant(brand_id=scope.brand_id, post_id=post.id, channel_id=channel_id)
            session.add(variant)
        if variant.status is VariantStatus.CANCELLED:
            variant.status = VariantStatus.DRAFT
        _write(variant, wanted.get(channel_id) or VariantDraft(channel_id=channel_id))
        found.append(variant)
    await _take_away(session, scope, list(by_channel.values()))
    await session.flush()
    return found


def _write(variant: Variant, draft: VariantDraft) -> None:
    variant.text, variant.link, variant.audience = draft.text, draft.link, draft.audience
    variant.media = dumped(draft.media) if draft.media is not None else None
    variant.first_comment = draft.first_comment
    variant.parts = [{"text": part.text, "media": dumped(part.media)} for part in draft.parts]


def dumped(media: Sequence[MediaItem]) -> JsonList:
    """Media as they are kept."""
    return [item.stored() for item in media]


def as_draft(variant: Variant) -> VariantDraft:
    """What a variant says, as it would be written."""
    names = ("channel_id", "text", "media", "link", "first_comment", "parts", "audience")
    return VariantDraft.model_validate({name: getattr(variant, name) for name in names})


async def _take_away(session: Session, scope: Scope, variants: Sequence[Variant]) -> None:
    """Variants that are no longer wanted go; one that was tried keeps its history and is cancelled."""
    tried = await reading.outgoing_of(session, scope, [variant.id for variant in variants])
    for variant in variants:
        if variant.id in tried:
            variant.status = VariantStatus.CANCELLED
        else:
            await session.delete(variant)


async def channels_of(
    session: Session, scope: Scope, named: Mapping[UUID, tuple[str | int, ...]], cards: Cards
) -> dict[UUID, Channel]:
    """The named channels. Raises Invalid, naming its place, for one that is not the brand's, or can't publish."""
    wanted = select(Channel).where(
        col(Channel.brand_id) == scope.brand_id, col(Channel.id).in_(named), col(Channel.removed_at).is_(None)
    )
    found = {channel.id: channel for channel in (await session.execute(wanted)).scalars()}
    problems = []
    for channel_id, place in named.items():
        channel = found.get(channel_id)
        if channel is None:
            problems.append(Problem("unknown_channel", "this brand has no such channel", place))
        elif not _can_publish(channel, cards):
            message = f"{channel.network.value} channels hear, but can't publish here"
            problems.append(Problem("cannot_publish", message, place))
    if problems:
        raise Invalid(problems)
    return found


async def channels_there(session: Session, scope: Scope, channel_ids: Collection[UUID]) -> set[UUID]:
    """Which of these the brand still has."""
    wanted = select(Channel.id).where(
        col(Channel.brand_id) == scope.brand_id, col(Channel.id).in_(channel_ids), col(Channel.removed_at).is_(None)
    )
    return set((await session.execute(wanted)).scalars())


def _can_publish(channel: Channel, cards: Cards) -> bool:
    card = cards.get(channel.network)
    return card is not None and card.can(Capability.PUBLISH)


async def ready(
    session: Session, scope: Scope, post: Post, variants: Sequence[Variant], *, cards: Cards
) -> tuple[list[Variant], dict[UUID, Channel]]:
    """The variants that are to go out, and the channels, by their ids.

    Raises Invalid where none is there, where one can't go out, and where one does not fit its network; its place is
    that among the post's variants.
    """
    sending = [variant for variant in variants if transitions.may_be_sent(variant)]
    if not sending:
        raise Invalid([Problem("required", "a post needs at least one channel to go out on", ("channel_ids",))])
    places: dict[UUID, tuple[str | int, ...]] = {v.channel_id: ("variants", n) for n, v in enumerate(variants)}
    channels = await channels_of(session, scope, {v.channel_id: places[v.channel_id] for v in sending}, cards)
    for variant in sending:
        if not text_of(post, variant).strip() and not media_of(post, variant) and link_of(post, variant) is None:
            place = ("text",) if variant.text is None else (*places[variant.channel_id], "text")
            raise Invalid([Problem("required", "a post needs a text or media to go out", place)])
    known = await naming.known(session, scope, naming.lists_of(post, sending))
    fitting.refuse(post, sending, places, channels, cards, known)
    return sending, channels


async def enqueue(
    session: Session,
    scope: Scope,
    post: Post,
    variants: Sequence[Variant],
    *,
    cards: Cards,
    at: datetime,
    now: datetime,
) -> list[Variant]:
    """The effects of each variant that is to go out, due `at`; of one that is out in part, what is missing.

    Raises Invalid where `ready` does.
    """
    sending, channels = await ready(session, scope, post, variants, cards=cards)
    tried = await reading.outgoing_of(session, scope, [variant.id for variant in sending])
    for variant in sending:
        channel = channels[variant.channel_id]
        card = cards[channel.network]
        made = _effects(post, variant, tried.get(variant.id, []), card, at, now)
        variant.problems, variant.said = [], digest(text_of(post, variant))
        session.add_all(made)
        await session.flush()
        for outgoing in made:
            if outgoing.after_id is None or outgoing.after_id in _live(tried.get(variant.id, [])):
                await _queue(session, scope, outgoing, channel, card)
    return sending


def _effects(
    post: Post, variant: Variant, tried: Sequence[Outgoing], card: Card, at: datetime, now: datetime
) -> list[Outgoing]:
    """What is still to be brought about of a variant: the post, its first comment, the parts of its thread."""
    there = {
        (one.kind, transitions.place_of(one)): one.id
        for one in transitions.standing(tried)
        if one.state is OutgoingState.LIVE
    }
    made: list[Outgoing] = []

    def want(kind: OutgoingKind, payload: JsonObject, after: UUID | None) -> UUID:
        outgoing = Outgoing(
            brand_id=variant.brand_id,
            id=new_uuid(),
            kind=kind,
            channel_id=variant.channel_id,
            variant_id=variant.id,
            after_id=after,
            payload=payload,
            due_at=at,
            created_at=now,
        )
        known = there.get((kind, transitions.place_of(outgoing)))
        if known is not None:
            return known
        made.append(outgoing)
        return outgoing.id

    main = last = want(OutgoingKind.PUBLISH, _payload(post, variant, card), None)
    if variant.first_comment is not None:
        want(OutgoingKind.FIRST_COMMENT, {"text": variant.first_comment, "audience": variant.audience}, main)
    for number, part in enumerate(variant.parts):
        last = want(OutgoingKind.THREAD_PART, {**part, "part": number, "audience": variant.audience}, last)
    return made


def _payload(post: Post, variant: Variant, card: Card) -> JsonObject:
    return {
        "text": said(post, variant, card),
        "media": media_of(post, variant),
        "link": link_apart(post, variant, card),
        "audience": variant.audience,
    }


def _live(tried: Sequence[Outgoing]) -> set[UUID]:
    return {one.id for one in tried if one.state is OutgoingState.LIVE}


async def _queue(session: Session, scope: Scope, outgoing: Outgoing, channel: Channel, card: Card) -> None:
    is_prepared = effects.prepares(card, outgoing.kind, outgoing.payload)
    ahead = card.prepares_ahead if is_prepared else timedelta(0)
    await due.enqueue(session, scope, outgoing, lane_of(channel, card), card=card, ahead=ahead)


async def take_back(
    session: Session, scope: Scope, variants: Sequence[Variant], *, now: datetime, whole: bool
) -> list[Variant]:
    """Call off what has not left us; the variants whose effect was called off.

    Raises Conflict where something may have left already: anything with `whole`, else all of it.
    """
    by_variant = await reading.outgoing_of(session, scope, [variant.id for variant in variants])
    waiting, moving = [], 0
    for outgoing in (one for rows in by_variant.values() for one in rows):
        if transitions.may_be_taken_back(outgoing.state):
            waiting.append(outgoing)
        elif outgoing.state in {OutgoingState.SENDING, OutgoingState.UNCERTAIN}:
            moving += 1
    if moving and (whole or not waiting):
        raise Conflict("it is on its way to the network, or may be there already", code="already_sending")
    await due.call_off(session, scope, [outgoing.id for outgoing in waiting])
    for outgoing in waiting:
        outgoing.state, outgoing.settled_at = OutgoingState.DROPPED, scope.now(now)
    await session.flush()
    called_off = {outgoing.variant_id for outgoing in waiting}
    return [variant for variant in variants if variant.id in called_off]


async def forget_untried(session: Session, scope: Scope, variants: Sequence[Variant]) -> None:
    """Let effects go that were called off before anything was tried: a changed plan leaves no trace."""
    await session.execute(
        delete(Outgoing)
        .where(
            col(Outgoing.brand_id) == scope.brand_id,
            col(Outgoing.variant_id).in_([variant.id for variant in variants]),
            col(Outgoing.state) == OutgoingState.DROPPED,
            col(Outgoing.first_attempt_at).is_(None),
        )
        .execution_options(synchronize_session="fetch")
    )
