"""Looking again: a few of a channel's recent mentions with every turn, going round."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prometheus_client import Counter

from services.ingest import keeping
from services.ingest.handlers import Worker
from services.logins import Caller
from shared.connectors.registry import connector
from shared.contract import Capability, Card
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.listening import rechecks
from shared.domain.scope import Scope
from shared.errors import Gone, LoginDead, NetworkError, RateLimited, Refused
from shared.log import logger
from shared.models.channel import Channel
from shared.models.enums import ArrivalSource

_log = logger("ingest.rechecking")

RECHECKS = Counter(
    "parvis_rechecks_total", "Mentions that were to be looked at again, by outcome.", ["network", "outcome"]
)


async def recheck(
    worker: Worker, caller: Caller, channel: Channel, card: Card, *, deadline: float
) -> timedelta | None:  # fmt: skip
    """Look again at the next few. How long the network wants to be left alone, where it says so.

    What fails here does not fail the poll before it: the same few come with the next turn. Where the network refuses
    them, the next few do. Raises LoginDead, Gone.
    """
    if not card.can(Capability.RECHECK):
        return None
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand_id)
        known = await rechecks.next_(
            session, scope, channel.id, after=channel.recheck_cursor,
            since=datetime.now(UTC) - card.rechecks_for, limit=card.recheck_at_once,
        )  # fmt: skip
    if not known:
        if channel.recheck_cursor is not None:
            await _go_on(worker, channel, None)
        return None
    external_ids = [one.external_id for one in known]
    after = known[-1].id if len(known) == card.recheck_at_once else None
    network, count = connector(channel.network), RECHECKS.labels
    try:
        async with asyncio.timeout_at(deadline):
            arrivals = await caller.ask(lambda login: network.recheck(worker.http, login, external_ids))
        keeping.bounded(channel.network, arrivals)
    except (LoginDead, Gone):
        raise
    except (NetworkError, TimeoutError) as error:
        code = error.code if isinstance(error, NetworkError) else "timeout"
        count(channel.network.value, code).inc(len(known))
        _log.warning("recheck.failed", channel=str(channel.id), error=code)
        if isinstance(error, Refused):
            await _go_on(worker, channel, known[-1].id)
        return error.after if isinstance(error, RateLimited) else None
    count(channel.network.value, "done").inc(len(known))

    async def also(session: Session, scope: Scope) -> bool:
        return await rechecks.move(session, scope, channel.id, after=after)

    await keeping.keep(worker, channel, ArrivalSource.POLL, arrivals, also)
    return None


async def _go_on(worker: Worker, channel: Channel, after: UUID | None) -> None:
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand_id)
        await rechecks.move(session, scope, channel.id, after=after)
