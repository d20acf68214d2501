"""Addresses that are told of notifications."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api.rest.call import Calling, SteppedRoute, Stepping, TransactedRoute
from services.api.rest.etags import IfMatch, meant
from services.api.rest.ids import BrandRef, EndpointPath, EndpointRef
from services.api.rest.shapes import Body, ListRead, Paging, Read, Text, listed
from services.api.self_test import refuse_url
from shared.domain.notifying import endpoints
from shared.domain.notifying.endpoints import Opened
from shared.ids import Prefix, typeid
from shared.models.enums import NotificationKind
from shared.models.webhook import WebhookEndpoint

reading = APIRouter(prefix="/v1/webhook-endpoints", route_class=TransactedRoute, tags=["webhooks"])
changing = APIRouter(prefix="/v1/webhook-endpoints", route_class=SteppedRoute, tags=["webhooks"])


class EndpointRead(Read):
    """An address that is told of notifications: the user's own, or (`brand_id`) the brand's."""

    id: EndpointRef
    brand_id: BrandRef | None
    url: str
    kinds: list[NotificationKind]
    is_enabled: bool
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    version: int


class EndpointList(ListRead[EndpointRead]):
    pass


class EndpointOpened(EndpointRead):
    """`secret` is what messages are signed with (Standard Webhooks); it is shown this once."""

    secret: str


class EndpointCreate(Body):
    """Without `brand_id` it is told what you are told, of all brands; with it, what happens at the brand, once each."""

    url: Text = Field(max_length=2000)
    kinds: list[NotificationKind]
    brand_id: BrandRef | None = None


class EndpointPatch(Body):
    """What is not sent stays."""

    url: Text | None = Field(default=None, max_length=2000)
    kinds: list[NotificationKind] | None = None
    is_enabled: bool | None = None


def read(found: WebhookEndpoint) -> EndpointRead:
    return EndpointRead(**_facts(found))


def _facts(found: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": found.id,
        "brand_id": found.brand_id,
        "url": found.url,
        "kinds": [NotificationKind(kind) for kind in found.kinds],
        "is_enabled": found.disabled_at is None,
        "disabled_at": found.disabled_at,
        "disabled_reason": found.disabled_reason,
        "failing_since": found.failing_since,
        "created_at": found.created_at,
        "version": found.version,
    }


def _opened(made: Opened) -> str:
    return EndpointOpened(**_facts(made.endpoint), secret=made.secret).model_dump_json()


@reading.get("", response_model=EndpointList, summary="Webhook endpoints, your own and your brands', newest first")
async def list_webhook_endpoints(call: Calling, page: Paging) -> dict[str, Any]:
    return listed(await endpoints.page(call.session, call.principal, page=page, cursors=call.services.cursors), read)


@changing.post("", status_code=201, response_model=EndpointOpened, summary="Let an address be told of notifications")
async def create_webhook_endpoint(steps: Stepping, body: Annotated[EndpointCreate, FromBody()]) -> Response:
    services = steps.services
    await refuse_url(services, body.url, ("url",))
    async with steps.own_effect() as effect:
        made = await endpoints.create(
            effect.call.session, effect.call.principal, services.vault,
            url=body.url, kinds=body.kinds, brand_id=body.brand_id, now=services.clock(),
        )  # fmt: skip
        where = f"/v1/webhook-endpoints/{typeid(Prefix.WEBHOOK_ENDPOINT, made.endpoint.id)}"
        response = Response(_opened(made), 201, {"location": where}, "application/json")
        await effect.keep(response)
    return response


@reading.get("/{endpoint_id}", summary="One webhook endpoint")
async def get_webhook_endpoint(call: Calling, endpoint_id: EndpointPath) -> EndpointRead:
    return read(await endpoints.get(call.session, call.principal, endpoint_id))


@changing.patch("/{endpoint_id}", summary="Move an endpoint, let it hear of other kinds, switch it off or on")
async def update_webhook_endpoint(
    steps: Stepping,
    endpoint_id: EndpointPath,
    body: Annotated[EndpointPatch, FromBody()],
    if_match: IfMatch = None,
) -> EndpointRead:
    services = steps.services
    if body.url is not None:
        await refuse_url(services, body.url, ("url",))
    async with steps.own_effect() as effect:
        session, principal = effect.call.session, effect.call.principal
        version = meant(if_match, (await endpoints.get(session, principal, endpoint_id)).version)
        found = await endpoints.update(
            session, principal, endpoint_id,
            url=body.url, kinds=body.kinds, is_enabled=body.is_enabled, if_version=version, now=services.clock(),
        )  # fmt: skip
        return read(found)


@reading.delete(
    "/{endpoint_id}",
    status_code=204,
    response_class=Response,
    summary="End an endpoint: nothing more is sent there",
)
async def remove_webhook_endpoint(call: Calling, endpoint_id: EndpointPath) -> None:
    await endpoints.remove(call.session, call.principal, endpoint_id, now=call.services.clock())


@reading.post(
    "/{endpoint_id}/rotate", response_model=EndpointOpened, summary="Another secret; the one before holds for a day"
)
async def rotate_webhook_secret(call: Calling, endpoint_id: EndpointPath) -> Response:
    now, vault = call.services.clock(), call.services.vault
    made = await endpoints.rotate(call.session, call.principal, vault, endpoint_id, now=now)
    return Response(_opened(made), media_type="application/json")
