"""Recalls: a page a turn, in one short transaction, until the query has been asked of all that is stored, and the
networks that are searched for it are through."""

from datetime import UTC, datetime, timedelta

from services.ingest.handlers import Worker
from services.ingest.hands import After
from services.ingest.looking_back import OPERATIONS
from shared.domain import scope as scopes
from shared.domain.listening import recalls
from shared.domain.listening.recalls import Step
from shared.domain.turns import Turn

_REST = timedelta(milliseconds=50)  # between two pages: what arrives meanwhile goes first
_A_LOOK = timedelta(seconds=2)  # after the networks that are searched


async def act(worker: Worker, turn: Turn) -> After:
    """Do the next page of the recall whose turn it is."""
    async with worker.db.session() as session:
        scope = await scopes.house(session, turn.brand_id)
        step = await recalls.go_on(session, scope, turn.id, now=datetime.now(UTC))
    OPERATIONS.labels("recall", "none", step.value if step is not None else "ended").inc()
    return After(None if step is None else _REST if step is Step.PAGE else _A_LOOK)
