"""When each channel was really observed, and the holes in it."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlmodel import col

from shared.db import Session
from shared.domain.scope import Scope
from shared.models.channel import Coverage
from shared.models.enums import CoverageKind


async def begin(session: Session, scope: Scope, channel_id: UUID, *, via: str, now: datetime) -> None:
    """The channel is observed from `now` on, by webhook or poll."""
    session.add(
        Coverage(
            brand_id=scope.brand_id, channel_id=channel_id, kind=CoverageKind.OBSERVED, via=via, from_at=now, to_at=None
        )
    )
    await session.flush()


async def end(session: Session, scope: Scope, channel_id: UUID, *, now: datetime) -> None:
    """Close every interval of the channel that is still open."""
    await session.execute(
        update(Coverage)
        .where(
            Coverage.brand_id == scope.brand_id,  # type: ignore[arg-type]
            Coverage.channel_id == channel_id,  # type: ignore[arg-type]
            Coverage.to_at.is_(None),  # type: ignore[union-attr]
        )
        .values(to_at=now)
        .execution_options(synchronize_session=False)
    )


async def intervals(
    session: Session,
    scope: Scope,
    channel_ids: Collection[UUID],
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[UUID, list[Coverage]]:
    """Each channel's intervals that touch [since, until), oldest first."""
    query = select(Coverage).where(
        Coverage.brand_id == scope.brand_id,  # type: ignore[arg-type]
        Coverage.channel_id.in_(channel_ids),  # type: ignore[attr-defined]
    )
    if since is not None:
        query = query.where(or_(Coverage.to_at.is_(None), Coverage.to_at > since))  # type: ignore[arg-type, operator, union-attr]
    if until is not None:
        query = query.where(Coverage.from_at < until)  # type: ignore[arg-type]
    found: dict[UUID, list[Coverage]] = defaultdict(list)
    for interval in (await session.execute(query.order_by(Coverage.from_at, Coverage.id))).scalars():  # type: ignore[arg-type]
        found[interval.channel_id].append(interval)
    return {channel_id: found[channel_id] for channel_id in channel_ids}


async def observed(
    session: Session, scope: Scope, channel_id: UUID, *, via: str, now: datetime
) -> Coverage | None:  # fmt: skip
    """The channel was seen up to `now`: an observed interval is open, and an open hole of the same way ends.

    The hole that ended, where there was one.
    """
    hole = await _open_interval(session, scope, channel_id, CoverageKind.HOLE, via)
    if hole is not None:
        await _close(session, scope, channel_id, CoverageKind.HOLE, via, now)
    if await _open_interval(session, scope, channel_id, CoverageKind.OBSERVED, via) is None:
        await begin(session, scope, channel_id, via=via, now=now)
    return hole


async def missed(session: Session, scope: Scope, channel_id: UUID, *, via: str, reason: str, now: datetime) -> None:
    """The channel could not be seen from `now` on: a hole is open, until it is observed again."""
    if await _open_interval(session, scope, channel_id, CoverageKind.HOLE, via) is not None:
        return
    await _close(session, scope, channel_id, CoverageKind.OBSERVED, via, now)
    session.add(
        Coverage(
            brand_id=scope.brand_id,
            channel_id=channel_id,
            kind=CoverageKind.HOLE,
            via=via,
            from_at=now,
            to_at=None,
            reason=reason[:500],
        )
    )
    await session.flush()


async def interrupted(
    session: Session, scope: Scope, channel_id: UUID, *, via: str, reason: str, now: datetime
) -> None:
    """Like `missed`, where the channel was observed this way at all."""
    if await _open_interval(session, scope, channel_id, CoverageKind.OBSERVED, via) is not None:
        await missed(session, scope, channel_id, via=via, reason=reason, now=now)


async def backfilled(
    session: Session, scope: Scope, channel_id: UUID, operation_id: UUID, *, since: datetime, until: datetime
) -> None:
    """Everything that is still there of [since, until) has been brought by this operation, whatever it said before."""
    interval = await session.get(Coverage, (scope.brand_id, operation_id))
    if interval is None:
        interval = Coverage(
            brand_id=scope.brand_id,
            id=operation_id,
            channel_id=channel_id,
            kind=CoverageKind.BACKFILLED,
            via="backfill",
            from_at=since,
            to_at=until,
        )
        session.add(interval)
    interval.from_at = min(interval.from_at, since)
    await session.flush()


async def _open_interval(
    session: Session, scope: Scope, channel_id: UUID, kind: CoverageKind, via: str
) -> Coverage | None:
    found: Coverage | None = await session.scalar(select(Coverage).where(*_open(scope, channel_id, kind, via)).limit(1))
    return found


async def _close(session: Session, scope: Scope, channel_id: UUID, kind: CoverageKind, via: str, now: datetime) -> None:
    await session.execute(
        update(Coverage)
        .where(*_open(scope, channel_id, kind, via))
        .values(to_at=now)
        .execution_options(synchronize_session=False)
    )


def _open(scope: Scope, channel_id: UUID, kind: CoverageKind, via: str) -> list[ColumnElement[bool]]:
    return [
        col(Coverage.brand_id) == scope.brand_id,
        col(Coverage.channel_id) == channel_id,
        col(Coverage.kind) == kind,
        col(Coverage.via) == via,
        col(Coverage.to_at).is_(None),
    ]
