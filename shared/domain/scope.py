"""Who acts, and on which brand. Row security in PostgreSQL stands behind every word here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from shared.db import Session, driver
from shared.errors import NotAllowed, NotAuthenticated, NotFound
from shared.ids import Prefix, typeid
from shared.models.enums import GrantRole, KeyScope
from shared.vault import hash_key

_RANK = {role: rank for rank, role in enumerate(reversed(GrantRole))}


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, acting by an API key for an organization, with the brands that it may see and its role on each."""

    key_id: UUID
    user_id: UUID
    organization_id: UUID
    scopes: frozenset[KeyScope]
    brands: Mapping[UUID, GrantRole]
    key_brand_id: UUID | None = None

    def may(self, scope: KeyScope) -> bool:
        return KeyScope.ALL in self.scopes or scope in self.scopes


@dataclass(frozen=True, slots=True)
class Scope:
    """One brand, and who acts on it; `principal` is None where the house itself acts.

    `ahead`: how far the brand's time, by which people mean what they say, is ahead of the real one: nothing, but for
    brands that live on a network whose clock can be moved.
    """

    brand_id: UUID
    principal: Principal | None = None
    role: GrantRole = field(default=GrantRole.VIEWER)
    ahead: timedelta = timedelta(0)

    def now(self, now: datetime) -> datetime:
        """What people here mean by now, when it is really `now`."""
        return now + self.ahead

    def real(self, moment: datetime) -> datetime:
        """When it is really what people here mean by `moment`."""
        return moment - self.ahead

    def require(self, scope: KeyScope, role: GrantRole) -> None:
        """Raise NotAllowed unless the key has `scope` and the grant is at least `role`."""
        if self.principal is None:
            return
        if not self.principal.may(scope):
            raise NotAllowed(f"this key has no {scope.value!r} scope")
        if _RANK[self.role] < _RANK[role]:
            raise NotAllowed(f"this needs the role {role.value!r} on the brand; yours is {self.role.value!r}")


async def enter(session: Session, api_key: str) -> Principal:
    """The principal behind a key, its organization and user set for this transaction. Raises NotAuthenticated."""
    row = await (await driver(session)).fetchrow("SELECT * FROM parvis.enter($1)", hash_key(api_key))
    if row is None:
        raise NotAuthenticated("the API key is missing, wrong, expired or revoked")
    brands = {brand: GrantRole(role) for brand, role in zip(row["brands"], row["roles"], strict=True)}
    scopes = frozenset(KeyScope(scope) for scope in row["scopes"])
    return Principal(row["key_id"], row["user_id"], row["organization_id"], scopes, brands, row["key_brand_id"])


@dataclass(frozen=True, slots=True)
class Entered:
    """A key on one brand; `role` is None where the brand is not its organization's, and then nothing is seen."""

    key_id: UUID
    scopes: frozenset[KeyScope]
    role: GrantRole | None


async def enter_brand(connection: "asyncpg.Connection[Any]", api_key: str, brand_id: UUID) -> Entered:
    """Enter with a key and let the transaction see the brand, if it is one of the key's, in one round trip.

    Raises NotAuthenticated.
    """
    row = await connection.fetchrow(_ENTER_BRAND, hash_key(api_key), brand_id)
    if row is None:
        raise NotAuthenticated("the API key is missing, wrong, expired or revoked")
    role = row["role"]
    return Entered(row["key_id"], frozenset(map(KeyScope, row["scopes"])), GrantRole(role) if role else None)


# The scope is set only for a brand that PostgreSQL itself finds among the key's.
_ENTER_BRAND = (
    "SELECT key_id, scopes, roles[array_position(brands, $2)] AS role,"
    " CASE WHEN $2 = ANY (brands) THEN parvis.scope(ARRAY[$2::uuid])::text END AS seen FROM parvis.enter($1)"
)


async def see(session: Session, brand_ids: Iterable[UUID]) -> None:
    """Let this transaction see exactly these brands."""
    await (await driver(session)).execute("SELECT parvis.scope($1::text)", ",".join(map(str, brand_ids)))


async def open_brand(session: Session, principal: Principal, brand_id: UUID) -> Scope:
    """The scope of one brand for this principal, seen by this transaction. Raises NotFound for a foreign one."""
    role = principal.brands.get(brand_id)
    if role is None:
        raise NotFound(f"there is no brand with the id {typeid(Prefix.BRAND, brand_id)!r}")
    if not principal.may(KeyScope.READ):
        raise NotAllowed("this key has no 'read' scope")
    return Scope(brand_id, principal, role, await _see_at(session, brand_id))


async def house(session: Session, brand_id: UUID) -> Scope:
    """The scope of one brand for the house itself: workers, the scheduler. It knows the real time only."""
    await see(session, [brand_id])
    return Scope(brand_id, None, GrantRole.OWNER)


async def house_at(session: Session, brand_id: UUID) -> Scope:
    """The same for whoever deals with what people mean by time."""
    return Scope(brand_id, None, GrantRole.OWNER, await _see_at(session, brand_id))


async def _see_at(session: Session, brand_id: UUID) -> timedelta:
    """Let this transaction see one brand; how far its time is ahead, by the same statement."""
    ahead: timedelta | None = await (await driver(session)).fetchval("SELECT parvis.scope_at($1)", brand_id)
    return ahead or timedelta(0)
