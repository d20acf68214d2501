"""Links by which a client without a user approves."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import ApprovalLinkPath, ApprovalLinkRef, PostRef, UserRef
from services.api.rest.shapes import ListRead, Paging, Read, listed
from shared.domain.publishing.agreeing import links
from shared.domain.publishing.agreeing.links import LinkDraft
from shared.ids import Prefix, typeid
from shared.models.approval import ApprovalLink

router = APIRouter(prefix="/v1/brands/{brand_id}/approval-links", route_class=TransactedRoute, tags=["approvals"])


class ApprovalLinkRead(Read):
    """`name` is the client's, `language` the page's. It opens its posts until it expires or is revoked."""

    id: ApprovalLinkRef
    name: str
    language: str
    post_ids: list[PostRef]
    created_by: UserRef | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_seen_at: datetime | None


class NewApprovalLinkRead(ApprovalLinkRead):
    """`url` is for the client alone. It is shown this once."""

    url: str


class ApprovalLinkList(ListRead[ApprovalLinkRead]):
    pass


def _read(link: ApprovalLink) -> ApprovalLinkRead:
    return ApprovalLinkRead.model_validate(link, from_attributes=True)


@router.post("", status_code=201, response_model=NewApprovalLinkRead, summary="Make a link for a client")
async def create_approval_link(
    call: Calling, scope: InBrand, body: Annotated[LinkDraft, FromBody()], response: Response
) -> NewApprovalLinkRead:
    made = await links.create(call.session, scope, draft=body, now=call.services.clock())
    brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.APPROVAL_LINK, made.link.id)
    response.headers["location"] = f"/v1/brands/{brand}/approval-links/{own}"
    url = call.services.settings.approval_url(made.token)
    return NewApprovalLinkRead(**_read(made.link).model_dump(mode="python"), url=url)


@router.get("", response_model=ApprovalLinkList, summary="The brand's links, the newest first")
async def list_approval_links(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    return listed(await links.search(call.session, scope, page=page, cursors=call.services.cursors), _read)


@router.get("/{link_id}", summary="One link; its address is not shown again")
async def get_approval_link(call: Calling, scope: InBrand, link_id: ApprovalLinkPath) -> ApprovalLinkRead:
    return _read(await links.get(call.session, scope, link_id))


@router.delete("/{link_id}", status_code=204, response_class=Response, summary="End a link for good")
async def revoke_approval_link(call: Calling, scope: InBrand, link_id: ApprovalLinkPath) -> None:
    await links.revoke(call.session, scope, link_id, now=call.services.clock())
