"""Verbs: one input, one payload, one transaction each."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast
from uuid import UUID

import strawberry

from services.api import connecting, loaders, self_test
from services.api.mutating import Target, mutate, nothing
from services.api.schema.acting import Act, errors_of, key_of, on
from services.api.schema.alert_mutation import AlertMutation
from services.api.schema.approval_mutation import ApprovalMutation
from services.api.schema.campaign_mutation import CampaignMutation
from services.api.schema.connection import Info, given
from services.api.schema.correction_mutation import CorrectionMutation
from services.api.schema.inputs import (
    AuthorizeChannelInput,
    CancelPostInput,
    ConnectChannelInput,
    CreatePostInput,
    DeletePostInput,
    PauseChannelInput,
    PublishPostInput,
    RemoveChannelInput,
    ReplayArrivalInput,
    ResumeChannelInput,
    SchedulePostInput,
    UpdateChannelInput,
    UpdatePostInput,
)
from services.api.schema.many_mutation import ManyMutation
from services.api.schema.media_mutation import MediaMutation
from services.api.schema.notification_mutation import NotificationMutation
from services.api.schema.operation_mutation import OperationMutation
from services.api.schema.outgoing_mutation import OutgoingMutation
from services.api.schema.payloads import (
    AuthorizeChannelPayload,
    CancelPostPayload,
    ConnectChannelPayload,
    CreatePostPayload,
    DeletePostPayload,
    PauseChannelPayload,
    PublishPostPayload,
    RemoveChannelPayload,
    ReplayArrivalPayload,
    ResumeChannelPayload,
    SchedulePostPayload,
    UpdateChannelPayload,
    UpdatePostPayload,
)
from services.api.schema.planning_mutation import PlanningMutation
from services.api.schema.recurrence_mutation import RecurrenceMutation
from services.api.schema.saved_query_mutation import SavedQueryMutation
from services.api.schema.view_mutation import ViewMutation
from services.api.schema.webhook_mutation import WebhookMutation
from shared import models
from shared.connectors.registry import CARDS
from shared.contract import Choice
from shared.db import Session
from shared.domain.brands import channels
from shared.domain.listening import arrivals
from shared.domain.publishing import posts
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid, typeid
from shared.queues import SendOutgoing, SettleArrivals, Task

P = TypeVar("P")


async def _channel(session: Session, scope: Scope, id_: UUID) -> models.Channel:
    return (await channels.by_ids(session, scope, [id_]))[id_]


async def _on_channel(
    info: Info, payload: Callable[..., P], id_: str, act: Act, before: Callable[[], Awaitable[None]] = nothing
) -> P:
    outcome = await on(info, Prefix.CHANNEL, id_, act, _channel, before=before)
    return payload(channel=outcome.thing, errors=errors_of(outcome.problems))


async def _on_post(info: Info, payload: Callable[..., P], id_: str, act: Act, *bells: Task) -> P:
    outcome = await on(info, Prefix.POST, id_, act, posts.get, bells)
    return payload(post=outcome.thing, errors=errors_of(outcome.problems))


Gone = tuple[models.Post, list[models.Variant]]


def _kept(gone: Gone) -> dict[str, Any]:
    post, variants = gone
    return {"post": post.model_dump(mode="json"), "variants": [one.model_dump(mode="json") for one in variants]}


@strawberry.type
class Mutation(
    OperationMutation,
    OutgoingMutation,
    CorrectionMutation,
    ManyMutation,
    MediaMutation,
    CampaignMutation,
    SavedQueryMutation,
    PlanningMutation,
    RecurrenceMutation,
    ApprovalMutation,
    NotificationMutation,
    WebhookMutation,
    AlertMutation,
    ViewMutation,
):
    @strawberry.mutation
    async def connect_channel(self, info: Info, input: ConnectChannelInput) -> ConnectChannelPayload:
        made, problems = await connecting.connect(info.context, key_of(info), input)
        if made is None:
            return ConnectChannelPayload(channel=None, secret=None, verify_token=None, errors=errors_of(problems))
        return ConnectChannelPayload(
            channel=cast(Any, made.channel), secret=made.secret, verify_token=made.verify_token, errors=[]
        )

    @strawberry.mutation(description="Asks a person on a network for their consent.")  # type: ignore[untyped-decorator]
    async def authorize_channel(self, info: Info, input: AuthorizeChannelInput) -> AuthorizeChannelPayload:
        url, problems = await connecting.authorize(info.context, key_of(info), input)
        return AuthorizeChannelPayload(authorize_url=url, errors=errors_of(problems))

    @strawberry.mutation
    async def update_channel(self, info: Info, input: UpdateChannelInput) -> UpdateChannelPayload:
        services = info.context.services

        choices: list[Choice | None] = []

        async def before() -> None:
            changes = input.changes()
            await self_test.refuse_address(services, changes.base_url, changes.credentials)
            if changes.credentials is not None:
                choices.append(await connecting.renewed(info.context, input.id, changes))

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Channel:
            card = CARDS[(await channels.get(session, scope, id_)).network]
            return await channels.update(
                session, scope, services.vault, id_,
                changes=input.changes(), card=card, choice=choices[-1] if choices else None,
                if_version=given(input.if_version), now=services.clock(),
            )  # fmt: skip

        return await _on_channel(info, UpdateChannelPayload, input.id, act, before=before)

    @strawberry.mutation
    async def pause_channel(self, info: Info, input: PauseChannelInput) -> PauseChannelPayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_channel(
            info,
            PauseChannelPayload,
            input.id,
            lambda s, scope, id_: channels.pause(s, scope, id_, if_version=version, now=now),
        )

    @strawberry.mutation
    async def resume_channel(self, info: Info, input: ResumeChannelInput) -> ResumeChannelPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Channel:
            card = CARDS[(await channels.get(session, scope, id_)).network]
            version = given(input.if_version)
            return await channels.resume(session, scope, id_, card=card, if_version=version, now=now)

        return await _on_channel(info, ResumeChannelPayload, input.id, act)

    @strawberry.mutation(description="Ends a channel; its mentions stay.")  # type: ignore[untyped-decorator]
    async def remove_channel(self, info: Info, input: RemoveChannelInput) -> RemoveChannelPayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_channel(
            info,
            RemoveChannelPayload,
            input.id,
            lambda s, scope, id_: channels.remove(s, scope, id_, if_version=version, now=now),
        )

    @strawberry.mutation(description="Puts an arrival before the worker once more.")  # type: ignore[untyped-decorator]
    async def replay_arrival(self, info: Info, input: ReplayArrivalInput) -> ReplayArrivalPayload:
        now = info.context.services.clock()
        outcome = await on(
            info,
            Prefix.ARRIVAL,
            input.id,
            lambda s, scope, id_: arrivals.replay(s, scope, id_, now=now),
            arrivals.get,
            [SettleArrivals()],
        )
        return ReplayArrivalPayload(arrival=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation
    async def create_post(self, info: Info, input: CreatePostInput) -> CreatePostPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Post:
            return await posts.create(session, scope, draft=input.draft(), cards=CARDS, now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> models.Post:
            return await posts.get(session, scope, UUID(kept["id"]))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda post: {"id": str(post.id)}, again=again, bells=[SendOutgoing()],
        )  # fmt: skip
        return CreatePostPayload(post=cast(Any, outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation
    async def update_post(self, info: Info, input: UpdatePostInput) -> UpdatePostPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Post:
            return await posts.update(
                session, scope, id_, changes=input.changes(), cards=CARDS, now=now, if_version=given(input.if_version)
            )

        return await _on_post(info, UpdatePostPayload, input.id, act, SendOutgoing())

    @strawberry.mutation
    async def schedule_post(self, info: Info, input: SchedulePostInput) -> SchedulePostPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Post:
            when = input.planning()
            return await posts.schedule(
                session, scope, id_, at=when.scheduled_at, local_time=when.local_time, timezone=when.timezone,
                slot=when.slot, cards=CARDS, now=now, if_version=given(input.if_version),
            )  # fmt: skip

        return await _on_post(info, SchedulePostPayload, input.id, act, SendOutgoing())

    @strawberry.mutation(description="Lets a post go out now.")  # type: ignore[untyped-decorator]
    async def publish_post(self, info: Info, input: PublishPostInput) -> PublishPostPayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_post(
            info,
            PublishPostPayload,
            input.id,
            lambda s, scope, id_: posts.publish(s, scope, id_, cards=CARDS, now=now, if_version=version),
            SendOutgoing(),
        )

    @strawberry.mutation(description="Takes a post back: what has not left us never does.")  # type: ignore[untyped-decorator]
    async def cancel_post(self, info: Info, input: CancelPostInput) -> CancelPostPayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_post(
            info,
            CancelPostPayload,
            input.id,
            lambda s, scope, id_: posts.cancel(s, scope, id_, now=now, if_version=version),
        )

    @strawberry.mutation(description="Lets go of a post that never went out.")  # type: ignore[untyped-decorator]
    async def delete_post(self, info: Info, input: DeletePostInput) -> DeletePostPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> Gone:
            post_id = parse_typeid(Prefix.POST, input.id)
            return await posts.delete(session, scope, post_id, now=now, if_version=given(input.if_version))

        async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> Gone:
            variants = [models.Variant.model_validate(variant) for variant in kept["variants"]]
            return models.Post.model_validate(kept["post"]), variants

        outcome = await mutate(info.context, key_of(info), Target(Prefix.POST, input.id), act, kept=_kept, again=again)
        if outcome.thing is None:
            return DeletePostPayload(post=None, deleted_id=None, errors=errors_of(outcome.problems))
        post, variants = outcome.thing
        loaders.remember(info.context, post, variants)
        return DeletePostPayload(
            post=cast(Any, post), deleted_id=strawberry.ID(typeid(Prefix.POST, post.id)), errors=[]
        )
