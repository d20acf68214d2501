"""Campaigns: posts that belong together, and what their links are tagged with."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, meant, require_version
from services.api.rest.ids import CampaignPath, CampaignRef
from services.api.rest.shapes import ListRead, Paging, Read, listed
from shared.domain.publishing import campaigns
from shared.domain.publishing.campaigns import CampaignChanges, CampaignDraft
from shared.ids import Prefix, typeid
from shared.models.campaign import Campaign

router = APIRouter(prefix="/v1/brands/{brand_id}/campaigns", route_class=TransactedRoute, tags=["campaigns"])


class CampaignRead(Read):
    """A name over posts. `tags` are the UTM parameters that their links get, on `domains` (none named: on all)."""

    id: CampaignRef
    name: str
    starts_on: date | None
    ends_on: date | None
    tags: dict[str, str]
    domains: list[str]
    created_at: datetime
    updated_at: datetime
    version: int


class CampaignList(ListRead[CampaignRead]):
    pass


def _read(row: Campaign) -> CampaignRead:
    return CampaignRead(**{name: getattr(row, name) for name in CampaignRead.model_fields})


@router.get("", response_model=CampaignList, summary="The brand's campaigns, the newest made first")
async def list_campaigns(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    return listed(await campaigns.search(call.session, scope, page=page, cursors=call.services.cursors), _read)


@router.post("", status_code=201, response_model=CampaignRead, summary="Begin a campaign")
async def create_campaign(
    call: Calling, scope: InBrand, body: Annotated[CampaignDraft, FromBody()], response: Response
) -> CampaignRead:
    made = await campaigns.create(call.session, scope, draft=body, now=call.services.clock())
    brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.CAMPAIGN, made.id)
    response.headers["location"] = f"/v1/brands/{brand}/campaigns/{own}"
    return _read(made)


@router.get("/{campaign_id}", summary="One campaign")
async def get_campaign(call: Calling, scope: InBrand, campaign_id: CampaignPath) -> CampaignRead:
    return _read(await campaigns.get(call.session, scope, campaign_id))


@router.patch("/{campaign_id}", summary="Change a campaign")
async def update_campaign(
    call: Calling,
    scope: InBrand,
    campaign_id: CampaignPath,
    body: Annotated[CampaignChanges, FromBody()],
    if_match: IfMatch = None,
) -> CampaignRead:
    current = (await campaigns.get(call.session, scope, campaign_id)).version
    require_version(if_match, current)
    return _read(
        await campaigns.change(
            call.session, scope, campaign_id, changes=body, now=call.services.clock(), if_version=current
        )
    )


@router.delete("/{campaign_id}", status_code=204, response_class=Response, summary="Let go of a campaign without posts")
async def delete_campaign(call: Calling, scope: InBrand, campaign_id: CampaignPath, if_match: IfMatch = None) -> None:
    version = meant(if_match, (await campaigns.get(call.session, scope, campaign_id)).version)
    await campaigns.delete(call.session, scope, campaign_id, if_version=version)
