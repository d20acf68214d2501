"""Upkeep: logins are renewed before they run out, and networks asked to push on before a subscription ends."""

import asyncio
from datetime import UTC, datetime, timedelta

from prometheus_client import Counter

from services.ingest import keeping
from services.ingest.handlers import Worker
from services.ingest.hands import After
from services.logins import Logins, Whose
from services.pauses import growing
from shared.connectors.registry import connector
from shared.contract import HookAddress, Subscription
from shared.domain import scope as scopes
from shared.domain.brands import hooks, subscriptions, upkeep
from shared.domain.turns import Turn
from shared.errors import Gone, LoginDead, NetworkError, NotFound
from shared.log import logger
from shared.models.channel import Channel
from shared.models.enums import ChannelStatus, UpkeepKind
from shared.vault import UnknownKey

_log = logger("ingest.upkeep")
_STANDS_STILL = timedelta(minutes=10)
_PATIENCE = 0.5  # of a lease

SUBSCRIPTIONS = Counter(
    "parvis_subscriptions_total", "Subscriptions that were to be renewed, by outcome.", ["network", "outcome"]
)


async def act(worker: Worker, logins: Logins, turn: Turn) -> After | None:
    """Do what the turn is for. A login's turn is settled with the login itself."""
    channel = await keeping.channel_of(worker, turn)
    async with worker.db.session() as session:
        kind = await upkeep.kind_of(session, turn)
    if channel is None or kind is None:
        return After(None)
    if kind is UpkeepKind.SUBSCRIPTION:
        return await _subscribe(worker, logins, turn, channel)
    if channel.status is ChannelStatus.LOGIN_DEAD:
        return After(None)
    try:
        await logins.renew(Whose(channel.network, channel.brand_id, channel.id), turn)
    except NetworkError as error:
        _log.warning("upkeep.failed", channel=str(channel.id), error=error.code)
    return None


async def _subscribe(worker: Worker, logins: Logins, turn: Turn, channel: Channel) -> After | None:
    if channel.status is not ChannelStatus.ACTIVE:
        return After(_STANDS_STILL, turn.failures)
    failures = turn.failures + 1
    first = timedelta(seconds=worker.settings.retry_first_seconds)
    try:
        subscription = await _ask(worker, logins, channel)
    except (LoginDead, Gone) as error:
        SUBSCRIPTIONS.labels(channel.network.value, error.code).inc()
        await keeping.stand_still(worker, channel, error)
        return After(_STANDS_STILL, turn.failures)
    except (NetworkError, UnknownKey, TimeoutError, NotFound) as error:
        outcome = error.code if isinstance(error, NetworkError) else "failed"
        SUBSCRIPTIONS.labels(channel.network.value, outcome).inc()
        _log.warning("subscription.failed", channel=str(channel.id), error=outcome, failures=failures)
        return After(growing(first, failures), failures)
    SUBSCRIPTIONS.labels(channel.network.value, "renewed").inc()
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand_id)
        await subscriptions.keep(
            session, scope, worker.vault, channel.id, subscription,
            card=connector(channel.network).card, now=datetime.now(UTC),
        )  # fmt: skip
    return None


async def _ask(worker: Worker, logins: Logins, channel: Channel) -> Subscription | None:
    async with worker.db.session() as session:
        await scopes.house(session, channel.brand_id)
        secret = await subscriptions.secret_of(session, worker.vault, channel)
    url = hooks.url(worker.settings.hook_base_url, channel.hook_id)
    hook = HookAddress(url, secret.keys[0], secret.verify_token)
    network, caller = connector(channel.network), await logins.of(channel)
    async with asyncio.timeout(worker.settings.lease_seconds * _PATIENCE):
        return await caller.ask(lambda login: network.subscribe(worker.http, login, hook))
