"""Who is asking."""

from dataclasses import dataclass

from shared.db import Session
from shared.domain.scope import Principal
from shared.errors import NotAuthenticated
from shared.models.organization import ApiKey, Organization, User


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user behind a key, the organization it acts for, and the key."""

    user: User
    organization: Organization
    key: ApiKey


async def get(session: Session, principal: Principal) -> Viewer:
    """The principal's own rows."""
    user = await session.get(User, principal.user_id)
    organization = await session.get(Organization, principal.organization_id)
    key = await session.get(ApiKey, principal.key_id)
    if user is None or organization is None or key is None:
        raise NotAuthenticated("the API key is revoked")
    return Viewer(user, organization, key)
