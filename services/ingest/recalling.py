"""Recalls: a page a turn, in one short transaction, until the query has been asked of all that is stored."""

from datetime import UTC, datetime, timedelta

from services.ingest.handlers import Worker
from services.ingest.hands import After
from services.ingest.looking_back import OPERATIONS
from shared.domain import scope as scopes
from shared.domain.listening import recalls
from shared.domain.turns import Turn

_REST = timedelta(milliseconds=50)  # between two pages: what arrives meanwhile goes first


async def act(worker: Worker, turn: Turn) -> After:
    """Do the next page of the recall whose turn it is."""
    async with worker.db.session() as session:
        scope = await scopes.house(session, turn.brand_id)
        more = await recalls.go_on(session, scope, turn.id, now=datetime.now(UTC))
    OPERATIONS.labels("recall", "none", "page" if more else "ended").inc()
    return After(_REST if more else None)
