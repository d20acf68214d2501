"""Accounts on networks that spoke to or about a brand."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import IdentityPath, IdentityRef
from services.api.rest.shapes import ListRead, Paging, Read, listed
from shared.domain.listening import identities
from shared.domain.listening.identities import IdentityFilter
from shared.models.enums import Network
from shared.models.mention import Identity

router = APIRouter(prefix="/v1/brands/{brand_id}/identities", route_class=TransactedRoute, tags=["identities"])


class IdentityRead(Read):
    """An account on a network. `followers` are as it last told; null where it did not."""

    id: IdentityRef
    network: Network
    external_id: str
    handle: str | None
    name: str | None
    url: str | None
    followers: int | None


class IdentityList(ListRead[IdentityRead]):
    pass


def read(identity: Identity) -> IdentityRead:
    return IdentityRead(
        id=identity.id,
        network=identity.network,
        external_id=identity.external_id,
        handle=identity.handle,
        name=identity.name,
        url=identity.url,
        followers=identity.followers,
    )


@router.get("", response_model=IdentityList, summary="The accounts that a brand has met")
async def list_identities(
    call: Calling,
    scope: InBrand,
    page: Paging,
    handle: Annotated[str | None, Query(max_length=500, description="The whole handle, in any case.")] = None,
    name: Annotated[str | None, Query(max_length=500, description="Any part of the name, in any case.")] = None,
    network: Annotated[list[Network] | None, Query()] = None,
) -> dict[str, Any]:
    where = IdentityFilter(handle=handle, name=name, networks=tuple(network) if network is not None else None)
    found = await identities.search(call.session, scope, where=where, page=page, cursors=call.services.cursors)
    return listed(found, read)


@router.get("/{identity_id}", summary="One account")
async def get_identity(call: Calling, scope: InBrand, identity_id: IdentityPath) -> IdentityRead:
    return read(await identities.get(call.session, scope, identity_id))
