"""Polling: what a network did not push is asked for, page after page, and settled on the same road."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import Counter

from services.ingest import keeping, rechecking
from services.ingest.handlers import Worker
from services.ingest.hands import After
from services.logins import Caller, Logins
from services.pauses import LONGEST, asked, growing, spread
from shared.connectors.registry import connector
from shared.contract import Card, Page
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.domain.brands.lanes import lane_of
from shared.domain.listening import polls
from shared.domain.scope import Scope
from shared.domain.turns import Turn
from shared.errors import Gone, Invalid, LoginDead, NetworkError, NotFound, RateLimited, Refused, Unavailable
from shared.http import check_address, own_places
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models.channel import Channel
from shared.models.enums import ArrivalSource, ChannelStatus
from shared.vault import UnknownKey

_log = logger("ingest.polling")
_PAGES = 20  # in one turn; what is left comes in the next, after others had theirs
_PATIENCE = 0.5  # of a lease: so long does a turn ask for pages

POLLS = Counter("parvis_polls_total", "Polls of channels, by outcome.", ["network", "outcome"])


@dataclass(frozen=True, slots=True)
class _Poll:
    """One turn of one channel."""

    worker: Worker
    channel: Channel
    card: Card
    usual: timedelta
    due_at: datetime
    deadline: float


async def act(worker: Worker, logins: Logins, turn: Turn) -> After:
    """Poll the channel whose turn it is. No transaction waits on the network."""
    channel = await keeping.channel_of(worker, turn)
    if channel is None:
        return After(None)
    card = connector(channel.network).card
    usual = card.poll_every or timedelta(seconds=worker.settings.poll_seconds)
    lane = lane_of(channel, card)
    if channel.status is not ChannelStatus.ACTIVE:
        return After(usual, lane=lane)
    deadline = asyncio.get_running_loop().time() + worker.settings.lease_seconds * _PATIENCE
    poll = _Poll(worker, channel, card, usual, turn.due_at, deadline)
    outcome, after = await _outcome(poll, logins, turn.failures + 1)
    POLLS.labels(channel.network.value, outcome).inc()
    _log.info(
        "channel.polled",
        brand=typeid(Prefix.BRAND, channel.brand_id),
        channel=typeid(Prefix.CHANNEL, channel.id),
        network=channel.network.value,
        outcome=outcome,
    )
    return After(after.wait, after.failures, lane, after.told)


async def _outcome(poll: _Poll, logins: Logins, failures: int) -> tuple[str, After]:
    """What came of it in a word, and when the next turn is."""
    try:
        return "done", await _turn(poll, logins)
    except LoginDead as error:
        await keeping.stand_still(poll.worker, poll.channel, error)
        return error.code, After(poll.usual)
    except Gone as error:
        await keeping.stand_still(poll.worker, poll.channel, error)
        return error.code, After(None)
    except NotFound:
        return "removed", After(None)
    except (NetworkError, UnknownKey) as error:
        code = error.code if isinstance(error, NetworkError) else "unknown_key"
        message = error.message if isinstance(error, NetworkError) else f"its login can't be opened: {error}"
        _log.warning("poll.failed", channel=str(poll.channel.id), error=code, message=message)
        await _note_hole(poll, message)
        if isinstance(error, RateLimited):
            wait = asked(error.after) * random.uniform(1, 1.2)
            return code, After(wait, failures, told=error.after)
        return code, After(growing(2 * poll.usual, failures, max(LONGEST, poll.usual)), failures)
    except Exception as error:
        await _note_hole(poll, f"polling failed on our side ({type(error).__name__})")
        raise


async def _turn(poll: _Poll, logins: Logins) -> After:
    caller = await logins.of(poll.channel)
    wait = await _pages(poll, caller)
    if wait == timedelta(0):
        return After(wait)
    told = await rechecking.recheck(poll.worker, caller, poll.channel, poll.card, deadline=poll.deadline)
    wanted = [asked(one) for one in (wait, told) if one is not None]
    return After(max([spread(poll.usual, 0.05), *wanted]), told=told)


async def _pages(poll: _Poll, caller: Caller) -> timedelta | None:
    """Page after page, each kept and its cursor moved in one transaction: a crash repeats a page and loses none.

    How long the network wants to be left alone; None where it does not say; zero where there is more to be had.
    """
    kept, since = poll.channel.poll_cursor, poll.channel.poll_cursor
    for number in range(_PAGES):
        lost = False
        try:
            page = await _page(poll, caller, since)
        except Refused:
            if number or since is None:
                raise
            # Perhaps it is only the place that the network does not know any more: without it, it says what is newest.
            page, lost = await _page(poll, caller, None), True
        except TimeoutError:
            if not number:
                raise Unavailable(poll.channel.network.value, "the poll took too long", unsent=True) from None
            return timedelta(0)
        if not await _keep(poll, kept, page, lost=lost) or not page.more:
            return page.wait
        if page.cursor == since:
            _log.warning("poll.repeats", channel=str(poll.channel.id), network=poll.channel.network.value)
            POLLS.labels(poll.channel.network.value, "repeats").inc()
            return page.wait
        if page.wait:
            return page.wait
        kept = since = page.cursor
    return timedelta(0)


async def _page(poll: _Poll, caller: Caller, cursor: str | None) -> Page:
    network = connector(poll.channel.network)
    async with asyncio.timeout_at(poll.deadline):
        page = await caller.ask(lambda login: network.poll(poll.worker.http, login, cursor))
    keeping.bounded(poll.channel.network, page.arrivals)
    return page


async def _keep(poll: _Poll, kept: str | None, page: Page, *, lost: bool) -> bool:
    """Keep a page. False where somebody else has polled meanwhile, or the channel is gone."""
    channel, now = poll.channel, datetime.now(UTC)
    moved = page.moved if await _may_be_called(poll, page.moved) else None
    after = timedelta(seconds=poll.worker.settings.reconcile_after_seconds)

    async def also(session: Session, scope: Scope) -> bool:
        if not await polls.keep_cursor(session, channel.brand_id, channel.id, old=kept, new=page.cursor, now=now):
            return False
        if moved is not None:
            await channels.moved(session, scope, channel.id, base_url=moved, now=now)
        await polls.observed(
            session, scope, channel, card=poll.card, due_at=poll.due_at, lost=lost, reconcile_after=after, now=now
        )
        return True

    return await keeping.keep(poll.worker, channel, ArrivalSource.POLL, page.arrivals, also)


async def _may_be_called(poll: _Poll, address: str | None) -> bool:
    """Whether this is another address than the channel's, and one that the guarded client would call."""
    if address is None or address == poll.channel.base_url:
        return False
    settings = poll.worker.settings
    try:
        await check_address(address, settings.private_networks, places=own_places(settings))
    except Invalid as error:
        _log.warning("poll.moved_away", channel=str(poll.channel.id), message=error.message)
        return False
    return True


async def _note_hole(poll: _Poll, reason: str) -> None:
    async with poll.worker.db.session() as session:
        scope = await scopes.house(session, poll.channel.brand_id)
        await polls.missed(session, scope, poll.channel, reason=reason, now=datetime.now(UTC))
