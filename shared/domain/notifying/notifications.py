"""A user's notifications: listed over the brands of the key, counted, read."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain import scope as scopes
from shared.domain.notifying import words
from shared.domain.page import Cursors, Page, PageRequest, digest
from shared.domain.scope import Principal, Scope
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.notification import Notification
from shared.models.organization import User

_KIND = "notifications"
_FORGET = """
DELETE FROM notification WHERE brand_id = $1 AND id IN (
  SELECT n.id FROM notification n WHERE n.brand_id = $1 AND n.at < $2 LIMIT $3) RETURNING id
"""


async def search(
    session: Session,
    principal: Principal,
    *,
    brand_id: UUID | None = None,
    is_unread: bool | None = None,
    page: PageRequest,
    cursors: Cursors,
) -> Page[Notification]:
    """A page of the user's own, newest first, over the key's brands or one of them."""
    wanted = select(Notification).where(*await _own(session, principal, brand_id))
    if is_unread is not None:
        wanted = wanted.where(
            col(Notification.read_at).is_(None) if is_unread else col(Notification.read_at).is_not(None)
        )
    bound = digest(brand_id, is_unread)
    if page.cursor is not None:
        before = UUID(cursors.decode(principal.user_id, _KIND, bound, page.cursor)[0])
        wanted = wanted.where(col(Notification.id) < before)
    wanted = wanted.order_by(col(Notification.id).desc()).limit(page.limit + 1)
    rows = list((await session.execute(wanted)).scalars())
    return Page.cut(rows, page.limit, lambda one: cursors.encode(principal.user_id, _KIND, bound, [str(one.id)]))


async def count_unread(session: Session, principal: Principal) -> int:
    """How many the user has not read, over the key's brands."""
    wanted = (
        select(func.count())
        .select_from(Notification)
        .where(*await _own(session, principal, None), col(Notification.read_at).is_(None))
    )
    return (await session.execute(wanted)).scalar_one()


async def get(session: Session, scope: Scope, id_: UUID) -> Notification:
    """One of the user's own, of the scope's brand. Raises NotFound: a colleague's is nobody else's."""
    found = await session.get(Notification, (scope.brand_id, id_))
    if found is None or not found.in_app or scope.principal is None or found.user_id != scope.principal.user_id:
        raise NotFound(f"there is no notification with the id {typeid(Prefix.NOTIFICATION, id_)!r}")
    return found


async def read(session: Session, scope: Scope, id_: UUID, *, now: datetime) -> Notification:
    """It has been read. Reading it again changes nothing. Raises NotFound."""
    found = await get(session, scope, id_)
    if found.read_at is None:
        found.read_at = now
        await session.flush()
    return found


async def read_all(
    session: Session,
    principal: Principal,
    *,
    brand_id: UUID | None = None,
    until: datetime | None = None,
    now: datetime,
) -> int:
    """All of the user's own have been read, of one brand or of all of the key's, up to `until`; how many that were.

    Raises NotFound for a foreign brand.
    """
    if brand_id is not None:
        await scopes.open_brand(session, principal, brand_id)
    conditions = [*await _own(session, principal, brand_id), col(Notification.read_at).is_(None)]
    # A brand's time may be ahead of ours, so without a word all is meant, whatever its date.
    asked = [col(Notification.at) <= until] if until is not None else []
    rows = await session.execute(select(Notification.brand_id).where(*conditions).distinct())
    count = 0
    for brand in sorted(rows.scalars()):
        changed = (
            update(Notification)
            .where(
                col(Notification.brand_id) == brand,
                col(Notification.user_id) == principal.user_id,
                col(Notification.in_app),
                col(Notification.read_at).is_(None),
                *asked,
            )
            .values(read_at=now)
            .returning(col(Notification.id))
        )
        count += len((await session.execute(changed)).all())
    return count


async def after(session: Session, scope: Scope, *, after: int, limit: int) -> list[Notification]:
    """The user's own of the brand whose event has a greater number than `after`, in its order."""
    assert scope.principal is not None
    wanted = (
        select(Notification)
        .where(
            col(Notification.brand_id) == scope.brand_id,
            col(Notification.user_id) == scope.principal.user_id,
            col(Notification.in_app),
            col(Notification.seq) > after,
        )
        .order_by(col(Notification.seq))
        .limit(limit)
    )
    return list((await session.execute(wanted)).scalars())


async def last(session: Session, scope: Scope) -> int:
    """The number of the newest event of which the user was told; 0 before the first."""
    assert scope.principal is not None
    wanted = select(func.max(Notification.seq)).where(
        col(Notification.brand_id) == scope.brand_id, col(Notification.user_id) == scope.principal.user_id
    )
    return (await session.execute(wanted)).scalar_one() or 0


async def forget(session: Session, scope: Scope, *, before: datetime, limit: int) -> int:
    """Let go of what was told before then, at most `limit`, read or not; how many those were."""
    return len(await (await driver(session)).fetch(_FORGET, scope.brand_id, before, limit))


async def spoken(session: Session, principal: Principal, brand_ids: Collection[UUID]) -> dict[UUID, str]:
    """In which language the user is told of each of these brands, which the transaction sees: their own, else the
    brand's first in which there are words. A statement for each brand."""
    user = await session.get(User, principal.user_id)
    if user is not None and user.language is not None:
        return dict.fromkeys(brand_ids, words.language_of(user.language))
    found = {}
    for brand_id in sorted(set(brand_ids)):
        brand = await session.get(Brand, brand_id)
        found[brand_id] = words.language_of(*(brand.languages if brand is not None else ()))
    return found


async def _own(session: Session, principal: Principal, brand_id: UUID | None) -> list[Any]:
    """What makes a notification the user's own, in brands of the key, which this transaction sees from here on."""
    brands = sorted(brand for brand in principal.brands if brand_id in {None, brand})
    await scopes.see(session, brands)
    return [
        col(Notification.brand_id).in_(brands),
        col(Notification.user_id) == principal.user_id,
        col(Notification.in_app),
    ]
