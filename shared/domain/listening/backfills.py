"""Looking back: what was said before a channel was connected, or while nobody looked, brought page after page."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from shared.contract import Capability, Card, Page
from shared.db import Session
from shared.domain.brands import audit, coverage
from shared.domain.brands.lanes import lane_of
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models.channel import Channel
from shared.models.enums import ChannelStatus, GrantRole, KeyScope, OperationKind, OperationStatus
from shared.models.operation import Operation
from shared.models.turn import DueOperation

_UNFINISHED = (OperationStatus.PENDING, OperationStatus.RUNNING)


async def start(
    session: Session, scope: Scope, channel_id: UUID, *, since: datetime, card: Card, now: datetime
) -> Operation:  # fmt: skip
    """Begin to bring what was said on the channel from `since` on.

    Raises NotFound, Invalid, and Conflict where the channel stands still or is already looked back upon.
    """
    scope.require(KeyScope.CHANNELS, GrantRole.EDITOR)
    channel = await session.get(Channel, (scope.brand_id, channel_id), with_for_update=True)
    if channel is None or channel.removed_at is not None:
        raise NotFound(f"there is no channel with the id {typeid(Prefix.CHANNEL, channel_id)!r}")
    if not card.can(Capability.BACKFILL):
        raise Invalid([Problem("not_offered", f"{card.label} shows nothing of before here", ("channel_id",))])
    if since >= now:
        raise Invalid([Problem("invalid", "since lies before now", ("since",))])
    if channel.status is not ChannelStatus.ACTIVE:
        raise Conflict("this channel stands still: let it go on first", code="channel_stands_still")
    under_way = await unfinished(session, scope, channel_id, OperationKind.BACKFILL)
    if under_way is not None:
        message = f"this channel is already looked back upon, by {typeid(Prefix.OPERATION, under_way.id)}"
        raise Conflict(message, code="already_running")
    made = await _begin(session, scope, channel, since, card, now)
    await audit.add(session, scope, "channel.backfill", typeid(Prefix.CHANNEL, channel_id))
    return made


async def reconcile(
    session: Session, scope: Scope, channel: Channel, *, since: datetime, card: Card, now: datetime
) -> None:  # fmt: skip
    """Look back over a hole by ourselves, where the network can. One that is under way is led back as far."""
    if not card.can(Capability.BACKFILL):
        return
    under_way = await unfinished(session, scope, channel.id, OperationKind.BACKFILL)
    if under_way is None:
        await _begin(session, scope, channel, since, card, now)
        return
    under_way.since = min(under_way.since, since)
    await session.flush()


async def _begin(
    session: Session, scope: Scope, channel: Channel, since: datetime, card: Card, now: datetime
) -> Operation:  # fmt: skip
    made = Operation(
        brand_id=scope.brand_id, kind=OperationKind.BACKFILL, channel_id=channel.id, since=since, created_at=now
    )
    session.add(made)
    await session.flush()
    turn = DueOperation(
        operation_id=made.id,
        brand_id=scope.brand_id,
        channel_id=channel.id,
        lane=lane_of(channel, card),
        due_at=now,
    )
    session.add(turn)
    await session.flush()
    return made


async def get(session: Session, scope: Scope, operation_id: UUID) -> Operation:
    """One operation. Raises NotFound."""
    found = await session.get(Operation, (scope.brand_id, operation_id))
    if found is None:
        raise _unknown(operation_id)
    return found


async def cancel(session: Session, scope: Scope, operation_id: UUID, *, now: datetime) -> Operation:
    """Call an operation off: what it has brought stays. Raises NotFound, and Conflict where it is over."""
    operation = await held(session, scope, operation_id)
    if operation is None:
        raise _unknown(operation_id)
    is_of_query = operation.kind in {OperationKind.RECALL, OperationKind.SEARCH}
    scope.require(KeyScope.PUBLISH if is_of_query else KeyScope.CHANNELS, GrantRole.EDITOR)
    if operation.status is OperationStatus.CANCELLED:
        return operation
    if operation.is_over:
        raise Conflict(f"this operation has {operation.status.value} already", code="wrong_state")
    end(operation, OperationStatus.CANCELLED, now)
    await call_off_below(session, scope, operation_id, now=now)
    await audit.add(session, scope, "operation.cancel", typeid(Prefix.OPERATION, operation_id))
    return operation


async def call_off(session: Session, scope: Scope, channel_id: UUID, *, now: datetime) -> None:
    """No long work on the channel goes on: it goes away."""
    await _call_off(session, scope, col(Operation.channel_id) == channel_id, now)


async def call_off_below(session: Session, scope: Scope, parent_id: UUID, *, now: datetime) -> None:
    """None of an operation's parts goes on: it does not either."""
    await _call_off(session, scope, col(Operation.parent_id) == parent_id, now)


async def _call_off(session: Session, scope: Scope, which: ColumnElement[bool], now: datetime) -> None:
    wanted = select(Operation).where(
        col(Operation.brand_id) == scope.brand_id, which, col(Operation.status).in_(_UNFINISHED)
    )
    for operation in (await session.execute(wanted.with_for_update())).scalars():
        end(operation, OperationStatus.CANCELLED, now)
    await session.flush()


async def begin(session: Session, scope: Scope, operation_id: UUID, *, now: datetime) -> Operation | None:
    """The operation, running from now on; None where it is over."""
    operation = await held(session, scope, operation_id)
    if operation is None or operation.is_over:
        return None
    if operation.status is OperationStatus.PENDING:
        operation.status, operation.started_at = OperationStatus.RUNNING, now
        operation.version += 1
        await session.flush()
    return operation


async def advance(
    session: Session, scope: Scope, operation_id: UUID, page: Page, *, asked: str | None, now: datetime
) -> Operation | None:
    """A page was brought that was asked for by the cursor `asked`; with the last one the operation has succeeded.

    None where it was called off, or somebody else has brought that page meanwhile. What the channel is said to have
    been looked back upon is what the network says that it has shown.
    """
    operation = await held(session, scope, operation_id)
    if operation is None or operation.is_over or operation.cursor != asked:
        return None
    operation.arrivals += len(page.arrivals)
    operation.pages += 1
    operation.cursor = page.cursor
    operation.version += 1
    reached = page.reached if page.more or page.reached is not None else operation.since
    if reached is not None and operation.channel_id is not None:
        operation.reached_at = min(reached, operation.reached_at or reached)
        await coverage.backfilled(
            session, scope, operation.channel_id, operation.id, since=operation.reached_at, until=operation.created_at
        )
    if not page.more:
        end(operation, OperationStatus.SUCCEEDED, now)
    await session.flush()
    return operation


async def fail(session: Session, scope: Scope, operation_id: UUID, problem: Problem, *, now: datetime) -> None:
    """The operation does not go on; what it has brought stays."""
    operation = await held(session, scope, operation_id)
    if operation is not None and not operation.is_over:
        operation.problem = asdict(problem)
        end(operation, OperationStatus.FAILED, now)
        await call_off_below(session, scope, operation_id, now=now)


def progress(operation: Operation) -> Mapping[str, Any]:
    """How far it is, for programs and in words."""
    return {
        "arrivals": operation.arrivals,
        "pages": operation.pages,
        "reached_at": operation.reached_at,
        "mentions": operation.mentions,
        "matches": operation.matches,
        "changed": operation.changed,
        "message": _message(operation),
    }


def _message(operation: Operation) -> str:
    reached = operation.reached_at
    back = f"reached back to {reached.isoformat(timespec='seconds')}, " if reached is not None else ""
    match operation.kind:
        case OperationKind.BACKFILL:
            return f"{back}{operation.arrivals} arrivals"
        case OperationKind.RECALL:
            return f"{back}{operation.mentions} mentions asked, {operation.matches} match"
        case OperationKind.SEARCH:
            return f"{back}{operation.mentions} things brought"
        case OperationKind.READING:
            return f"{operation.mentions} mentions read again, {operation.changed} read otherwise"
        case _:
            assert_never(operation.kind)


async def held(session: Session, scope: Scope, operation_id: UUID) -> Operation | None:
    """The operation, which nobody else changes until the transaction ends."""
    return await session.get(
        Operation, (scope.brand_id, operation_id), with_for_update=True, populate_existing=True
    )  # fmt: skip


async def unfinished(session: Session, scope: Scope, channel_id: UUID, kind: OperationKind) -> Operation | None:
    """The channel's long work of this kind that is not over, held until the transaction ends."""
    wanted = select(Operation).where(
        col(Operation.brand_id) == scope.brand_id,
        col(Operation.channel_id) == channel_id,
        col(Operation.kind) == kind,
        col(Operation.status).in_(_UNFINISHED),
    )
    found: Operation | None = (await session.execute(wanted.with_for_update())).scalars().first()
    return found


def end(operation: Operation, status: OperationStatus, now: datetime) -> None:
    """It is over."""
    operation.status, operation.ended_at = status, now
    operation.version += 1


def _unknown(operation_id: UUID) -> NotFound:
    return NotFound(f"there is no operation with the id {typeid(Prefix.OPERATION, operation_id)!r}")
