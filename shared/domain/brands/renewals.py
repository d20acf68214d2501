"""Renewing a login: by one at a time, between two transactions, so that none waits on the network."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.contract import Card, Login
from shared.db import Session
from shared.domain.brands import logins, upkeep
from shared.domain.scope import Scope
from shared.domain.turns import Turn
from shared.errors import LoginDead
from shared.models.channel import Channel
from shared.models.enums import ChannelStatus, UpkeepKind
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Renewal:
    """A renewal that is this process's to make, until its turn's lease ends, and the login that it starts from."""

    turn: Turn
    login: Login


async def begin(
    session: Session,
    scope: Scope,
    vault: Vault,
    channel_id: UUID,
    *,
    card: Card,
    used: Login | None = None,
    turn: Turn | None = None,
    lease: timedelta,
) -> Renewal | Login | None:
    """The renewal, where it is ours to make; the login that somebody has put in the place of `used` meanwhile; or None.

    None: another is at it, or the channel is removed. `turn` is the one that fell due by itself. Raises LoginDead where
    somebody has found that out meanwhile.
    """
    channel = await _held(session, scope, channel_id)
    if channel is None:
        return None
    if channel.status is ChannelStatus.LOGIN_DEAD:
        raise LoginDead(channel.network.value, channel.status_reason or "the login is dead")
    login = logins.login(vault, channel)
    if used is not None and login.credentials != used.credentials:
        return login
    if turn is None:
        turn = await upkeep.take(session, scope, channel, card, UpkeepKind.LOGIN, lease=lease)
    else:
        turn = await upkeep.keep(session, turn, lease=lease)
    return Renewal(turn, login) if turn is not None else None


async def keep(
    session: Session, scope: Scope, vault: Vault, renewal: Renewal, fresh: Login, *, card: Card, now: datetime
) -> Login | None:
    """Put the renewed login in the place of the one that it came from, and plan the next time.

    The login that stands then: where a person has given other credentials meanwhile, that is theirs. None: the channel
    is gone.
    """
    channel = await _held(session, scope, renewal.turn.channel_id)
    if channel is None:
        return None
    standing = logins.login(vault, channel)
    if standing.credentials != renewal.login.credentials:
        return standing
    channel.credentials = logins.seal(vault, channel.id, fresh.credentials)
    channel.login_expires_at = fresh.expires_at
    await session.flush()
    await upkeep.plan_login(session, scope, channel, card, now=now)
    return logins.login(vault, channel)


async def _held(session: Session, scope: Scope, channel_id: UUID) -> Channel | None:
    channel = await session.get(Channel, (scope.brand_id, channel_id), with_for_update=True)
    return channel if channel is not None and channel.removed_at is None else None
