"""Agencies and companies: made by whoever runs the house, over the owner's connection."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.scope import see
from shared.errors import Invalid, NotFound
from shared.ids import Prefix, new_uuid, typeid
from shared.models.brand import Brand, BrandDraft
from shared.models.enums import GrantRole, MembershipRole
from shared.models.organization import Grant, Membership, Organization, OrganizationDraft, User, UserDraft


@dataclass(frozen=True, slots=True)
class Created:
    """A new organization with its first user, who administers it, and its first brand where one was asked for."""

    organization: Organization
    user: User
    brand: Brand | None


async def create(session: Session, *, name: str, brand: BrandDraft | None, user_name: str, now: datetime) -> Created:
    """Make an organization, a user who administers it, and (`brand`) a brand that it owns."""
    organization = Organization.model_validate(OrganizationDraft(name=name), update={"created_at": now})
    user = User.model_validate(UserDraft(name=user_name), update={"created_at": now})
    session.add_all([organization, user])
    await session.flush()
    session.add(Membership(organization_id=organization.id, user_id=user.id, role=MembershipRole.ADMIN, created_at=now))
    await session.flush()
    made = await add_brand(session, organization=organization, draft=brand, now=now) if brand is not None else None
    await audit.add(
        session,
        None,
        "organization.create",
        typeid(Prefix.ORGANIZATION, organization.id),
        {"user_id": typeid(Prefix.USER, user.id)},
        organization_id=organization.id,
    )
    return Created(organization, user, made)


async def add_brand(session: Session, *, organization: Organization, draft: BrandDraft, now: datetime) -> Brand:
    """Make a brand that the organization owns."""
    brand = Brand.model_validate(draft, update={"brand_id": new_uuid(), "created_at": now})
    # The owner of the tables may not bypass row security either: the brand is seen before it is written.
    await see(session, [brand.brand_id])
    session.add(brand)
    session.add(Grant(organization_id=organization.id, brand_id=brand.brand_id, role=GrantRole.OWNER, created_at=now))
    await session.flush()
    await audit.add(
        session, None, "brand.create", typeid(Prefix.BRAND, brand.brand_id), organization_id=organization.id
    )
    return brand


async def only_of(session: Session, user_id: UUID) -> UUID:
    """The organization of a user who is in one. Raises NotFound for nobody, Invalid for a user of several."""
    wanted = select(col(Membership.organization_id)).where(col(Membership.user_id) == user_id)
    found = list((await session.execute(wanted)).scalars())
    if not found:
        raise NotFound(f"there is no user with the id {typeid(Prefix.USER, user_id)!r}")
    if len(found) > 1:
        raise Invalid("this user is in several organizations: say which one")
    return found[0]
