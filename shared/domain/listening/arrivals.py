"""Reading what came in, and asking for it to be settled again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_, update
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.errors import Conflict, NotFound
from shared.ids import Prefix, typeid
from shared.models import Arrival
from shared.models.enums import ArrivalState, GrantRole, KeyScope

_KIND = "arrivals"


async def search(
    session: Session, scope: Scope, *, state: ArrivalState | None = None, page: PageRequest, cursors: Cursors
) -> Page[Arrival]:
    """A page of the brand's arrivals, newest first. What an app's hook heard for it appears as parts."""
    bound = state.value if state else ""
    statement = select(Arrival).where(Arrival.brand_id == scope.brand_id)
    if state is not None:
        statement = statement.where(Arrival.state == state)
    if page.cursor is not None:
        at, id_ = cursors.decode(scope.brand_id, _KIND, bound, page.cursor)
        statement = statement.where(
            tuple_(col(Arrival.received_at), col(Arrival.id)) < tuple_(datetime.fromisoformat(at), UUID(id_))
        )
    statement = statement.order_by(col(Arrival.received_at).desc(), col(Arrival.id).desc()).limit(page.limit + 1)
    found = (await session.execute(statement)).scalars().all()
    return Page.cut(
        found,
        page.limit,
        lambda a: cursors.encode(scope.brand_id, _KIND, bound, [a.received_at.isoformat(), str(a.id)]),
    )


async def get(session: Session, scope: Scope, arrival_id: UUID) -> Arrival:
    """One arrival of the brand. Raises NotFound."""
    statement = select(Arrival).where(Arrival.brand_id == scope.brand_id, Arrival.id == arrival_id)
    found = (await session.execute(statement)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no arrival with the id {typeid(Prefix.ARRIVAL, arrival_id)!r}")
    return found


async def replay(session: Session, scope: Scope, arrival_id: UUID, *, now: datetime) -> Arrival:
    """Put an arrival before the worker once more; one that is still waiting stays as it is.

    Raises NotFound, NotAllowed, and Conflict where its body is already forgotten.
    """
    scope.require(KeyScope.CHANNELS, GrantRole.EDITOR)
    arrival = await get(session, scope, arrival_id)
    if arrival.body is None:
        raise Conflict("the body of this arrival is forgotten: there is nothing left to replay", code="forgotten")
    if arrival.state is ArrivalState.RECEIVED:
        return arrival
    await session.execute(
        update(Arrival)
        .where(col(Arrival.brand_id) == scope.brand_id, col(Arrival.id) == arrival_id)
        .values(state=ArrivalState.RECEIVED, claims=0, claimed_until=None, settled_at=None)
    )
    await session.refresh(arrival)
    await audit.add(session, scope, "arrival.replayed", typeid(Prefix.ARRIVAL, arrival_id))
    return arrival
