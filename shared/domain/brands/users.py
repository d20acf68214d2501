"""The people of an organization, over the owner's connection: made and changed by whoever runs the house."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from shared.db import Session
from shared.domain.brands import audit
from shared.errors import Conflict, Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models.enums import MembershipRole
from shared.models.organization import Membership, Organization, User, UserDraft


async def create(session: Session, *, organization_id: UUID, draft: UserDraft, now: datetime) -> User:
    """A new user of the organization, without a key. Raises NotFound, Invalid, and Conflict for an address in use."""
    if await session.get(Organization, organization_id) is None:
        raise NotFound(f"there is no organization with the id {typeid(Prefix.ORGANIZATION, organization_id)!r}")
    await _refuse_address(session, draft.email, None)
    user = User.model_validate(draft, update={"created_at": now})
    session.add(user)
    await session.flush()
    place = Membership(organization_id=organization_id, user_id=user.id, role=MembershipRole.MEMBER, created_at=now)
    session.add(place)
    await session.flush()
    await audit.add(
        session, None, "user.create", typeid(Prefix.USER, user.id), {"name": user.name}, organization_id=organization_id
    )
    return user


async def update(session: Session, *, user_id: UUID, changes: dict[str, str | None]) -> User:
    """The user with another name, address or language. Raises NotFound, Invalid, and Conflict for an address in use."""
    user = await session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound(f"there is no user with the id {typeid(Prefix.USER, user_id)!r}")
    draft = UserDraft.model_validate({"name": user.name, "email": user.email, "language": user.language, **changes})
    await _refuse_address(session, draft.email, user_id)
    for name, value in draft.model_dump().items():
        setattr(user, name, value)
    await session.flush()
    wanted = select(col(Membership.organization_id)).where(col(Membership.user_id) == user_id)
    for of in (await session.execute(wanted)).scalars().all():
        details = {"changed": sorted(changes)}
        await audit.add(session, None, "user.update", typeid(Prefix.USER, user_id), details, organization_id=of)
    return user


async def list_(session: Session, *, organization_id: UUID) -> Sequence[User]:
    """The organization's users, the first made first."""
    wanted = (
        select(User)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(col(Membership.organization_id) == organization_id)
        .order_by(col(User.id))
    )
    return (await session.execute(wanted)).scalars().all()


async def _refuse_address(session: Session, email: str | None, but: UUID | None) -> None:
    """An address is one user's. Raises Invalid where it is none, Conflict where it is another's."""
    if email is None:
        return
    name, at, host = email.rpartition("@")
    if not (name and at and host) or any(letter.isspace() or not letter.isprintable() for letter in email):
        raise Invalid(
            [Problem("invalid", f"{email[:60]!r} is no address; write one such as ann@example.org", ("email",))]
        )
    wanted = select(col(User.id)).where(func.lower(col(User.email)) == email.lower(), col(User.id) != but)
    if (await session.execute(wanted.limit(1))).first() is not None:
        raise Conflict("another user has this address", code="address_in_use")
