"""Verbs of webhook endpoints and their deliveries."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api.mutating import Outcome, mutate_own
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.connection import Info, given
from services.api.schema.outgoing import Problem
from services.api.schema.webhook import WebhookDelivery, WebhookEndpoint
from services.api.self_test import refuse_url
from shared import models
from shared.db import Session
from shared.domain.notifying import deliveries, delivery_log, endpoints
from shared.domain.notifying.endpoints import Opened
from shared.domain.scope import Principal
from shared.ids import Prefix, parse_typeid
from shared.models.enums import NotificationKind
from shared.queues import DeliverWebhooks


@strawberry.input(description="Without `brandId` it is told what you are told; with it, what happens at the brand.")
class CreateWebhookEndpointInput:
    url: str
    kinds: list[NotificationKind]
    brand_id: strawberry.ID | None = UNSET


@strawberry.input(description="What is absent stays.")
class UpdateWebhookEndpointInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    url: str | None = UNSET
    kinds: list[NotificationKind] | None = UNSET
    is_enabled: bool | None = UNSET


@strawberry.input
class RemoveWebhookEndpointInput:
    id: strawberry.ID


@strawberry.input
class RotateWebhookSecretInput:
    id: strawberry.ID


@strawberry.input
class TestWebhookEndpointInput:
    id: strawberry.ID


@strawberry.input
class RedeliverWebhookInput:
    id: strawberry.ID


@strawberry.type(description="`secret` is what messages are signed with; it is shown this once.")
class CreateWebhookEndpointPayload:
    webhook_endpoint: WebhookEndpoint | None
    secret: str | None
    errors: list[Problem]


@strawberry.type
class UpdateWebhookEndpointPayload:
    webhook_endpoint: WebhookEndpoint | None
    errors: list[Problem]


@strawberry.type
class RemoveWebhookEndpointPayload:
    webhook_endpoint: WebhookEndpoint | None
    errors: list[Problem]


@strawberry.type(description="`secret` is the new one; the one before holds for a day.")
class RotateWebhookSecretPayload:
    webhook_endpoint: WebhookEndpoint | None
    secret: str | None
    errors: list[Problem]


@strawberry.type
class TestWebhookEndpointPayload:
    webhook_delivery: WebhookDelivery | None
    errors: list[Problem]


@strawberry.type
class RedeliverWebhookPayload:
    webhook_delivery: WebhookDelivery | None
    errors: list[Problem]


Act = Callable[[Session, Principal], Awaitable[Any]]


async def _nothing() -> None:
    pass


async def _opening(info: Info, act: Act, before: Callable[[], Awaitable[None]] = _nothing) -> Outcome[Any]:
    """`act` makes a secret, which a repeat of the request is told again: what is kept is sealed."""

    async def again(session: Session, principal: Principal, kept: dict[str, Any]) -> Opened:
        return Opened(await endpoints.get(session, principal, UUID(kept["id"])), kept["secret"])

    return await mutate_own(
        info.context, key_of(info), act,
        kept=lambda made: {"id": str(made.endpoint.id), "secret": made.secret}, again=again, before=before,
    )  # fmt: skip


async def _on_endpoint(info: Info, act: Act, before: Callable[[], Awaitable[None]] = _nothing) -> Outcome[Any]:
    async def again(session: Session, principal: Principal, kept: dict[str, Any]) -> models.WebhookEndpoint:
        return await endpoints.get(session, principal, UUID(kept["id"]), or_removed=True)

    return await mutate_own(
        info.context, key_of(info), act, kept=lambda found: {"id": str(found.id)}, again=again, before=before
    )  # fmt: skip


@strawberry.type
class WebhookMutation:
    @strawberry.mutation(description="Lets an address be told of notifications.")  # type: ignore[untyped-decorator]
    async def create_webhook_endpoint(
        self, info: Info, input: CreateWebhookEndpointInput
    ) -> CreateWebhookEndpointPayload:
        services = info.context.services

        async def act(session: Session, principal: Principal) -> Opened:
            named = given(input.brand_id)
            brand_id = parse_typeid(Prefix.BRAND, named) if named is not None else None
            return await endpoints.create(
                session, principal, services.vault,
                url=input.url, kinds=input.kinds, brand_id=brand_id, now=services.clock(),
            )  # fmt: skip

        outcome = await _opening(info, act, lambda: refuse_url(services, input.url, ("url",)))
        made, errors = outcome.thing, errors_of(outcome.problems)
        if made is None:
            return CreateWebhookEndpointPayload(webhook_endpoint=None, secret=None, errors=errors)
        return CreateWebhookEndpointPayload(webhook_endpoint=made.endpoint, secret=made.secret, errors=errors)

    @strawberry.mutation(description="Moves an endpoint, changes its kinds, switches it off or on.")  # type: ignore[untyped-decorator]
    async def update_webhook_endpoint(
        self, info: Info, input: UpdateWebhookEndpointInput
    ) -> UpdateWebhookEndpointPayload:
        services, url = info.context.services, given(input.url)

        async def before() -> None:
            if url is not None:
                await refuse_url(services, url, ("url",))

        async def act(session: Session, principal: Principal) -> models.WebhookEndpoint:
            return await endpoints.update(
                session, principal, parse_typeid(Prefix.WEBHOOK_ENDPOINT, input.id),
                url=url, kinds=given(input.kinds), is_enabled=given(input.is_enabled),
                if_version=given(input.if_version), now=services.clock(),
            )  # fmt: skip

        outcome = await _on_endpoint(info, act, before)
        return UpdateWebhookEndpointPayload(webhook_endpoint=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Ends an endpoint: nothing more is sent there.")  # type: ignore[untyped-decorator]
    async def remove_webhook_endpoint(
        self, info: Info, input: RemoveWebhookEndpointInput
    ) -> RemoveWebhookEndpointPayload:
        services = info.context.services

        async def act(session: Session, principal: Principal) -> models.WebhookEndpoint:
            id_ = parse_typeid(Prefix.WEBHOOK_ENDPOINT, input.id)
            return await endpoints.remove(session, principal, id_, now=services.clock())

        outcome = await _on_endpoint(info, act)
        return RemoveWebhookEndpointPayload(webhook_endpoint=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Makes another secret; the one before holds for a day.")  # type: ignore[untyped-decorator]
    async def rotate_webhook_secret(self, info: Info, input: RotateWebhookSecretInput) -> RotateWebhookSecretPayload:
        services = info.context.services

        async def act(session: Session, principal: Principal) -> Opened:
            id_ = parse_typeid(Prefix.WEBHOOK_ENDPOINT, input.id)
            return await endpoints.rotate(session, principal, services.vault, id_, now=services.clock())

        outcome = await _opening(info, act)
        made, errors = outcome.thing, errors_of(outcome.problems)
        if made is None:
            return RotateWebhookSecretPayload(webhook_endpoint=None, secret=None, errors=errors)
        return RotateWebhookSecretPayload(webhook_endpoint=made.endpoint, secret=made.secret, errors=errors)

    @strawberry.mutation(description="Sends a message that says that it is a test.")  # type: ignore[untyped-decorator]
    async def test_webhook_endpoint(self, info: Info, input: TestWebhookEndpointInput) -> TestWebhookEndpointPayload:
        services = info.context.services

        async def act(session: Session, principal: Principal) -> models.WebhookDelivery:
            id_ = parse_typeid(Prefix.WEBHOOK_ENDPOINT, input.id)
            return await deliveries.test(session, principal, id_, now=services.clock())

        async def again(session: Session, principal: Principal, kept: dict[str, Any]) -> models.WebhookDelivery:
            return await delivery_log.again(session, principal, UUID(kept["brand"]), UUID(kept["id"]))

        outcome = await mutate_own(
            info.context, key_of(info), act,
            kept=lambda made: {"id": str(made.id), "brand": str(made.brand_id)}, again=again,
            bells=[DeliverWebhooks()],
        )  # fmt: skip
        return TestWebhookEndpointPayload(webhook_delivery=outcome.thing, errors=errors_of(outcome.problems))  # type: ignore[arg-type]

    @strawberry.mutation(description="Sends a delivery once more, under the same id.")  # type: ignore[untyped-decorator]
    async def redeliver_webhook(self, info: Info, input: RedeliverWebhookInput) -> RedeliverWebhookPayload:
        now = info.context.services.clock()
        outcome = await on(
            info,
            Prefix.WEBHOOK_DELIVERY,
            input.id,
            lambda session, scope, id_: deliveries.redeliver(session, scope, id_, now=now),
            delivery_log.seen,
            [DeliverWebhooks()],
        )
        return RedeliverWebhookPayload(webhook_delivery=outcome.thing, errors=errors_of(outcome.problems))
