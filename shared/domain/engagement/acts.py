"""What the brand does to what people say: answer, hide, delete, like, block. Each is one outgoing effect."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlmodel import col, select

from shared.contract import Card, storable
from shared.db import Session
from shared.domain.brands import audit, channels
from shared.domain.brands.lanes import lane_of
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.listening import identities, mentions
from shared.domain.publishing import fitting
from shared.domain.publishing.drafts import LONGEST_TEXT, MOST_MEDIA, MediaItem
from shared.domain.publishing.library import naming
from shared.domain.publishing.library.naming import Known
from shared.domain.publishing.sending import due
from shared.domain.publishing.variants import dumped
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.ids import Prefix, new_uuid, typeid
from shared.models.base import JsonObject
from shared.models.channel import Channel
from shared.models.enums import EventType, GrantRole, KeyScope, Network, OutgoingKind, OutgoingState
from shared.models.mention import Mention
from shared.models.post import Outgoing

Cards = Mapping[Network, Card]
Text = Annotated[str, BeforeValidator(lambda value: storable(value) if isinstance(value, str) else value)]

# What takes what back; each pair is one switch.
_OPPOSITE = {
    OutgoingKind.HIDE: OutgoingKind.UNHIDE,
    OutgoingKind.UNHIDE: OutgoingKind.HIDE,
    OutgoingKind.LIKE: OutgoingKind.UNLIKE,
    OutgoingKind.UNLIKE: OutgoingKind.LIKE,
    OutgoingKind.BLOCK: OutgoingKind.UNBLOCK,
    OutgoingKind.UNBLOCK: OutgoingKind.BLOCK,
}
_UNDOES = {OutgoingKind.UNLIKE, OutgoingKind.UNBLOCK}
_ON_ITS_WAY = {OutgoingState.WAITING, OutgoingState.SENDING, OutgoingState.RETRYING, OutgoingState.UNCERTAIN}


class ReplyDraft(BaseModel):
    """An answer to a mention."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(max_length=LONGEST_TEXT)
    media: list[MediaItem] = Field(default_factory=list, max_length=MOST_MEDIA)


async def reply(
    session: Session, scope: Scope, mention_id: UUID, *, draft: ReplyDraft, cards: Cards, now: datetime
) -> Outgoing:
    """Answer a mention where it was said; what is private is answered in private.

    Raises NotFound, Conflict where it is gone, and Invalid where the network takes no such answer.
    """
    scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)
    mention, channel, card = await _mention(session, scope, mention_id, OutgoingKind.REPLY, cards)
    draft = await naming.filled(session, scope, draft)
    media = dumped(draft.media)
    _refuse_misfit(draft, channel, card, await naming.known(session, scope, [media]))
    payload = {"text": draft.text, "media": media}
    made = await _make(session, scope, OutgoingKind.REPLY, channel, card, payload, now, mention=mention)
    await naming.keep_uses_of_effect(session, scope, made)
    return made


async def act(
    session: Session, scope: Scope, mention_id: UUID, kind: OutgoingKind, *, cards: Cards, now: datetime
) -> Outgoing:
    """Hide, show again, delete, like or unlike a mention on its network.

    Asking for what is on its way or done already gives the effect that there is. Raises NotFound, Invalid where the
    network has no such thing, Conflict where the opposite is on its way, or there is nothing to take back.
    """
    scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)
    mention, channel, card = await _mention(session, scope, mention_id, kind, cards)
    before = await _switch(session, scope, kind, col(Outgoing.mention_id) == mention.id)
    standing = _standing(before, kind)
    if standing is not None:
        return standing
    return await _make(session, scope, kind, channel, card, {}, now, mention=mention, undoes=_undone(before, kind))


async def block(
    session: Session,
    scope: Scope,
    identity_id: UUID,
    kind: OutgoingKind,
    *,
    channel_id: UUID,
    cards: Cards,
    now: datetime,
) -> Outgoing:
    """Keep a person from a channel, or let them back. Raises as `act` does."""
    scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)
    identity = await identities.get(session, scope, identity_id)
    channel = await channels.get(session, scope, channel_id)
    if channel.network is not identity.network:
        message = f"this is an account on {identity.network.value}, and the channel is on {channel.network.value}"
        raise Invalid([Problem("wrong_network", message, ("channel_id",))])
    card = _offered(channel, kind, cards)
    here = (col(Outgoing.identity_id) == identity.id) & (col(Outgoing.channel_id) == channel.id)
    await _lock(session, scope, channel)
    before = await _switch(session, scope, kind, here)
    standing = _standing(before, kind)
    if standing is not None:
        return standing
    return await _make(
        session, scope, kind, channel, card, {}, now, identity_id=identity.id, undoes=_undone(before, kind)
    )


async def _mention(
    session: Session, scope: Scope, mention_id: UUID, kind: OutgoingKind, cards: Cards
) -> tuple[Mention, Channel, Card]:
    mention = await mentions.get(session, scope, mention_id)
    channel = await channels.get(session, scope, mention.channel_id)
    card = _offered(channel, kind, cards)
    if mention.deleted_at is not None and kind is not OutgoingKind.DELETE:
        raise Conflict("it is not there any more: there is nothing to act on", code="deleted")
    await _lock(session, scope, channel)
    return mention, channel, card


def _offered(channel: Channel, kind: OutgoingKind, cards: Cards) -> Card:
    card = cards[channel.network]
    if channel.removed_at is not None:
        raise Conflict("its channel was removed: nothing can be done there", code="channel_removed")
    if kind not in card.effects:
        raise Invalid([Problem("cannot", f"{card.label} does not offer “{kind.value}” here", ())], code="cannot")
    return card


async def _lock(session: Session, scope: Scope, channel: Channel) -> None:
    """Two who press one switch at once take turns."""
    wanted = (
        select(Channel.id)
        .where(col(Channel.brand_id) == scope.brand_id, col(Channel.id) == channel.id)
        .with_for_update(key_share=True)
    )
    await session.execute(wanted)


async def _switch(session: Session, scope: Scope, kind: OutgoingKind, which: object) -> Sequence[Outgoing]:
    """What was done so far by this switch, in order."""
    kinds = [kind, _OPPOSITE[kind]] if kind in _OPPOSITE else [kind]
    wanted = (
        select(Outgoing)
        .where(col(Outgoing.brand_id) == scope.brand_id, which, col(Outgoing.kind).in_(kinds))  # type: ignore[arg-type]
        .order_by(col(Outgoing.id))
        .execution_options(populate_existing=True)
    )
    return (await session.execute(wanted)).scalars().all()


def _standing(before: Sequence[Outgoing], kind: OutgoingKind) -> Outgoing | None:
    """The effect that already is what is asked for. Raises Conflict where another is in its way."""
    moving = [one for one in before if one.state in _ON_ITS_WAY]
    opposite = next((one for one in moving if one.kind is not kind), None)
    if opposite is not None:
        message = f"“{opposite.kind.value}” is on its way: wait for it, settle it, or cancel it"
        raise Conflict(message, code="already_sending")
    if moving:
        return moving[-1]
    done = [one for one in before if one.state is OutgoingState.LIVE]
    if done and done[-1].kind is kind:
        return done[-1]
    if kind in _UNDOES and not done:
        raise Conflict(f"there is nothing to {kind.value}: it was not done from here", code="wrong_state")
    return None


def _undone(before: Sequence[Outgoing], kind: OutgoingKind) -> UUID | None:
    done = [one.id for one in before if one.state is OutgoingState.LIVE]
    return done[-1] if kind in _UNDOES and done else None


def _refuse_misfit(draft: ReplyDraft, channel: Channel, card: Card, known: Known) -> None:
    if not draft.text.strip() and not draft.media:
        raise Invalid([Problem("required", "an answer needs a text or media", ("text",))])
    problems = [
        Problem(one["code"], one["message"], tuple(one["path"]))
        for one in fitting.fits(draft.text, dumped(draft.media), (), channel, card, known)
    ]
    if problems:
        raise Invalid(problems)


async def _make(
    session: Session,
    scope: Scope,
    kind: OutgoingKind,
    channel: Channel,
    card: Card,
    payload: JsonObject,
    now: datetime,
    *,
    mention: Mention | None = None,
    identity_id: UUID | None = None,
    undoes: UUID | None = None,
) -> Outgoing:
    at = await due.at_once(session, scope, now)
    outgoing = Outgoing(
        brand_id=scope.brand_id,
        id=new_uuid(),
        kind=kind,
        channel_id=channel.id,
        mention_id=mention.id if mention is not None else None,
        identity_id=identity_id,
        undoes_id=undoes,
        created_by=scope.principal.user_id if scope.principal is not None else None,
        payload=payload,
        due_at=at,
        created_at=now,
    )
    session.add(outgoing)
    await session.flush()
    await due.enqueue(session, scope, outgoing, lane_of(channel, card), card=card)
    fact = NewEvent(EventType.OUTGOING_CHANGED, outgoing.id, 1, {"state": outgoing.state.value, "kind": kind.value})
    await events.add(session, scope.brand_id, [fact], now=now)
    await audit.add(session, scope, f"outgoing.{kind.value}", typeid(Prefix.OUTGOING, outgoing.id))
    return outgoing
