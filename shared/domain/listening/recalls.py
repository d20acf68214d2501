"""A saved query asked of what is stored: page after page, from the newest back, until it is through or called off. And
of networks that can search: they are searched side by side (`searches.py`), and the recall is over when they are.

A page is one transaction under the brand's lock, with its matches and the place that was reached. A page that is done
twice ends the same. Where the query changes meanwhile, its next page is the first again. One that a rename began is of
one author's mentions (`renames.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from shared.analysis.matcher import listening
from shared.analysis.queries.parsing import parse
from shared.contract import Card
from shared.db import Session
from shared.domain.brands import audit
from shared.domain.listening import backfills, queries, recall_pages, record, searches
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models.enums import GrantRole, KeyScope, Network, OperationKind, OperationStatus, RecallOver
from shared.models.operation import Operation
from shared.models.query import SavedQuery
from shared.models.turn import DueOperation

STORED = (RecallOver.STORED,)
_PAGE = 500
_THROUGH = "through"  # the cursor behind the last page


class Step(StrEnum):
    """What there is to do yet: another page, or to wait for the networks."""

    PAGE = "page"
    WAITING = "waiting"


async def start(
    session: Session,
    scope: Scope,
    query_id: UUID,
    *,
    since: datetime,
    over: Sequence[RecallOver] = STORED,
    cards: Mapping[Network, Card] | None = None,
    now: datetime,
) -> Operation:
    """Begin to ask what was published from `since` on; over networks, by their `cards`.

    Raises NotFound, Invalid, and Conflict where it is under way.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    await record.lock_brand(session, scope.brand_id)
    query = await queries.get(session, scope, query_id)
    if not over:
        raise Invalid([Problem("required", "say over what: stored, networks or both", ("over",))])
    if since >= now:
        raise Invalid([Problem("invalid", "since lies before now", ("since",))])
    under_way = await _unfinished(session, scope, query_id)
    if under_way is not None:
        message = f"this query is already recalled, by {typeid(Prefix.OPERATION, under_way.id)}"
        raise Conflict(message, code="already_running")
    made = Operation(
        brand_id=scope.brand_id, kind=OperationKind.RECALL, query_id=query_id, since=since, created_at=now,
        over=[one.value for one in RecallOver if one in over],
    )  # fmt: skip
    session.add(made)
    await session.flush()
    session.add(
        DueOperation(
            operation_id=made.id, brand_id=scope.brand_id, channel_id=query_id, lane=recall_pages.LANE,
            due_at=now,
        )
    )  # fmt: skip
    await session.flush()
    if RecallOver.NETWORKS in over:
        await searches.start(session, scope, made, query, cards=cards or {}, now=now)
    await audit.add(session, scope, "query.recall", typeid(Prefix.QUERY, query_id))
    return made


async def go_on(session: Session, scope: Scope, operation_id: UUID, *, now: datetime) -> Step | None:
    """Do the next page; what there is to do yet. What is over, or of a query that is gone, ends here."""
    try:
        zone = await record.lock_brand(session, scope.brand_id)
    except NotFound:
        return None
    operation = await backfills.begin(session, scope, operation_id, now=now)
    if operation is None or operation.query_id is None:
        return None
    query = (await queries.by_ids(session, scope, [operation.query_id])).get(operation.query_id)
    if query is None:
        problem = Problem("not_found", "the query was deleted")
        await backfills.fail(session, scope, operation_id, problem, now=now)
        return None
    if _asks_stored(operation) and operation.cursor != _THROUGH and await _page(session, scope, zone, operation, query):
        return Step.PAGE
    return await _networks(session, scope, operation, now)


def _asks_stored(operation: Operation) -> bool:
    return not operation.over or RecallOver.STORED in operation.over


async def _networks(session: Session, scope: Scope, operation: Operation, now: datetime) -> Step | None:
    """The end of the recall, once the networks that it searches are through too."""
    below = (await searches.of(session, scope, [operation.id])).get(operation.id, [])
    if not all(one.operation.is_over for one in below):
        return Step.WAITING
    if not _asks_stored(operation):
        at = [one.operation.reached_at for one in below]
        known = [one for one in at if one is not None]
        operation.reached_at = max(known) if known and len(known) == len(at) else None
    failed = [one.operation.problem for one in below if one.operation.status is OperationStatus.FAILED]
    if failed and len(failed) == len(below) and not _asks_stored(operation):
        operation.problem = failed[0]
        backfills.end(operation, OperationStatus.FAILED, now)
    else:
        backfills.end(operation, OperationStatus.SUCCEEDED, now)
    await session.flush()
    return None


async def _page(session: Session, scope: Scope, zone: ZoneInfo, operation: Operation, query: SavedQuery) -> bool:
    """Ask the next page; whether there is one after it."""
    place = recall_pages.place_at(operation.cursor, query.version)
    if place is None and operation.pages:
        operation.mentions = operation.matches = 0
    asking = [listening((query.id, query.version), parse(query.expression))]
    author_id = recall_pages.author_of(operation)
    page = await recall_pages.ask(
        session, scope, zone, asking, place, _PAGE, since=operation.since, author_id=author_id
    )
    operation.matches += page.matches
    operation.mentions += page.mentions
    operation.pages += 1
    operation.version += 1
    if not page.more:
        operation.reached_at, operation.cursor = operation.since, _THROUGH
    elif page.last is not None:
        operation.reached_at = page.last.published_at
        operation.cursor = recall_pages.cursor_at(page.last, query.version)
    await session.flush()
    return page.more


async def _unfinished(session: Session, scope: Scope, query_id: UUID) -> Operation | None:
    """The query's recall of all authors that is not over."""
    wanted = select(Operation).where(
        col(Operation.brand_id) == scope.brand_id,
        col(Operation.query_id) == query_id,
        col(Operation.asked).is_(None),
        col(Operation.status).in_((OperationStatus.PENDING, OperationStatus.RUNNING)),
    )
    found: Operation | None = (await session.execute(wanted)).scalars().first()
    return found
