"""Days on which a brand is silent."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, meant, require_version
from services.api.rest.ids import BlackoutPath, BlackoutRef
from services.api.rest.shapes import ListRead, Read, whole
from shared.domain.publishing.planning import blackouts
from shared.domain.publishing.planning.blackouts import BlackoutChanges, BlackoutDraft
from shared.ids import Prefix, typeid
from shared.models.planning import Blackout

router = APIRouter(prefix="/v1/brands/{brand_id}/blackouts", route_class=TransactedRoute, tags=["planning"])


class BlackoutRead(Read):
    """Days of silence, the first and the last included."""

    id: BlackoutRef
    starts_on: date
    ends_on: date
    label: str
    created_at: datetime
    version: int


class BlackoutList(ListRead[BlackoutRead]):
    pass


def blackout_read(row: Blackout) -> BlackoutRead:
    return BlackoutRead(**{name: getattr(row, name) for name in BlackoutRead.model_fields})


@router.get("", response_model=BlackoutList, summary="The brand's days of silence, by their first day")
async def list_blackouts(call: Calling, scope: InBrand) -> dict[str, Any]:
    return whole([blackout_read(row) for row in await blackouts.list_(call.session, scope)])


@router.post("", status_code=201, response_model=BlackoutRead, summary="Be silent on these days")
async def create_blackout(call: Calling, scope: InBrand, body: Annotated[BlackoutDraft, FromBody()]) -> Response:
    made = await blackouts.create(call.session, scope, draft=body, now=call.services.clock())
    where = f"/v1/brands/{typeid(Prefix.BRAND, scope.brand_id)}/blackouts/{typeid(Prefix.BLACKOUT, made.id)}"
    return Response(blackout_read(made).model_dump_json(), 201, {"location": where}, "application/json")


@router.get("/{blackout_id}", summary="One of them")
async def get_blackout(call: Calling, scope: InBrand, blackout_id: BlackoutPath) -> BlackoutRead:
    return blackout_read(await blackouts.get(call.session, scope, blackout_id))


@router.patch("/{blackout_id}", summary="Change days of silence, or what they are called")
async def update_blackout(
    call: Calling,
    scope: InBrand,
    blackout_id: BlackoutPath,
    body: Annotated[BlackoutChanges, FromBody()],
    if_match: IfMatch = None,
) -> BlackoutRead:
    current = (await blackouts.get(call.session, scope, blackout_id)).version
    require_version(if_match, current)
    return blackout_read(await blackouts.update(call.session, scope, blackout_id, changes=body, if_version=current))


@router.delete("/{blackout_id}", status_code=204, response_class=Response, summary="Speak on these days again")
async def delete_blackout(call: Calling, scope: InBrand, blackout_id: BlackoutPath, if_match: IfMatch = None) -> None:
    version = meant(if_match, (await blackouts.get(call.session, scope, blackout_id)).version)
    await blackouts.delete(call.session, scope, blackout_id, if_version=version)
