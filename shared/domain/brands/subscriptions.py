"""What a network agreed to when it was asked to push: kept, and asked for again before it ends.

The worker's role sees no hook's secret but by two functions, and by these only those of the transaction's brand.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.contract import Card, Secret, Subscription
from shared.db import Session
from shared.domain.brands import hooks, upkeep
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.models.channel import Channel
from shared.vault import Vault

_SECRET = text("SELECT parvis.hook_secret(:hook)")
_KEEP = text("SELECT parvis.keep_hook_secret(:hook, :sealed, :digests)")


async def secret_of(session: Session, vault: Vault, channel: Channel) -> Secret:
    """What the channel's hook shares with its network. Raises NotFound, UnknownKey."""
    sealed = (await session.execute(_SECRET, {"hook": channel.hook_id})).scalar_one()
    if sealed is None:
        raise NotFound("the channel has no hook any more")
    return hooks.open_secret(vault, channel.hook_id, sealed)


async def keep(
    session: Session,
    scope: Scope,
    vault: Vault,
    channel_id: UUID,
    subscription: Subscription | None,
    *,
    card: Card,
    now: datetime,
) -> None:
    """Keep what the network brought along (a key, a handshake's token), and plan when it is asked again.

    None: the channel has nothing that would push, and is not asked again.
    """
    channel = await session.get(Channel, (scope.brand_id, channel_id), with_for_update=True)
    if channel is None or channel.removed_at is not None:
        return
    if subscription is not None and (subscription.secret is not None or subscription.verify_token is not None):
        secret = hooks.renewed(
            await secret_of(session, vault, channel), key=subscription.secret, verify_token=subscription.verify_token
        )
        sealed = hooks.seal(vault, channel.hook_id, secret)
        wanted = {"hook": channel.hook_id, "sealed": sealed, "digests": hooks.digests(secret.keys)}
        await session.execute(_KEEP, wanted)
    wait = subscription.renew_after if subscription is not None else None
    channel.subscribe_at = now + wait if wait is not None else None
    await session.flush()
    await upkeep.plan_subscription(session, scope, channel, card, now=now)
