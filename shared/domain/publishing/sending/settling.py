"""What a person says of an effect: it is there, it isn't, let it be; or take it back while that is possible."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from shared.contract import Card
from shared.db import Session
from shared.domain.brands import audit
from shared.domain.brands.lanes import lane_of
from shared.domain.publishing import transitions
from shared.domain.publishing.sending import chains, due, held, outgoing
from shared.domain.publishing.sending.attempts import Result, Step
from shared.domain.publishing.sending.held import Held
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models.enums import GrantRole, KeyScope, Network, OutgoingState
from shared.models.post import Outgoing

Cards = Mapping[Network, Card]


class Settlement(StrEnum):
    """What a person says of an uncertain effect: it is there, it isn't, or let it be."""

    ADOPT = "adopt"
    SEND = "send"
    DROP = "drop"


async def settle(
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

    Of an effect on what is there already, `external_id` may be left out. Raises NotFound, Invalid, and Conflict where
    it is not uncertain.
    """
    one = await _held(session, scope, outgoing_id)
    if one.outgoing.state is not OutgoingState.UNCERTAIN:
        message = f"this is {one.outgoing.state.value}, not uncertain: there is nothing to settle"
        raise Conflict(message, code="wrong_state")
    card = cards[one.channel.network]
    match as_:
        case Settlement.ADOPT:
            one.outgoing.external_id = _adopted(one, external_id)
            one.put(OutgoingState.LIVE, now=scope.now(now))
        case Settlement.SEND:
            await _send_again(session, scope, one, card, now)
        case Settlement.DROP:
            await _drop(session, scope, one, now)
        case _:
            assert_never(as_)
    await chains.follow(session, scope, one, lane_of(one.channel, card), card=card, now=now)
    await held.tell(session, scope, [one], now=now)
    await audit.add(session, scope, "outgoing.settle", typeid(Prefix.OUTGOING, outgoing_id), {"as": as_.value})
    return one.outgoing


async def cancel(session: Session, scope: Scope, outgoing_id: UUID, *, now: datetime) -> Outgoing:
    """Take back an effect of which it is certain that nothing has left us.

    Raises NotFound, and Conflict where something may have left already.
    """
    one = await _held(session, scope, outgoing_id)
    if not transitions.may_be_taken_back(one.outgoing.state):
        message = f"this is {one.outgoing.state.value}: it is on its way, or has come to its end"
        raise Conflict(message, code="already_sending")
    await due.call_off(session, scope, [outgoing_id])
    await _drop(session, scope, one, now)
    await held.tell(session, scope, [one], now=now)
    await audit.add(session, scope, "outgoing.cancel", typeid(Prefix.OUTGOING, outgoing_id))
    return one.outgoing


async def _held(session: Session, scope: Scope, outgoing_id: UUID) -> Held:
    behind = await held.post_ids(session, scope, [outgoing_id])
    one = (await held.hold(session, scope, behind)).get(outgoing_id)
    if one is None:
        raise NotFound(f"there is no outgoing with the id {typeid(Prefix.OUTGOING, outgoing_id)!r}")
    if one.form is not None:
        scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    else:
        scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)
    return one


def _adopted(one: Held, external_id: str | None) -> str:
    """Under which id the network has it."""
    if external_id is not None and external_id.strip():
        return external_id.strip()
    acts_on = one.mention is not None and not transitions.makes_something(one.outgoing.kind)
    if acts_on and one.mention is not None:
        return one.mention.external_id
    if one.mention is None and one.identity is not None:
        return one.identity.external_id
    raise Invalid([Problem("required", "say under which id the network has it", ("external_id",))])


async def _send_again(session: Session, scope: Scope, one: Held, card: Card, now: datetime) -> None:
    if one.channel.removed_at is not None:
        raise Conflict("its channel was removed: there is nowhere to send it", code="channel_removed")
    fence = max((attempt.fence for attempt in one.tried), default=0) + 1
    word = outgoing.new_attempt(one, Step.PERSON, fence, now)
    word.ended_at, word.outcome = now, Result.SEND_AGAIN
    session.add(word)
    one.outgoing.due_at = scope.now(now)
    one.put(OutgoingState.RETRYING, now=scope.now(now))
    await due.enqueue(session, scope, one.outgoing, lane_of(one.channel, card), card=card, fence=fence)


async def _drop(session: Session, scope: Scope, one: Held, now: datetime) -> None:
    """Let an effect be, and all that hangs beneath it and now never can."""
    one.put(OutgoingState.DROPPED, now=scope.now(now))
    await chains.end_beneath(session, scope, one, OutgoingState.DROPPED, now=now)
