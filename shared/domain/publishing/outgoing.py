"""The one mechanism by which anything happens on a network: claim, begin, call, settle.

An attempt is committed before the call, so that whoever comes after a crash knows that something may have happened.
What is not known to have failed is looked up, never repeated; what can't be settled is put before a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from shared.contract import Capability, Card, Login, OutgoingEffect, OutgoingMedia
from shared.db import Session
from shared.domain.brands import audit, channels
from shared.domain.brands.lanes import lane_of
from shared.domain.listening import record
from shared.domain.publishing import attempts, due, held, holds
from shared.domain.publishing.attempts import Live, Outcome, Pace, Result, Step
from shared.domain.publishing.due import Claim
from shared.domain.publishing.due import claim as claim_due
from shared.domain.publishing.held import Held
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem
from shared.ids import Prefix, new_uuid, typeid
from shared.models.channel import Channel
from shared.models.enums import ChannelStatus, GrantRole, KeyScope, Network, OutgoingState
from shared.models.post import Attempt, Outgoing
from shared.vault import UnknownKey, Vault

__all__ = ["Claim", "Settlement", "Try", "begin", "claim_due", "settle", "settle_by_person"]

Cards = Mapping[Network, Card]
_RESTING = frozenset({OutgoingState.WAITING, OutgoingState.RETRYING})


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt that is committed and may now be made, within its lease."""

    claim: Claim
    post_id: UUID
    attempt_id: UUID
    step: Step
    network: Network
    channel_id: UUID
    effect: OutgoingEffect
    login: Login


class Settlement(StrEnum):
    """What a person says of an uncertain effect: it is there, it isn't, or let it be."""

    ADOPT = "adopt"
    SEND = "send"
    DROP = "drop"


async def begin(
    session: Session, scope: Scope, vault: Vault, claims: Sequence[Claim], *, cards: Cards, pace: Pace, now: datetime
) -> list[Try]:
    """Begin an attempt for each of a brand's claims. Once this is committed the calls may be made.

    Claims that were called off are passed over; effects of a channel that stands still are put back to wait.
    """
    # Before any row is locked: a hold that is committed is seen, and one that comes now waits for this to be over.
    on_hold = await holds.current(session, scope) is not None
    behind = await held.post_ids(session, scope, [claim.outgoing_id for claim in claims])
    found = await held.hold(session, scope, behind)
    kept = await due.keep(session, scope, [claim for claim in claims if claim.outgoing_id in found], pace.lease)
    begun, news = [], []
    for claim in kept:
        one = found[claim.outgoing_id]
        before = one.post.version
        if on_hold and _is_held_back(one):
            await _rest_under_hold(session, one, claim, now)
        else:
            made = await _begin_one(session, scope, vault, one, claim, cards=cards, pace=pace, now=now)
            begun += [made] if made is not None else []
        if one.post.version != before:
            news.append(one.post)
    await held.tell(session, scope, news, now=now)
    return begun


async def _begin_one(
    session: Session, scope: Scope, vault: Vault, one: Held, claim: Claim, *, cards: Cards, pace: Pace, now: datetime
) -> Try | None:
    step, card = attempts.next_step(one.tried), cards.get(one.channel.network)
    if one.channel.removed_at is not None or card is None:
        # Nobody can look it up any more: what may have left us stays uncertain, the rest is refused.
        state = OutgoingState.REFUSED if step is Step.SEND else OutgoingState.UNCERTAIN
        await due.end(session, claim)
        one.put(state, "channel_removed", "the channel was removed", now=now)
        return None
    if step is Step.FIND and not card.can(Capability.FIND):
        await due.end(session, claim)
        message = "it may have happened, and this network can't be asked"
        one.put(OutgoingState.UNCERTAIN, "uncertain", message, now=now)
        return None
    why, login = _why_still(one.channel, step), None
    try:
        login = await channels.login(session, scope, vault, one.channel)
    except UnknownKey:
        why = why or "its credentials were sealed with a key that is no longer set; give the channel new ones"
    if why is not None or login is None:
        await due.rest(session, claim, now + pace.hold)
        state = one.outgoing.state if one.outgoing.state in _RESTING else _waiting(step)
        one.put(state, "channel_stands_still", why, now=now, waits=True)
        return None
    attempt = _attempt(one, step, claim.fence, now)
    session.add(attempt)
    one.outgoing.first_attempt_at = one.outgoing.first_attempt_at or now
    one.outgoing.tries += step is Step.SEND
    one.put(OutgoingState.SENDING, now=now)
    effect = _effect(one.outgoing, one.variant.post_id)
    return Try(claim, one.post.id, attempt.id, step, one.channel.network, one.channel.id, effect, login)


def _is_held_back(one: Held) -> bool:
    """Whether a hold keeps this back: looking at what may be out already goes on."""
    return one.outgoing.kind in holds.HELD_KINDS and attempts.next_step(one.tried) is Step.SEND


async def _rest_under_hold(session: Session, one: Held, claim: Claim, now: datetime) -> None:
    """Put an effect back until the hold is released, which brings it forward."""
    await due.rest(session, claim, now + holds.REST)
    state = one.outgoing.state if one.outgoing.state in _RESTING else OutgoingState.RETRYING
    one.put(state, "held", "everything is held; it goes on when the hold is released", now=now, waits=True)


def _waiting(step: Step) -> OutgoingState:
    """The state of an effect that waits for its channel: what is in doubt is not safe to take back."""
    return OutgoingState.RETRYING if step is Step.SEND else OutgoingState.SENDING


def _why_still(channel: Channel, step: Step) -> str | None:
    """Why nothing may be asked of the channel's network now; None where it may."""
    match channel.status:
        case ChannelStatus.ACTIVE:
            return None
        case ChannelStatus.PAUSED:
            # Looking is reading: what may be out already is better known than not.
            return None if step is Step.FIND else "the channel is paused; it goes out when the channel is resumed"
        case ChannelStatus.LOGIN_DEAD:
            return "the network no longer takes the channel's login; it goes out when the channel has a new one"
        case ChannelStatus.REMOVED:
            return "the channel was removed"
        case _:
            assert_never(channel.status)


def _attempt(one: Held, step: Step, fence: int, now: datetime) -> Attempt:
    return Attempt(
        brand_id=one.outgoing.brand_id,
        id=new_uuid(),
        outgoing_id=one.outgoing.id,
        number=one.tried[-1].number + 1 if one.tried else 1,
        step=step,
        fence=fence,
        started_at=now,
    )


def _effect(outgoing: Outgoing, post_id: UUID) -> OutgoingEffect:
    media = outgoing.payload.get("media", ())
    return OutgoingEffect(
        id=typeid(Prefix.OUTGOING, outgoing.id),
        kind=outgoing.kind,
        text=outgoing.payload.get("text", ""),
        thing_id=typeid(Prefix.POST, post_id),
        media=tuple(OutgoingMedia(item["url"], item["kind"], item.get("alt")) for item in media),
        first_attempt_at=outgoing.first_attempt_at,
    )


async def settle(
    session: Session, scope: Scope, made: Try, outcome: Outcome, *, card: Card, pace: Pace, now: datetime
) -> bool:
    """Write what an attempt came to. False where the effect is somebody else's by now: then only the attempt is."""
    claim = made.claim
    one = (await held.hold(session, scope, {claim.outgoing_id: made.post_id}))[claim.outgoing_id]
    current = next(attempt for attempt in one.tried if attempt.id == made.attempt_id)
    earlier = [attempt for attempt in one.tried if attempt.number < current.number]
    then = attempts.after(outcome, current, earlier, pace=pace, can_find=card.can(Capability.FIND), now=now)
    current.outcome, current.message, current.ended_at = then.result, then.message, now
    if not await due.keep(session, scope, [claim], pace.lease):
        await session.flush()
        return False
    if isinstance(outcome, Live):
        one.outgoing.external_id, one.outgoing.url = outcome.sent.external_id, outcome.sent.url
    if then.result is Result.LOGIN_DEAD and one.channel.status is ChannelStatus.ACTIVE:
        one.channel.status, one.channel.status_reason = ChannelStatus.LOGIN_DEAD, then.message
        await channels.changed(session, scope, one.channel, "channel.login_dead", now=now)
    if then.due_at is None:
        await due.end(session, claim)
    else:
        await due.rest(session, claim, then.due_at)
    if one.put(then.state, then.code, then.message, now=now, waits=then.held):
        await held.tell(session, scope, [one.post], now=now)
    await session.flush()
    await _claim_own(session, scope, one, card, now)
    return True


async def _claim_own(session: Session, scope: Scope, one: Held, card: Card, now: datetime) -> None:
    """Tie what is live to the mention by which its network told us of it, if it did already."""
    if one.outgoing.state is not OutgoingState.LIVE or one.outgoing.external_id is None:
        return
    await record.claim_own(
        session,
        scope,
        network=one.channel.network,
        space="" if card.shared_ids else str(one.channel.id),
        external_id=one.outgoing.external_id,
        variant_id=one.variant.id,
        now=now,
    )


async def settle_by_person(
    session: Session,
    scope: Scope,
    outgoing_id: UUID,
    *,
    as_: Settlement,
    external_id: str | None = None,
    cards: Cards,
    now: datetime,
) -> Outgoing:
    """Settle an uncertain effect: it is on the network as `external_id`, it is not and shall be sent, or let it be.

    Raises NotFound, Invalid, and Conflict where it is not uncertain.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    one = (await held.hold(session, scope, await held.post_ids(session, scope, [outgoing_id]))).get(outgoing_id)
    if one is None:
        raise NotFound(f"there is no outgoing with the id {typeid(Prefix.OUTGOING, outgoing_id)!r}")
    if one.outgoing.state is not OutgoingState.UNCERTAIN:
        message = f"this is {one.outgoing.state.value}, not uncertain: there is nothing to settle"
        raise Conflict(message, code="wrong_state")
    card = cards[one.channel.network]
    match as_:
        case Settlement.ADOPT:
            if external_id is None or not external_id.strip():
                raise Invalid([Problem("required", "say under which id the network has it", ("external_id",))])
            one.outgoing.external_id = external_id.strip()
            one.put(OutgoingState.LIVE, now=now)
        case Settlement.SEND:
            await _send_again(session, scope, one, card, now)
        case Settlement.DROP:
            one.put(OutgoingState.DROPPED, now=now)
        case _:
            assert_never(as_)
    await held.tell(session, scope, [one.post], now=now)
    await _claim_own(session, scope, one, card, now)
    await audit.add(session, scope, "outgoing.settle", typeid(Prefix.OUTGOING, outgoing_id), {"as": as_.value})
    return one.outgoing


async def _send_again(session: Session, scope: Scope, one: Held, card: Card, now: datetime) -> None:
    if one.channel.removed_at is not None:
        raise Conflict("its channel was removed: there is nowhere to send it", code="channel_removed")
    fence = max((attempt.fence for attempt in one.tried), default=0) + 1
    word = _attempt(one, Step.PERSON, fence, now)
    word.ended_at, word.outcome = now, Result.SEND_AGAIN
    session.add(word)
    one.outgoing.due_at = now
    one.put(OutgoingState.RETRYING, now=now)
    await due.enqueue(session, scope, one.outgoing, lane_of(one.channel, card), fence=fence)
