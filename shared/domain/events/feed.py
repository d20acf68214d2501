"""Reading what happened, by number only."""

from collections.abc import Collection

from sqlalchemy import func
from sqlmodel import col, select

from shared.db import Session
from shared.domain.scope import Scope
from shared.models.brand import BrandSequence
from shared.models.enums import EventType
from shared.models.event import Event


async def after(
    session: Session, scope: Scope, *, after: int, types: Collection[EventType] = (), limit: int = 100
) -> list[Event]:
    """The brand's events with a greater number than `after`, in order, at most `limit`; `types` empty: all of them."""
    wanted = (
        select(Event)
        .where(col(Event.brand_id) == scope.brand_id, col(Event.seq) > after)
        .order_by(col(Event.seq))
        .limit(limit)
    )
    if types:
        wanted = wanted.where(col(Event.type).in_(types))
    return list((await session.execute(wanted)).scalars())


async def last(session: Session, scope: Scope) -> int:
    """The greatest number given so far; 0 before the first."""
    newest = select(func.max(BrandSequence.last_seq)).where(col(BrandSequence.brand_id) == scope.brand_id)
    return (await session.execute(newest)).scalar_one() or 0
