"""Authors who are called otherwise than before: the queries to which that is a difference are asked again of what they
said, so that it does not matter whether a mention or the new name came first.

It is done in the transaction that records the new name for up to AT_ONCE mentions a batch. What is beyond them is a
recall of each such query, narrowed to the author, which begins by itself. Their pages are asked under the brand's lock,
with the name that stands by then.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from shared.analysis.queries.subject import Subject
from shared.db import Session
from shared.domain.listening import recall_pages
from shared.domain.listening.ears import Asking, Ears
from shared.domain.listening.rows import IdentityState
from shared.domain.scope import Scope
from shared.models.enums import OperationKind, OperationStatus, RecallOver
from shared.models.operation import Operation
from shared.models.turn import DueOperation

AT_ONCE: Final = 500


async def keep(
    session: Session,
    scope: Scope,
    zone: ZoneInfo,
    ears: Ears | None,
    authors: Iterable[IdentityState],
    *,
    now: datetime,
) -> None:
    """Ask again where a written identity is called otherwise. The brand's row is locked, its mentions are written.

    Where nobody is renamed, or no query asks for authors, nothing is read but the queries' versions.
    """
    renamed = [one for one in authors if one.is_renamed]
    matcher = await ears.of(session, scope.brand_id) if ears is not None and renamed else None
    if matcher is None or not matcher.asks_author:
        return
    room = AT_ONCE
    for one in renamed:
        # In a thread: a query may ask for thousands of authors.
        asking = await asyncio.to_thread(matcher.telling_apart, _called(one.was), _called((one.handle, one.name)))
        if not asking:
            continue
        asked = await recall_pages.ask(session, scope, zone, asking, None, room, author_id=one.id)
        room -= asked.mentions
        if asked.more:
            for query in asking:
                cursor = recall_pages.cursor_at(asked.last, query.key[1]) if asked.last is not None else None
                await _go_on_later(session, scope, query.key, one.id, cursor, now)


def _called(names: tuple[str | None, str | None] | None) -> Subject:
    """Nothing but its author."""
    handle, name = names or (None, None)
    return Subject("", author_handle=handle, author_name=name)


async def _go_on_later(
    session: Session, scope: Scope, key: Asking, author_id: UUID, cursor: str | None, now: datetime
) -> None:
    """Ask the query of the author's mentions from `cursor` back in the background; one that is under way goes on from
    there too."""
    query_id, _ = key
    operation = await _under_way(session, scope, query_id, author_id)
    if operation is not None:
        operation.cursor = cursor
        await session.flush()
        return
    operation = Operation(
        brand_id=scope.brand_id, kind=OperationKind.RECALL, query_id=query_id, since=recall_pages.ALL_TIME,
        over=[RecallOver.STORED.value], asked=recall_pages.of_author(author_id), cursor=cursor, created_at=now,
    )  # fmt: skip
    session.add(operation)
    await session.flush()
    session.add(
        DueOperation(
            operation_id=operation.id, brand_id=scope.brand_id, channel_id=query_id, lane=recall_pages.LANE, due_at=now
        )
    )
    await session.flush()


async def _under_way(session: Session, scope: Scope, query_id: UUID, author_id: UUID) -> Operation | None:
    """The recall of this author's mentions that is not over, held until the transaction ends."""
    wanted = select(Operation).where(
        col(Operation.brand_id) == scope.brand_id,
        col(Operation.kind) == OperationKind.RECALL,
        col(Operation.query_id) == query_id,
        col(Operation.asked) == recall_pages.of_author(author_id),
        col(Operation.status).in_((OperationStatus.PENDING, OperationStatus.RUNNING)),
    )
    found: Operation | None = (await session.execute(wanted.with_for_update())).scalars().first()
    return found
