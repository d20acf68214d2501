"""What comes of an effect that is live: what hangs beneath it may go out, and what it changed is known."""

from datetime import datetime, timedelta
from typing import assert_never

from sqlmodel import col, select

from shared.contract import Capability, Card, Deleted, Hidden, Pointer
from shared.db import Session
from shared.domain.listening import pointers, record
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.pointers import Named
from shared.domain.publishing import transitions
from shared.domain.publishing.sending import due
from shared.domain.publishing.sending.held import Held, show
from shared.domain.scope import Scope
from shared.models.enums import OutgoingKind, OutgoingState
from shared.models.post import Outgoing

# Networks index what they took a moment later.
_SHOWN_AFTER = timedelta(seconds=5)


async def follow(session: Session, scope: Scope, one: Held, lane: str, *, card: Card, now: datetime) -> None:
    """Let what waited for this effect go on where it is live, and end where it never will be."""
    await session.flush()
    if one.outgoing.state is OutgoingState.LIVE:
        await _release(session, scope, one, lane, card, now)
        await _note(session, scope, one, card, now)
        await _look_at(session, scope, one, lane, card)
    elif one.outgoing.state is OutgoingState.REFUSED:
        await end_beneath(session, scope, one, OutgoingState.REFUSED, now=now)


async def end_beneath(session: Session, scope: Scope, one: Held, state: OutgoingState, *, now: datetime) -> None:
    """What hangs beneath an effect that will not be there can't be either."""
    left, ended = [one.outgoing], False
    while left:
        for beneath in await following(session, scope, left.pop()):
            if beneath.state is OutgoingState.WAITING:
                beneath.state, beneath.settled_at, ended = state, scope.now(now), True
                if state is OutgoingState.REFUSED:
                    beneath.problem = {"code": "not_reached", "message": "what it was to stand beneath is not there"}
                left.append(beneath)
    if ended and one.form is not None:
        show(one.form, now=now)


async def _release(session: Session, scope: Scope, one: Held, lane: str, card: Card, now: datetime) -> None:
    """Put what hangs beneath into the queue: now, since its own moment was that of what it hangs beneath."""
    for next_one in await following(session, scope, one.outgoing):
        if next_one.state is OutgoingState.WAITING:
            next_one.due_at = max(scope.now(now) if card.keeps_time else now, next_one.due_at)
            await due.enqueue(session, scope, next_one, lane, card=card)


async def following(session: Session, scope: Scope, outgoing: Outgoing) -> list[Outgoing]:
    """What hangs directly beneath an effect, in the order in which it was made."""
    if outgoing.variant_id is None:
        return []
    wanted = (
        select(Outgoing)
        .where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.after_id) == outgoing.id)
        .order_by(col(Outgoing.id))
        .execution_options(populate_existing=True)
    )
    return list((await session.execute(wanted)).scalars())


async def _note(session: Session, scope: Scope, one: Held, card: Card, now: datetime) -> None:
    """Tell the mention what became of it, as its network will, or will not."""
    space = "" if card.shared_ids else str(one.channel.id)
    match one.outgoing.kind:
        case OutgoingKind.PUBLISH:
            await _claim_own(session, scope, one, space, now)
        case OutgoingKind.HIDE | OutgoingKind.UNHIDE:
            assert one.mention is not None
            is_hidden = one.outgoing.kind is OutgoingKind.HIDE
            await _hear(session, scope, one, space, Hidden(one.mention.external_id, is_hidden, scope.now(now)), now)
        case OutgoingKind.DELETE:
            assert one.mention is not None
            await _hear(session, scope, one, space, Deleted(one.mention.external_id, scope.now(now)), now)
        case OutgoingKind.FIRST_COMMENT | OutgoingKind.THREAD_PART | OutgoingKind.REPLY:
            pass  # its network tells us of it
        case OutgoingKind.LIKE | OutgoingKind.UNLIKE | OutgoingKind.BLOCK | OutgoingKind.UNBLOCK:
            pass
        case _:
            assert_never(one.outgoing.kind)


async def _look_at(session: Session, scope: Scope, one: Held, lane: str, card: Card) -> None:
    """Let what we brought about be asked for, where its network tells nobody of it by itself."""
    outgoing = one.outgoing
    if outgoing.external_id is None or not transitions.makes_something(outgoing.kind):
        return
    if card.pushes_everything or not card.can(Capability.RECHECK):
        return
    pointer = Pointer(outgoing.external_id, pointers.OWN)
    named = Named(one.channel.id, outgoing.id, one.channel.network, pointer, 0)
    await pointers.note(session, scope, [named], lanes={one.channel.id: lane}, after=_SHOWN_AFTER)


async def _hear(session: Session, scope: Scope, one: Held, space: str, fact: Hidden | Deleted, now: datetime) -> None:
    part = HeardPart(one.channel.id, one.channel.network, space, [fact])
    await record.record(session, scope, [part], now=now)


async def _claim_own(session: Session, scope: Scope, one: Held, space: str, now: datetime) -> None:
    """Tie what is live to the mention by which its network told us of it, if it did already."""
    if one.outgoing.external_id is None or one.form is None:
        return
    await record.claim_own(
        session,
        scope,
        network=one.channel.network,
        space=space,
        external_id=one.outgoing.external_id,
        variant_id=one.form.variant.id,
        now=now,
    )
