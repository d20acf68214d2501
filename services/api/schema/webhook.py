"""Addresses that are told of notifications, and what was sent there."""

from datetime import datetime
from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from services.api import loaders
from services.api.schema.connection import FIRST, Connection, Info, Node, connection, public_id, requested
from shared import models
from shared.domain.notifying import delivery_log, endpoints
from shared.ids import Prefix, typeid
from shared.models.enums import NotificationKind, WebhookState

Root = strawberry.Parent[models.WebhookEndpoint]
Sent = strawberry.Parent[models.WebhookDelivery]


@strawberry.type(description="One try. `status` null: no answer came, and `answer` says why.")
class WebhookAttempt:
    number: int
    started_at: datetime
    ended_at: datetime | None
    status: int | None
    answer: str | None


def _endpoint_id(root: Sent) -> strawberry.ID:
    return strawberry.ID(typeid(Prefix.WEBHOOK_ENDPOINT, root.endpoint_id))


async def _attempts(root: Sent, info: Info) -> Any:
    return await loaders.webhook_attempts(info.context, root)


def _payload(root: Sent) -> JSON:
    return cast(JSON, root.payload)


@strawberry.type(description="One message to an endpoint; its id is the message's `webhook-id`, the same at every try.")
class WebhookDelivery:
    id: strawberry.ID = public_id(Prefix.WEBHOOK_DELIVERY)
    endpoint_id: strawberry.ID = strawberry.field(resolver=_endpoint_id)
    type: str
    payload: JSON = strawberry.field(resolver=_payload)
    state: WebhookState
    created_at: datetime
    next_at: datetime | None
    settled_at: datetime | None
    attempts: list[WebhookAttempt] = strawberry.field(resolver=_attempts)


def _brand_id(root: Root) -> strawberry.ID | None:
    return strawberry.ID(typeid(Prefix.BRAND, root.brand_id)) if root.brand_id is not None else None


def _kinds(root: Root) -> list[NotificationKind]:
    return [NotificationKind(kind) for kind in root.kinds]


def _is_enabled(root: Root) -> bool:
    return root.disabled_at is None


async def _deliveries(
    root: Root, info: Info, first: int | None = FIRST, after: str | None = strawberry.UNSET
) -> Any:  # fmt: skip
    page, context = requested(first, after), info.context
    async with context.reader.turn(()) as session:
        found = await delivery_log.search(
            session, context.principal, root.id, page=page, cursors=context.services.cursors
        )  # fmt: skip
        context.reader.forget_scope()
    return connection(found, page)


@strawberry.type(description="An address that is told of notifications: the user's own, or (`brandId`) the brand's.")
class WebhookEndpoint(Node):
    id: strawberry.ID = public_id(Prefix.WEBHOOK_ENDPOINT)
    brand_id: strawberry.ID | None = strawberry.field(resolver=_brand_id)
    url: str
    kinds: list[NotificationKind] = strawberry.field(resolver=_kinds)
    is_enabled: bool = strawberry.field(resolver=_is_enabled)
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    version: int
    deliveries: Connection[WebhookDelivery] = strawberry.field(resolver=_deliveries)

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.WebhookEndpoint)


async def listed(info: Info, first: int | None = FIRST, after: str | None = strawberry.UNSET) -> Any:
    """The viewer's endpoints and those of the brands that they manage."""
    page, context = requested(first, after), info.context
    async with context.reader.turn(()) as session:
        found = await endpoints.page(session, context.principal, page=page, cursors=context.services.cursors)
        context.reader.forget_scope()
    return connection(found, page)
