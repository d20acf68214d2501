"""Asking a person on a network for their consent, and what they gave."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api import consenting
from services.api.rest.call import Calling, InBrand, SteppedRoute, Stepping, TransactedRoute
from services.api.rest.ids import BrandId, ChannelRef, ConsentPath, ConsentRef
from services.api.rest.shapes import Body, Read, Text
from shared.domain.brands import consents
from shared.models.enums import ConsentStatus, Network

asking = APIRouter(prefix="/v1/brands/{brand_id}/channels", route_class=SteppedRoute, tags=["channels"])
reading = APIRouter(prefix="/v1/brands/{brand_id}/consents", route_class=TransactedRoute, tags=["channels"])


class ChannelAuthorize(Body):
    """`return_url` is an address of your frontend, of an origin in PARVIS_CORS_ORIGINS: the browser ends there."""

    network: Network
    base_url: Text | None = Field(default=None, max_length=2000)
    return_url: Text = Field(max_length=2000)


class ChannelAuthorized(Read):
    """Where to send the person's browser. It holds ten minutes, once."""

    authorize_url: str


class ChoiceRead(Read):
    """One thing that the person gave. `missing`: rights that were not given; `channel_id`: the brand has it already."""

    external_id: str
    name: str
    base_url: str | None
    missing: list[str]
    channel_id: ChannelRef | None


class ConsentRead(Read):
    """What came of asking a person. `error` says why nothing did."""

    id: ConsentRef
    network: Network
    status: ConsentStatus
    error: str | None
    choices: list[ChoiceRead]
    created_at: datetime
    expires_at: datetime


@asking.post(
    "/authorize", status_code=201, response_model=ChannelAuthorized, summary="Ask a person on a network for consent"
)
async def authorize_channel(
    steps: Stepping, brand_id: BrandId, body: Annotated[ChannelAuthorize, FromBody()]
) -> Response:
    question = await consenting.prepare(
        steps.services,
        partial(steps.transaction, brand_id),
        network=body.network,
        base_url=body.base_url,
        return_url=body.return_url,
    )
    async with steps.effect(brand_id) as (session, scope, effect):
        url = await consenting.begin(steps.services, session, scope, question)
        answer = ChannelAuthorized(authorize_url=url).model_dump_json()
        response = Response(answer, 201, {"location": url}, "application/json")
        await effect.keep(response)
    return response


@reading.get("/{consent_id}", summary="What a person gave, to choose from")
async def get_consent(call: Calling, scope: InBrand, consent_id: ConsentPath) -> ConsentRead:
    now = call.services.clock()
    consent = await consents.get(call.session, scope, consent_id, now=now)
    known = await consents.connected(call.session, scope, consent)
    return ConsentRead(
        id=consent.id,
        network=consent.network,
        status=consents.status_of(consent, now=now),
        error=consents.error_of(consent, now=now),
        choices=[
            ChoiceRead(
                external_id=one.external_id,
                name=one.name,
                base_url=one.base_url,
                missing=list(one.missing),
                channel_id=known[one.external_id].id if one.external_id in known else None,
            )
            for one in consents.choices(call.services.vault, consent)
        ],
        created_at=consent.created_at,
        expires_at=consent.expires_at,
    )
