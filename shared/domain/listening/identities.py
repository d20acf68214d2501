"""Reading the accounts that speak."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func
from sqlmodel import col, select

from shared.contract import storable
from shared.db import Session
from shared.domain.page import Cursors, Page, PageRequest, digest
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models import Identity
from shared.models.enums import Network

_KIND = "identities"


@dataclass(frozen=True, slots=True)
class IdentityFilter:
    """`handle` is the whole handle and `name` any part of the name, both in any case."""

    handle: str | None = None
    name: str | None = None
    networks: tuple[Network, ...] | None = None

    @property
    def digest(self) -> str:
        return digest(self.handle, self.name, self.networks)


async def search(
    session: Session, scope: Scope, *, where: IdentityFilter | None = None, page: PageRequest, cursors: Cursors
) -> Page[Identity]:
    """A page of the accounts the brand has met, newest met first."""
    where = where or IdentityFilter()
    statement = select(Identity).where(Identity.brand_id == scope.brand_id)
    if where.networks is not None:
        statement = statement.where(col(Identity.network).in_(where.networks))
    if where.handle is not None:
        statement = statement.where(func.lower(Identity.handle) == storable(where.handle).lower())
    if where.name is not None:
        statement = statement.where(col(Identity.name).icontains(storable(where.name), autoescape=True))
    if page.cursor is not None:
        (id_,) = cursors.decode(scope.brand_id, _KIND, where.digest, page.cursor)
        statement = statement.where(col(Identity.id) < UUID(id_))
    found = (await session.execute(statement.order_by(col(Identity.id).desc()).limit(page.limit + 1))).scalars().all()
    bound = where.digest
    return Page.cut(found, page.limit, lambda i: cursors.encode(scope.brand_id, _KIND, bound, [str(i.id)]))


async def by_ids(session: Session, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, Identity]:
    """The accounts of these ids."""
    found = await session.execute(
        select(Identity).where(
            Identity.brand_id == scope.brand_id,
            col(Identity.id) == any_(bindparam("ids", list(ids), type_=ARRAY(Uuid))),
        )
    )
    return {identity.id: identity for identity in found.scalars()}


async def get(session: Session, scope: Scope, identity_id: UUID) -> Identity:
    """One account. Raises NotFound."""
    found = (await by_ids(session, scope, [identity_id])).get(identity_id)
    if found is None:
        raise NotFound(f"there is no identity with the id {typeid(Prefix.IDENTITY, identity_id)!r}")
    return found
