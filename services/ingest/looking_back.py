"""Backfills and searches: a page a turn, kept with its cursor, until the network has shown what it can, or all is
called off."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prometheus_client import Counter

from services.ingest import keeping, searching
from services.ingest.handlers import Worker
from services.ingest.hands import After
from services.logins import Logins
from services.pauses import asked, growing
from shared.connectors.registry import connector
from shared.contract import Page
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.brands.lanes import lane_of
from shared.domain.listening import backfills
from shared.domain.scope import Scope
from shared.domain.turns import Turn
from shared.errors import Gone, LoginDead, NetworkError, NotFound, Problem, RateLimited, Refused
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models.channel import Channel
from shared.models.enums import ArrivalSource, ChannelStatus, OperationKind
from shared.models.operation import Operation
from shared.vault import UnknownKey

_log = logger("ingest.looking_back")
_MOST_PAGES = 50_000
_STANDS_STILL = timedelta(seconds=60)
_PATIENCE = 0.5  # of a lease

OPERATIONS = Counter(
    "parvis_operations_total", "Turns of long work, by kind and by what they came to.", ["kind", "network", "outcome"]
)


async def act(worker: Worker, logins: Logins, turn: Turn) -> After:
    """Bring the next page of the operation whose turn it is."""
    channel = await keeping.channel_of(worker, turn)
    if channel is None:
        return After(None)
    if channel.status is not ChannelStatus.ACTIVE:
        return After(_STANDS_STILL, turn.failures)
    operation = await _begin(worker, turn)
    if operation is None:
        return After(None)
    outcome, after = await _outcome(worker, logins, turn, channel, operation)
    OPERATIONS.labels(operation.kind.value, channel.network.value, outcome).inc()
    _log.info(
        "operation.advanced",
        brand=typeid(Prefix.BRAND, turn.brand_id),
        operation=typeid(Prefix.OPERATION, turn.id),
        network=channel.network.value,
        outcome=outcome,
    )
    lane = lane_of(channel, connector(channel.network).card)
    return After(after.wait, after.failures, lane, after.told)


async def _begin(worker: Worker, turn: Turn) -> Operation | None:
    async with worker.db.session() as session:
        scope = await scopes.house(session, turn.brand_id)
        return await backfills.begin(session, scope, turn.id, now=datetime.now(UTC))


async def _outcome(
    worker: Worker, logins: Logins, turn: Turn, channel: Channel, operation: Operation
) -> tuple[str, After]:
    failures = turn.failures + 1
    try:
        return await _step(worker, logins, channel, operation)
    except NotFound:
        return "removed", After(None)
    except RateLimited as error:
        return error.code, After(asked(error.after), turn.failures, told=error.after)
    except (LoginDead, Gone) as error:
        await keeping.stand_still(worker, channel, error)
        return error.code, After(_STANDS_STILL, turn.failures)
    except (NetworkError, UnknownKey, TimeoutError) as error:
        code, message = _what(error)
        if failures > worker.settings.retry_times or isinstance(error, Refused):
            return await _give_up(worker, turn.brand_id, turn.id, Problem(code, message))
        first = timedelta(seconds=worker.settings.retry_first_seconds)
        longest = timedelta(seconds=worker.settings.retry_max_seconds)
        return code, After(growing(first, failures, longest), failures)


def _what(error: Exception) -> tuple[str, str]:
    if isinstance(error, NetworkError):
        return error.code, error.message
    if isinstance(error, UnknownKey):
        return "unknown_key", f"the channel's login can't be opened: {error}"
    return "unavailable", "the network gave no answer in time"


async def _step(worker: Worker, logins: Logins, channel: Channel, operation: Operation) -> tuple[str, After]:
    if operation.kind is OperationKind.SEARCH:
        return await searching.step(worker, logins, channel, operation)
    page = await _page(worker, logins, channel, operation)
    return await _keep(worker, channel, operation, page)


async def _page(worker: Worker, logins: Logins, channel: Channel, operation: Operation) -> Page:
    network = connector(channel.network)
    caller = await logins.asking(channel)
    async with asyncio.timeout(worker.settings.lease_seconds * _PATIENCE):
        page = await caller.ask(
            lambda login: network.backfill(worker.http, login, operation.since, operation.cursor)
        )  # fmt: skip
    keeping.bounded(channel.network, page.arrivals)
    return page


async def _keep(worker: Worker, channel: Channel, operation: Operation, page: Page) -> tuple[str, After]:
    now, id_ = datetime.now(UTC), operation.id

    async def also(session: Session, scope: Scope) -> bool:
        return await backfills.advance(session, scope, id_, page, asked=operation.cursor, now=now) is not None

    if not await keeping.keep(worker, channel, ArrivalSource.POLL, page.arrivals, also):
        return "called_off", After(None)
    if not page.more:
        return "succeeded", After(None)
    if page.cursor == operation.cursor:
        problem = Problem("repeats", "the network gives the same page again and again; what it has shown is kept")
        return await _give_up(worker, channel.brand_id, id_, problem)
    if operation.pages >= _MOST_PAGES:
        problem = Problem("too_long", f"after {_MOST_PAGES} pages there is still more; begin again from where it is")
        return await _give_up(worker, channel.brand_id, id_, problem)
    return "page", After(asked(page.wait) if page.wait else timedelta(0))


async def _give_up(worker: Worker, brand_id: UUID, operation_id: UUID, problem: Problem) -> tuple[str, After]:
    async with worker.db.session() as session:
        scope = await scopes.house(session, brand_id)
        await backfills.fail(session, scope, operation_id, problem, now=datetime.now(UTC))
    return "failed", After(None)
