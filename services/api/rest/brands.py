"""Brands: the principal's, and their settings."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Body as FromBody

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, meant
from services.api.rest.ids import BrandRef
from services.api.rest.shapes import Body, ListRead, Paging, Read, Text, listed
from shared.connectors.registry import CARDS
from shared.domain.brands import brands
from shared.domain.publishing.agreeing import ruling
from shared.models.brand import Brand
from shared.models.enums import ApprovalPolicy, GrantRole, MissedPolicy
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1", route_class=TransactedRoute, tags=["brands"])


class BrandRead(Read):
    """`missed` says what becomes of a post that could not be begun within `grace_seconds` of its time."""

    """`approval` people, then the client with `client_approval`, must agree before a post goes out. They are reminded
    after `approval_reminder_hours` of waiting, and `approval_last_call_hours` before its moment; 0: never."""

    id: BrandRef
    name: str
    languages: list[str]
    timezone: str
    missed: MissedPolicy
    grace_seconds: int
    approval: ApprovalPolicy
    client_approval: bool
    approval_reminder_hours: int
    approval_last_call_hours: int
    learns: bool
    role: GrantRole
    created_at: datetime
    version: int


class BrandList(ListRead[BrandRead]):
    pass


class BrandPatch(Body):
    """What is not sent stays."""

    name: Text | None = None
    languages: list[Text] | None = None
    timezone: Text | None = None
    missed: MissedPolicy | None = None
    grace_seconds: int | None = None
    approval: ApprovalPolicy | None = None
    client_approval: bool | None = None
    approval_reminder_hours: int | None = None
    approval_last_call_hours: int | None = None
    learns: bool | None = None


def read(brand: Brand, role: GrantRole) -> BrandRead:
    return BrandRead(
        id=brand.brand_id,
        name=brand.name,
        languages=brand.languages,
        timezone=brand.timezone,
        missed=brand.missed,
        grace_seconds=brand.grace_seconds,
        approval=brand.approval,
        client_approval=brand.client_approval,
        approval_reminder_hours=brand.approval_reminder_hours,
        approval_last_call_hours=brand.approval_last_call_hours,
        learns=brand.learns,
        role=role,
        created_at=brand.created_at,
        version=brand.version,
    )


@router.get("/brands", response_model=BrandList, summary="The brands that this key may see, newest first")
async def list_brands(call: Calling, page: Paging) -> dict[str, Any]:
    found = await brands.list_(call.session, call.principal, page=page, cursors=call.services.cursors)
    return listed(found, lambda brand: read(brand, call.principal.brands[brand.brand_id]))


@router.get("/brands/{brand_id}", summary="One brand")
async def get_brand(call: Calling, scope: InBrand) -> BrandRead:
    return read(await brands.get(call.session, scope), scope.role)


@router.patch("/brands/{brand_id}", summary="Change a brand's settings")
async def update_brand(
    call: Calling, scope: InBrand, body: Annotated[BrandPatch, FromBody()], if_match: IfMatch = None
) -> BrandRead:
    changes = brands.BrandChanges.model_validate(body.model_dump(exclude_unset=True))
    version = meant(if_match, (await brands.get(call.session, scope)).version)
    brand = await ruling.change_brand(
        call.session, scope, changes=changes, cards=CARDS, now=call.services.clock(), if_version=version
    )
    call.ring(SendOutgoing())
    return read(brand, scope.role)
