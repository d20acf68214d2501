"""Who is asking."""

from datetime import datetime

from fastapi import APIRouter

from services.api.rest.call import Calling, TransactedRoute
from services.api.rest.ids import BrandRef, KeyRef, OrganizationRef, UserRef
from services.api.rest.shapes import Read
from shared.domain.brands import viewers
from shared.models.enums import KeyScope

router = APIRouter(prefix="/v1", route_class=TransactedRoute, tags=["viewer"])


class OrganizationRead(Read):
    id: OrganizationRef
    name: str


class UserRead(Read):
    id: UserRef
    name: str


class KeyRead(Read):
    """The API key that was used, never the key itself."""

    id: KeyRef
    name: str
    start: str
    scopes: list[KeyScope]
    brand_id: BrandRef | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ViewerRead(Read):
    user: UserRead
    organization: OrganizationRead
    key: KeyRead


@router.get("/viewer", summary="Who is asking: the user, the organization and the key")
async def get_viewer(call: Calling) -> ViewerRead:
    found = await viewers.get(call.session, call.principal)
    return ViewerRead(
        user=UserRead(id=found.user.id, name=found.user.name),
        organization=OrganizationRead(id=found.organization.id, name=found.organization.name),
        key=KeyRead.model_validate(found.key, from_attributes=True),
    )
