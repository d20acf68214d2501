"""The one mechanism by which anything happens on a network: claim, begin, call, settle.

An attempt is committed before the call, so that whoever comes after a crash knows that something may have happened.
What is not known to have failed is looked up, never repeated; what can't be settled is put before a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from shared.contract import Card, Certainty, Login, OutgoingEffect
from shared.db import Session
from shared.domain.brands import channels
from shared.domain.publishing.agreeing import holds
from shared.domain.publishing.library import naming
from shared.domain.publishing.library.media_addresses import Address
from shared.domain.publishing.sending import attempts, budgets, chains, due, effects, held, outcomes, overdue
from shared.domain.publishing.sending.attempts import Next, Pace, Result, Step
from shared.domain.publishing.sending.due import Claim
from shared.domain.publishing.sending.due import claim as claim_due
from shared.domain.publishing.sending.held import Held
from shared.domain.publishing.sending.outcomes import Live, Outcome, Ready
from shared.domain.scope import Scope
from shared.ids import new_uuid
from shared.models.channel import Channel
from shared.models.enums import ChannelStatus, Network, OutgoingState
from shared.models.post import Attempt
from shared.vault import UnknownKey, Vault

__all__ = ["Claim", "Try", "begin", "claim_due", "new_attempt", "settle"]

Cards = Mapping[Network, Card]
_RESTING = frozenset({OutgoingState.WAITING, OutgoingState.RETRYING})


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt that is committed and may now be made, within its lease."""

    claim: Claim
    post_id: UUID | None
    attempt_id: UUID
    step: Step
    network: Network
    channel_id: UUID
    effect: OutgoingEffect
    login: Login


async def begin(
    session: Session,
    scope: Scope,
    vault: Vault,
    claims: Sequence[Claim],
    *,
    cards: Cards,
    pace: Pace,
    address: Address,
    now: datetime,
) -> list[Try]:
    """Begin an attempt for each of a brand's claims. Once this is committed the calls may be made.

    Claims that were called off are passed over; effects of a channel that stands still are put back to wait; what comes
    too late goes the way that its brand wants. `address` is where media of ours are found by networks that fetch.
    """
    # Before any row is locked: a hold that is committed is seen, and one that comes now waits for this to be over.
    on_hold = await holds.current(session, scope) is not None
    behind = await held.post_ids(session, scope, [claim.outgoing_id for claim in claims])
    found = await held.hold(session, scope, behind)
    kept = await due.keep(session, scope, [claim for claim in claims if claim.outgoing_id in found], pace.lease)
    await _bring_media(session, scope, [found[claim.outgoing_id] for claim in kept], address)
    late = await overdue.fates(session, scope, [found[claim.outgoing_id] for claim in kept], cards=cards, now=now)
    begun = []
    for claim in kept:
        one = found[claim.outgoing_id]
        if on_hold and _is_held_back(one, cards):
            await _rest_under_hold(session, scope, one, claim, cards, now)
            continue
        fate = late.get(claim.outgoing_id)
        if fate is not None and await overdue.ends(session, scope, one, claim, fate, now=now):
            continue
        made = await _begin_one(session, scope, vault, one, claim, cards=cards, pace=pace, now=now)
        if made is not None:
            begun.append(made)
    changed = [one for one in found.values() if one.changed]
    for one in changed:
        if one.outgoing.state is OutgoingState.REFUSED:
            await chains.end_beneath(session, scope, one, OutgoingState.REFUSED, now=now)
    await held.tell(session, scope, changed, now=now)
    return begun


async def _bring_media(session: Session, scope: Scope, kept: Sequence[Held], address: Address) -> None:
    """Let each effect have its media as they are now."""
    known = await naming.known(session, scope, [one.outgoing.payload.get("media") or [] for one in kept])
    for one in kept:
        payload = one.outgoing.payload
        one.media = known.outgoing(scope, payload.get("media") or [], address, payload.get("language"))


async def _begin_one(
    session: Session, scope: Scope, vault: Vault, one: Held, claim: Claim, *, cards: Cards, pace: Pace, now: datetime
) -> Try | None:
    card = cards.get(one.channel.network)
    step = _step(one, card)
    if one.channel.removed_at is not None or card is None:
        # Nobody can look it up any more: what may have left us stays uncertain, the rest is refused.
        is_certain = attempts.doubtful(one.tried) is None
        await due.end(session, claim)
        state = OutgoingState.REFUSED if is_certain else OutgoingState.UNCERTAIN
        one.put(state, "channel_removed", "the channel was removed", now=scope.now(now))
        return None
    if step is Step.FIND and effects.certainty(card, one.outgoing.kind) is not Certainty.LOOKED_UP:
        await due.end(session, claim)
        message = "it may have happened, and this network can't be asked"
        one.put(OutgoingState.UNCERTAIN, "uncertain", message, now=scope.now(now))
        return None
    due_at = due.really(scope, card, one.outgoing.due_at)
    if step is Step.SEND and now < due_at:
        # It was taken up early to be laid ready, or the brand's clock was moved back.
        await due.rest(session, claim, due_at)
        if one.outgoing.state is OutgoingState.RETRYING:
            one.put(OutgoingState.WAITING, now=scope.now(now))
        return None
    why, login = _why_still(one.channel, step), None
    try:
        login = await channels.login(session, scope, vault, one.channel)
    except UnknownKey:
        why = why or "its credentials were sealed with a key that is no longer set; give the channel new ones"
    if why is not None or login is None:
        await due.rest(session, claim, now + pace.hold)
        state = one.outgoing.state if one.outgoing.state in _RESTING else _waiting(step)
        one.put(state, "channel_stands_still", why, now=scope.now(now), waits=True)
        return None
    attempt = new_attempt(one, step, claim.fence, now)
    session.add(attempt)
    one.outgoing.first_attempt_at = one.outgoing.first_attempt_at or now
    one.outgoing.tries += step is Step.SEND
    one.put(_meanwhile(step, is_early=now < due_at), now=scope.now(now))
    post_id = one.form.post.id if one.form is not None else None
    return Try(
        claim, post_id, attempt.id, step, one.channel.network, one.channel.id, effects.effect_of(one, now), login
    )


def _step(one: Held, card: Card | None) -> Step:
    outgoing = one.outgoing
    if card is None:
        return Step.SEND
    to_prepare = outgoing.prepared_at is None and effects.prepares(card, outgoing.kind, outgoing.payload)
    return attempts.next_step(one.tried, effects.certainty(card, outgoing.kind), to_prepare=to_prepare)


def _meanwhile(step: Step, *, is_early: bool) -> OutgoingState:
    """The state of an effect while it is tried: what is only laid ready can still be called off."""
    if step is not Step.PREPARE:
        return OutgoingState.SENDING
    return OutgoingState.WAITING if is_early else OutgoingState.RETRYING


def _is_held_back(one: Held, cards: Cards) -> bool:
    """Whether a hold keeps this back: looking at what may be out already goes on."""
    step = _step(one, cards.get(one.channel.network))
    return one.outgoing.kind in holds.HELD_KINDS and step is not Step.FIND


async def _rest_under_hold(
    session: Session, scope: Scope, one: Held, claim: Claim, cards: Cards, now: datetime
) -> None:
    """Put an effect back until the hold is released, which brings it forward once its moment is there."""
    due_at = due.really(scope, cards.get(one.channel.network), one.outgoing.due_at)
    await due.rest(session, claim, due_at if now < due_at else now + holds.REST)
    state = one.outgoing.state if one.outgoing.state in _RESTING else OutgoingState.RETRYING
    message = "everything is held; it goes on when the hold is released"
    one.put(state, holds.HELD, message, now=scope.now(now), waits=True)


def _waiting(step: Step) -> OutgoingState:
    """The state of an effect that waits for its channel: what is in doubt is not safe to take back."""
    return OutgoingState.SENDING if step is Step.FIND else OutgoingState.RETRYING


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


def new_attempt(one: Held, step: Step, fence: int, now: datetime) -> Attempt:
    """The next attempt at an effect, not written yet."""
    return Attempt(
        brand_id=one.outgoing.brand_id,
        id=new_uuid(),
        outgoing_id=one.outgoing.id,
        number=one.tried[-1].number + 1 if one.tried else 1,
        step=step,
        fence=fence,
        started_at=now,
    )


async def settle(
    session: Session, scope: Scope, made: Try, outcome: Outcome, *, card: Card, pace: Pace, now: datetime
) -> bool:
    """Write what an attempt came to. False where the effect is somebody else's by now: then only the attempt is."""
    claim = made.claim
    one = (await held.hold(session, scope, {claim.outgoing_id: made.post_id}))[claim.outgoing_id]
    current = next(attempt for attempt in one.tried if attempt.id == made.attempt_id)
    earlier = [attempt for attempt in one.tried if attempt.number < current.number]
    certainty, due_at = effects.certainty(card, one.outgoing.kind), due.really(scope, card, one.outgoing.due_at)
    then = attempts.after(outcome, current, earlier, pace=pace, certainty=certainty, due_at=due_at, now=now)
    current.outcome, current.message, current.ended_at = then.result, then.message, now
    await budgets.note(session, one.channel.id, claim.lane, outcomes.room(outcome))
    if not await due.keep(session, scope, [claim], pace.lease):
        await session.flush()
        return False
    _keep(one, outcome, now)
    if then.result is Result.LOGIN_DEAD and one.channel.status is ChannelStatus.ACTIVE:
        one.channel.status, one.channel.status_reason = ChannelStatus.LOGIN_DEAD, then.message
        await channels.changed(session, scope, one.channel, "channel.login_dead", now=now)
    await _rest(session, claim, then)
    one.put(then.state, then.code, then.message, now=scope.now(now), waits=then.held)
    await chains.follow(session, scope, one, claim.lane, card=card, now=now)
    if one.changed:
        await held.tell(session, scope, [one], now=now)
    return True


def _keep(one: Held, outcome: Outcome, now: datetime) -> None:
    """What the network gave, for the next step."""
    outgoing = one.outgoing
    match outcome:
        case Live(sent):
            outgoing.external_id, outgoing.url = sent.external_id, sent.url
        case Ready(prepared):
            outgoing.marks = dict(prepared.marks)
            outgoing.prepared_at = now if prepared.wait is None else None
        case outcomes.NotReady():
            outgoing.marks, outgoing.prepared_at = {}, None
        case _:
            pass


async def _rest(session: Session, claim: Claim, then: Next) -> None:
    if then.due_at is None:
        await due.end(session, claim)
    else:
        await due.rest(session, claim, then.due_at)
