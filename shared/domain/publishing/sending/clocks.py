"""Brands that live on networks with a time of their own: theirs follows it, and with it what is due.

Only what people mean by time does. Leases, attempts and back-off stay in real time: what is in doubt is not believed
sooner because somebody moved a clock.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, text
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from shared.contract import Card
from shared.db import Session
from shared.domain.brands import logins
from shared.domain.scope import Scope
from shared.models.channel import Channel
from shared.models.enums import ChannelStatus, Network, OutgoingState
from shared.models.post import Outgoing
from shared.vault import UnknownKey, Vault

Place = tuple[Network, str]

# Two clocks that are asked over a network are never read at the same moment.
TOLERANCE = timedelta(seconds=0.5)
# A clock that is moved far ahead goes there through every moment at which something is due, and through every day; more
# than so many of either at once are taken together.
STEPS, DAY, SPANS = 100, timedelta(days=1), 50

_VISITING = text(
    "SELECT DISTINCT brand_id FROM hook WHERE network = ANY (:kept) AND removed_at IS NULL AND brand_id IS NOT NULL"
)
_MOVED = text("SELECT brand_id, ahead FROM brand_clock")
_TAKE = text(
    "INSERT INTO brand_clock AS c (brand_id, ahead) VALUES (:brand, interval '0')"
    " ON CONFLICT (brand_id) DO UPDATE SET ahead = c.ahead RETURNING c.ahead"
)
_PUT = text("UPDATE brand_clock SET ahead = :ahead WHERE brand_id = :brand")
_STOP = text("DELETE FROM brand_clock WHERE brand_id = :brand")
_QUEUED = text("SELECT 1 FROM due_outgoing WHERE brand_id = :brand AND outgoing_id = ANY (:ids) LIMIT 1")
_PUT_DUE = text(
    "UPDATE due_outgoing d SET due_at = mine.due_at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS mine (id, due_at)"
    " WHERE d.outgoing_id = mine.id AND d.brand_id = :brand AND d.due_at <> mine.due_at"
)


async def visiting(session: Session, kept: Collection[Network]) -> set[UUID]:
    """The brands with a channel on one of these networks."""
    return set((await session.execute(_VISITING, {"kept": [network.value for network in kept]})).scalars())


async def moved(session: Session) -> dict[UUID, timedelta]:
    """The brands whose time is not the real one, and how far it is ahead."""
    return {row[0]: row[1] for row in await session.execute(_MOVED)}


async def place(session: Session, scope: Scope, vault: Vault, cards: Mapping[Network, Card]) -> Place | None:
    """The network, and the server of it, whose time a brand keeps: the one on which alone it speaks.

    A channel does not speak that is paused or has no credentials to ask its network for anything. None where the brand
    keeps the real time.
    """
    wanted = select(Channel).where(
        col(Channel.brand_id) == scope.brand_id,
        col(Channel.removed_at).is_(None),
        col(Channel.status) != ChannelStatus.PAUSED,
    )
    spoken = {
        (channel.network, channel.base_url)
        for channel in (await session.execute(wanted)).scalars()
        if _speaks(vault, channel, cards[channel.network])
    }
    network, base_url = spoken.pop() if len(spoken) == 1 else (None, None)
    return (network, base_url) if network is not None and base_url is not None and cards[network].keeps_time else None


def _speaks(vault: Vault, channel: Channel, card: Card) -> bool:
    try:
        credentials = logins.login(vault, channel).credentials
    except UnknownKey:
        return True  # nobody knows, and the real time is never wrong
    return bool(credentials) and logins.can_ask(card, credentials)


async def step(
    session: Session,
    scope: Scope,
    kept: Collection[Network],
    *,
    target: timedelta,
    now: datetime,
    patient: bool = False,
) -> timedelta:
    """Let the brand's time go on towards `target` ahead of the real one; how far ahead it is now.

    Back it goes at once, ahead through all that is due on the way, a call each; `patient`: not while something that is
    due is still to go out. Nothing that was begun is begun again.
    """
    before: timedelta = (await session.execute(_TAKE, {"brand": scope.brand_id})).scalar_one()
    if abs(target - before) <= TOLERANCE:
        target = before
    ahead = target
    if target > before:
        waits = patient and await _is_under_way(session, scope, kept, now + before)
        ahead = before if waits else await _next(session, scope, kept, now + before, now + target) - now
    if ahead != before:
        await session.execute(_PUT, {"brand": scope.brand_id, "ahead": ahead})
    has_arrived = ahead == target != before
    await _follow(session, scope, kept, ahead, None if has_arrived else now + ahead)
    if ahead == target == timedelta(0):
        await session.execute(_STOP, {"brand": scope.brand_id})
    return ahead


async def _is_under_way(session: Session, scope: Scope, kept: Collection[Network], moment: datetime) -> bool:
    """Whether something that was due by then is still to go out, by a channel that does not stand still."""
    wanted = _of_kept(scope, kept, col(Outgoing.id)).where(
        col(Outgoing.state).in_([OutgoingState.WAITING, OutgoingState.SENDING]),
        col(Outgoing.due_at) <= moment,
        col(Channel.status) == ChannelStatus.ACTIVE,
    )
    ids = list((await session.execute(wanted)).scalars())
    # What waits for a person, or hangs beneath something, is in no queue.
    return bool(ids) and (await session.execute(_QUEUED, {"brand": scope.brand_id, "ids": ids})).first() is not None


async def _next(
    session: Session, scope: Scope, kept: Collection[Network], begins: datetime, ends: datetime
) -> datetime:
    """On to the next moment at which something is due, by a day at most."""
    waiting = _waiting(scope, kept, col(Outgoing.due_at))
    between = waiting.where(col(Outgoing.due_at) > begins, col(Outgoing.due_at) <= ends).order_by(col(Outgoing.due_at))
    moments = list((await session.execute(between)).scalars())
    moment = moments[len(moments) // STEPS] if moments else ends
    return min(moment, begins + max(DAY, (ends - begins) / SPANS), ends)


async def _follow(
    session: Session, scope: Scope, kept: Collection[Network], ahead: timedelta, until: datetime | None
) -> None:
    """Let what waits for its moment, up to that of the brand's, be due at that moment in real time.

    Whoever planned something while the clock was moved may have read the one before: that is put right here, too.
    """
    wanted = _waiting(scope, kept, col(Outgoing.id), col(Outgoing.due_at))
    if until is not None:
        wanted = wanted.where(col(Outgoing.due_at) <= until)
    rows = (await session.execute(wanted)).all()
    if rows:
        mine = {"ids": [row[0] for row in rows], "times": [row[1] - ahead for row in rows], "brand": scope.brand_id}
        await session.execute(_PUT_DUE, mine)


def _waiting(scope: Scope, kept: Collection[Network], *columns: Any) -> Select[Any]:
    """These columns of what waits for its moment on networks that keep a time of their own."""
    return _of_kept(scope, kept, *columns).where(col(Outgoing.state) == OutgoingState.WAITING)


def _of_kept(scope: Scope, kept: Collection[Network], *columns: Any) -> Select[Any]:
    return (
        sql_select(*columns)
        .join(
            Channel,
            (col(Channel.brand_id) == col(Outgoing.brand_id)) & (col(Channel.id) == col(Outgoing.channel_id)),
        )
        .where(col(Outgoing.brand_id) == scope.brand_id, col(Channel.network).in_(kept))
    )
