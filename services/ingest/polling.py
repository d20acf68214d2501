"""Polling: what a network did not push is fetched, kept as arrivals, and settled on the same road."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prometheus_client import Counter

from services.ingest.handlers import Worker
from services.rounds import passes
from shared.connectors.registry import connector
from shared.contract import Page
from shared.domain import scope as scopes
from shared.domain.brands import channels, coverage
from shared.domain.listening import inbox, polls
from shared.domain.listening.inbox import Target
from shared.domain.listening.polls import Due
from shared.errors import LoginDead, NetworkError, RateLimited
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models import Channel
from shared.models.enums import ArrivalSource, ChannelStatus
from shared.queues import SettleArrivals

_log = logger("ingest.polling")
_AT_ONCE = 8
_PAGES = 20

POLLS = Counter("parvis_polls_total", "Polls of channels, by outcome.", ["network", "outcome"])


async def sweep(worker: Worker) -> None:
    """Poll every due channel, a few at once."""
    while True:
        async with worker.db.session() as session:
            due = await polls.claim(session, limit=_AT_ONCE, lease=worker.settings.lease)
        await asyncio.gather(*(_poll(worker, one) for one in due))
        if len(due) < _AT_ONCE:
            return


async def poll(worker: Worker, channel_id: UUID) -> None:
    """Poll one channel, if it is due and nobody else has it."""
    async with worker.db.session() as session:
        due = await polls.claim(session, limit=1, lease=worker.settings.lease, channel_ids=[channel_id])
    for one in due:
        await _poll(worker, one)


async def _poll(worker: Worker, due: Due) -> None:
    """One channel's new pages. No transaction waits on the network."""
    outcome, wait, failures = "done", timedelta(seconds=worker.settings.poll_seconds), 0
    network = "unknown"
    try:
        channel = await _channel(worker, due)
        if channel is not None:
            network = channel.network.value
            await _pages(worker, channel)
    except LoginDead as error:
        outcome = "login_dead"
        await _stop(worker, due, error.message)
    except NetworkError as error:
        outcome, failures = error.code, due.failures + 1
        wait = min(timedelta(hours=1), wait * 2 ** min(failures, 10))
        if isinstance(error, RateLimited):
            wait = max(error.after, timedelta(seconds=1))
        _log.warning("poll.failed", channel=str(due.channel_id), error=error.code, message=error.message)
        await _note_hole(worker, due, error.message)
    except Exception as error:
        if passes(error):
            _log.warning("poll.waits", channel=str(due.channel_id), error=type(error).__name__)
            return  # the lease ends by itself
        outcome, failures = "broken", due.failures + 1
        wait = min(timedelta(hours=1), wait * 2 ** min(failures, 10))
        _log.exception("poll.broke", channel=str(due.channel_id))
        await _note_hole(worker, due, f"polling failed on our side ({type(error).__name__})")
    POLLS.labels(network, outcome).inc()
    _log.info(
        "channel.polled",
        brand=typeid(Prefix.BRAND, due.brand_id),
        channel=typeid(Prefix.CHANNEL, due.channel_id),
        network=network,
        outcome=outcome,
    )
    async with worker.db.session() as session:
        await polls.done(session, due.channel_id, wait=wait, failures=failures)


async def _channel(worker: Worker, due: Due) -> Channel | None:
    async with worker.db.session() as session:
        scope = await scopes.house(session, due.brand_id)
        channel = await channels.get(session, scope, due.channel_id)
    return channel if channel.status is ChannelStatus.ACTIVE else None


async def _pages(worker: Worker, channel: Channel) -> None:
    """Page after page, each kept and its cursor moved in one transaction, so a crash repeats a page and loses none."""
    cursor = channel.poll_cursor
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand_id)
        login = await channels.login(session, scope, worker.vault, channel)
    for _ in range(_PAGES):
        page = await connector(channel.network).poll(worker.http, login, cursor)
        if not await _keep(worker, channel, cursor, page) or not page.more:
            return
        cursor = page.cursor


async def _keep(worker: Worker, channel: Channel, cursor: str | None, page: Page) -> bool:
    now = datetime.now(UTC)
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand_id)
        if not await polls.keep_cursor(session, channel.brand_id, channel.id, old=cursor, new=page.cursor, now=now):
            return False
        target = Target(channel.brand_id, channel.id, channel.hook_id)
        if page.arrivals:
            await inbox.receive(session, target, channel.network, ArrivalSource.POLL, page.arrivals, now=now)
        await coverage.observed(session, scope, channel.id, via="poll", now=now)
    if page.arrivals:
        worker.queues.ring(SettleArrivals())
    return True


async def _note_hole(worker: Worker, due: Due, reason: str) -> None:
    async with worker.db.session() as session:
        scope = await scopes.house(session, due.brand_id)
        await coverage.missed(session, scope, due.channel_id, via="poll", reason=reason, now=datetime.now(UTC))


async def _stop(worker: Worker, due: Due, reason: str) -> None:
    """The network no longer takes the login: say so once, stop polling and sending, go on hearing."""
    async with worker.db.session() as session:
        scope = await scopes.house(session, due.brand_id)
        await channels.login_died(session, scope, due.channel_id, reason=reason, now=datetime.now(UTC))
