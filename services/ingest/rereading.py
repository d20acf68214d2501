"""Reading anew: a batch a turn, until all that was said on the channel is read by the model of now."""

import asyncio
from datetime import UTC, datetime, timedelta

from services.ingest.handlers import Worker
from services.ingest.hands import After
from services.ingest.looking_back import OPERATIONS
from shared.domain import scope as scopes
from shared.domain.brands import brands
from shared.domain.listening import backfills, rereadings
from shared.domain.listening.readings import Readings
from shared.domain.turns import Turn
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models.operation import Operation

_log = logger("ingest.rereading")


async def act(worker: Worker, turn: Turn) -> After:
    """Read the next batch of the operation's mentions, outside of any transaction, and let the readings stand.

    A worker that dies on the way leaves the operation behind the batch before.
    """
    version = Readings(worker.reader).version()
    async with worker.db.session() as session:
        scope = await scopes.house(session, turn.brand_id)
        readings = Readings(worker.reader, home=await brands.languages(session, turn.brand_id))
        operation = await backfills.begin(session, scope, turn.id, now=datetime.now(UTC))
        if operation is None:
            return After(None)
        found = await rereadings.stale(session, scope, operation, version=version)
    await asyncio.to_thread(readings.ahead, [one.text for one in found])
    async with worker.db.session() as session:
        scope = await scopes.house(session, turn.brand_id)
        kept = await rereadings.advance(
            session, scope, operation, found, readings, ears=worker.ears, now=datetime.now(UTC)
        )
    return _told(turn, operation, kept)


def _told(turn: Turn, operation: Operation, kept: Operation | None) -> After:
    outcome = "called_off" if kept is None else "succeeded" if kept.is_over else "page"
    OPERATIONS.labels(operation.kind.value, "", outcome).inc()
    _log.info(
        "operation.advanced",
        brand=typeid(Prefix.BRAND, turn.brand_id),
        operation=typeid(Prefix.OPERATION, turn.id),
        outcome=outcome,
    )
    return After(timedelta(0) if outcome == "page" else None)
