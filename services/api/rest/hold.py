"""Holding back everything that a brand has planned."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Body as FromBody

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import HoldRef, UserRef
from services.api.rest.shapes import Body, Read, Text
from shared.domain.publishing.agreeing import holds
from shared.ids import Prefix, typeid
from shared.models.approval import Hold
from shared.models.enums import HoldSource, Missed
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/hold", route_class=TransactedRoute, tags=["hold"])


class HoldRead(Read):
    """Why everything is held, by whom, from when until when, and what became of what was missed."""

    id: HoldRef
    reason: str
    source: HoldSource
    held_by: UserRef | None
    held_at: datetime
    released_by: UserRef | None
    released_at: datetime | None
    missed: Missed | None


class HoldStanding(Read):
    """The hold that is on; null without one. `waiting` effects are to go out, `missed` of them should have by now."""

    hold: HoldRead | None
    waiting: int
    missed: int


class HoldBody(Body):
    reason: Text


class ReleaseBody(Body):
    """What becomes of posts whose moment passed: `publish` them at once, `cancel` them, or `ask`: they stay held, and
    say so."""

    missed: Missed


def _read(row: Hold) -> HoldRead:
    return HoldRead.model_validate(row, from_attributes=True)


@router.post("", status_code=201, response_model=HoldRead, summary="Hold back everything that is planned")
async def hold(call: Calling, scope: InBrand, body: Annotated[HoldBody, FromBody()], response: Response) -> HoldRead:
    made = await holds.hold(call.session, scope, reason=body.reason, now=call.services.clock())
    response.headers["location"] = f"/v1/brands/{typeid(Prefix.BRAND, scope.brand_id)}/hold"
    return _read(made)


@router.get("", summary="Whether everything is held, and what waits")
async def get_hold(call: Calling, scope: InBrand) -> HoldStanding:
    found = await holds.standing(call.session, scope, now=call.services.clock())
    return HoldStanding(
        hold=_read(found.hold) if found.hold is not None else None, waiting=found.waiting, missed=found.missed
    )


@router.post("/release", summary="Let everything go its way again")
async def release_hold(call: Calling, scope: InBrand, body: Annotated[ReleaseBody, FromBody()]) -> HoldRead:
    ended = await holds.release(call.session, scope, missed=body.missed, now=call.services.clock())
    call.ring(SendOutgoing())
    return _read(ended)
