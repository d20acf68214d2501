"""What was sent to an endpoint: every message, every try, every answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response

from services.api.rest.call import Call, Calling, TransactedRoute
from services.api.rest.ids import BrandRef, DeliveryPath, DeliveryRef, EndpointPath, EndpointRef
from services.api.rest.shapes import ListRead, Paging, Read
from services.api.rest.whereabouts import scope_of
from shared.domain.notifying import deliveries, delivery_log
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.base import JsonObject
from shared.models.enums import WebhookState
from shared.models.webhook import WebhookDelivery
from shared.queues import DeliverWebhooks

listing = APIRouter(prefix="/v1/webhook-endpoints/{endpoint_id}", route_class=TransactedRoute, tags=["webhooks"])
router = APIRouter(prefix="/v1/webhook-deliveries", route_class=TransactedRoute, tags=["webhooks"])


class WebhookAttemptRead(Read):
    """One try. `status` null: there was no answer, and `answer` says why; `ended_at` null: nobody knows."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    status: int | None
    answer: str | None


class DeliveryRead(Read):
    """One message; its id is the message's `webhook-id`, the same at every try."""

    id: DeliveryRef
    endpoint_id: EndpointRef
    brand_id: BrandRef
    type: str
    payload: JsonObject
    state: WebhookState
    created_at: datetime
    next_at: datetime | None
    settled_at: datetime | None
    attempts: list[WebhookAttemptRead]


class DeliveryList(ListRead[DeliveryRead]):
    pass


async def _read(call: Call, found: Sequence[WebhookDelivery]) -> list[DeliveryRead]:
    tried = await delivery_log.attempts_of(call.session, found)
    plain = ("id", "endpoint_id", "brand_id", "type", "payload", "state", "created_at", "next_at", "settled_at")
    return [
        DeliveryRead(
            **{name: getattr(one, name) for name in plain},
            attempts=[WebhookAttemptRead.model_validate(row, from_attributes=True) for row in tried[one.id]],
        )
        for one in found
    ]


async def _scope(
    delivery_id: DeliveryPath, call: Calling, parvis_brand: Annotated[str | None, Header()] = None
) -> Scope:
    return await scope_of(call, Prefix.WEBHOOK_DELIVERY, delivery_id, parvis_brand)


InItsBrand = Annotated[Scope, Depends(_scope)]


@listing.get("/deliveries", response_model=DeliveryList, summary="What was sent to an endpoint, newest first")
async def list_webhook_deliveries(call: Calling, endpoint_id: EndpointPath, page: Paging) -> dict[str, Any]:
    found = await delivery_log.search(
        call.session, call.principal, endpoint_id, page=page, cursors=call.services.cursors
    )  # fmt: skip
    data = await _read(call, found.items)
    return {"data": data, "next_cursor": found.next_cursor, "has_more": found.has_more}


@listing.post(
    "/test", status_code=201, response_model=DeliveryRead, summary="Send a message that says that it is a test"
)
async def test_webhook_endpoint(call: Calling, endpoint_id: EndpointPath) -> Response:
    made = await deliveries.test(call.session, call.principal, endpoint_id, now=call.services.clock())
    call.ring(DeliverWebhooks())
    (found,) = await _read(call, [made])
    where = f"/v1/webhook-deliveries/{typeid(Prefix.WEBHOOK_DELIVERY, made.id)}"
    return Response(found.model_dump_json(), 201, {"location": where}, "application/json")


@router.get("/{delivery_id}", summary="One delivery, with its tries")
async def get_webhook_delivery(call: Calling, scope: InItsBrand, delivery_id: DeliveryPath) -> DeliveryRead:
    (found,) = await _read(call, [await delivery_log.seen(call.session, scope, delivery_id)])
    return found


@router.post("/{delivery_id}/redeliver", summary="Send a delivery once more, under the same id")
async def redeliver_webhook(call: Calling, scope: InItsBrand, delivery_id: DeliveryPath) -> DeliveryRead:
    made = await deliveries.redeliver(call.session, scope, delivery_id, now=call.services.clock())
    call.ring(DeliverWebhooks())
    (found,) = await _read(call, [made])
    return found
