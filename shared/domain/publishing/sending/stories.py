"""An effect's whole story: what was to happen, every try, where it stands, and what a person can do about it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.page import Cursors, Page, PageRequest, digest
from shared.domain.publishing.reading import attempts_of
from shared.domain.publishing.sending.settling import Settlement
from shared.domain.publishing.transitions import may_be_taken_back
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models.enums import OutgoingKind, OutgoingState
from shared.models.post import Attempt, Outgoing

_KIND = "outgoing"


@dataclass(frozen=True, slots=True)
class OutgoingFilter:
    """Which effects; an empty one is all of them."""

    states: tuple[OutgoingState, ...] = ()
    kinds: tuple[OutgoingKind, ...] = ()
    channel_ids: tuple[UUID, ...] = ()
    mention_id: UUID | None = None


async def get(session: Session, scope: Scope, outgoing_id: UUID) -> Outgoing:
    """One effect. Raises NotFound."""
    wanted = select(Outgoing).where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.id) == outgoing_id)
    found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no outgoing with the id {typeid(Prefix.OUTGOING, outgoing_id)!r}")
    return found


async def attempts(session: Session, scope: Scope, outgoing_id: UUID) -> list[Attempt]:
    """Every try at one effect, in order."""
    return (await attempts_of(session, scope, [outgoing_id])).get(outgoing_id, [])


async def search(
    session: Session, scope: Scope, *, where: OutgoingFilter | None = None, page: PageRequest, cursors: Cursors
) -> Page[Outgoing]:
    """Effects, the newest first."""
    where = where or OutgoingFilter()
    bound = digest(where)
    wanted = select(Outgoing).where(col(Outgoing.brand_id) == scope.brand_id)
    if where.states:
        wanted = wanted.where(col(Outgoing.state).in_(where.states))
    if where.kinds:
        wanted = wanted.where(col(Outgoing.kind).in_(where.kinds))
    if where.channel_ids:
        wanted = wanted.where(col(Outgoing.channel_id).in_(where.channel_ids))
    if where.mention_id is not None:
        wanted = wanted.where(col(Outgoing.mention_id) == where.mention_id)
    if page.cursor is not None:
        wanted = wanted.where(col(Outgoing.id) < UUID(cursors.decode(scope.brand_id, _KIND, bound, page.cursor)[0]))
    wanted = wanted.order_by(col(Outgoing.id).desc()).limit(page.limit + 1)
    found = (await session.execute(wanted)).scalars().all()
    return Page.cut(found, page.limit, lambda one: cursors.encode(scope.brand_id, _KIND, bound, [str(one.id)]))


async def of_mentions(session: Session, scope: Scope, mention_ids: Collection[UUID]) -> dict[UUID, list[Outgoing]]:
    """What was and is to be done to each mention, the oldest first."""
    wanted = (
        select(Outgoing)
        .where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.mention_id).in_(mention_ids))
        .order_by(col(Outgoing.id))
    )
    found: dict[UUID, list[Outgoing]] = {}
    for one in (await session.execute(wanted)).scalars():
        assert one.mention_id is not None
        found.setdefault(one.mention_id, []).append(one)
    return found


def ways_out(outgoing: Outgoing) -> list[str]:
    """What a person can do about it now: the settlements of what is uncertain, `cancel` where nothing has left us."""
    if outgoing.state is OutgoingState.UNCERTAIN:
        return [way.value for way in Settlement]
    return ["cancel"] if may_be_taken_back(outgoing.state) else []


def said_of(outgoing: Outgoing, now: datetime) -> str:
    """Where it stands, in a sentence for people."""
    problem = (outgoing.problem or {}).get("message")
    match outgoing.state:
        case OutgoingState.WAITING:
            told = "it waits for its moment" if outgoing.due_at > now else "it waits for its turn"
        case OutgoingState.SENDING:
            told = "it is on its way, and it is not known yet whether the network has it"
        case OutgoingState.RETRYING:
            told = "it is not on the network, and is tried again"
        case OutgoingState.LIVE:
            told = "it is on the network"
        case OutgoingState.REFUSED:
            told = "it is not on the network, and is not tried again"
        case OutgoingState.UNCERTAIN:
            told = "nobody can tell whether the network has it: look there, and settle it"
        case OutgoingState.DROPPED:
            told = "it was called off"
    return f"{told}: {problem}" if problem else told
