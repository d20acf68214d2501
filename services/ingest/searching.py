"""Searches of networks for a recalled query: a page a turn, kept with the place that it leads to."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from services.ingest import keeping
from services.ingest.handlers import Worker
from services.ingest.hands import After
from services.logins import Logins
from services.pauses import asked
from shared.connectors.registry import connector
from shared.contract import Page, RawArrival, RawPart, Said
from shared.db import Session
from shared.domain.listening import searches
from shared.domain.scope import Scope
from shared.errors import BadPayload
from shared.models.channel import Channel
from shared.models.enums import ArrivalSource
from shared.models.operation import Operation

_PATIENCE = 0.5  # of a lease


async def step(worker: Worker, logins: Logins, channel: Channel, operation: Operation) -> tuple[str, After]:
    """Bring the search's next page. Raises what the network's answer stands for, and NotFound."""
    network, following = connector(channel.network), searches.following(operation)
    caller = await logins.asking(channel)
    async with asyncio.timeout(worker.settings.lease_seconds * _PATIENCE):
        page = await caller.ask(
            lambda login: network.search(worker.http, login, following.words, following.cursor, operation.since)
        )
    keeping.bounded(channel.network, page.arrivals)
    return await _keep(worker, channel, operation, page)


async def _keep(worker: Worker, channel: Channel, operation: Operation, page: Page) -> tuple[str, After]:
    now, brought = datetime.now(UTC), _brought(channel, page.arrivals)
    is_over = False

    async def also(session: Session, scope: Scope) -> bool:
        nonlocal is_over
        moved = await searches.advance(
            session, scope, operation.id, page, asked=operation.cursor, brought=brought, now=now
        )
        is_over = moved is not None and moved.is_over
        return moved is not None

    if not await keeping.keep(worker, channel, ArrivalSource.POLL, page.arrivals, also):
        return "called_off", After(None)
    if is_over:
        return "succeeded", After(None)
    return "page", After(asked(page.wait) if page.wait else timedelta(0))


def _brought(channel: Channel, arrivals: Iterable[RawArrival]) -> int:
    """How many things these tell of. What can't be read is said where it is settled."""
    network, named = connector(channel.network), set()
    for one in arrivals:
        try:
            parsed = network.parse(RawPart(channel.external_id, one.body, one.stamp, one.headers))
        except BadPayload:
            continue
        named |= {fact.external_id for fact in parsed.heard if isinstance(fact, Said)}
    return len(named)
