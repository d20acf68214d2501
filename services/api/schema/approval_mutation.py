"""Verbs around what must be agreed to, and around holding everything back."""

from typing import Any, cast
from uuid import UUID

import strawberry

from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.approval_inputs import (
    AddCommentInput,
    ApproveInput,
    CreateApprovalLinkInput,
    HoldInput,
    ReleaseHoldInput,
    RequestChangesInput,
    RevokeApprovalLinkInput,
    SubmitPostInput,
    UpdateBrandInput,
)
from services.api.schema.approval_payloads import (
    AddCommentPayload,
    ApprovePayload,
    CreateApprovalLinkPayload,
    HoldPayload,
    ReleaseHoldPayload,
    RequestChangesPayload,
    RevokeApprovalLinkPayload,
    SubmitPostPayload,
    UpdateBrandPayload,
)
from services.api.schema.connection import Info, given
from shared import models
from shared.connectors.registry import CARDS
from shared.db import Session
from shared.domain.brands import brands
from shared.domain.publishing import posts
from shared.domain.publishing.agreeing import approvals, holds, links, ruling
from shared.domain.publishing.agreeing.links import Made
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid
from shared.queues import SendOutgoing


async def _hold(session: Session, scope: Scope, kept: dict[str, Any]) -> models.Hold:
    return await session.get_one(models.Hold, (scope.brand_id, UUID(kept["id"])))


@strawberry.type
class ApprovalMutation:
    @strawberry.mutation
    async def update_brand(self, info: Info, input: UpdateBrandInput) -> UpdateBrandPayload:
        async def act(session: Session, scope: Scope) -> models.Brand:
            return await ruling.change_brand(
                session, scope, changes=input.changes(), cards=CARDS, now=info.context.services.clock(),
                if_version=given(input.if_version),
            )  # fmt: skip

        async def again(session: Session, scope: Scope, _kept: dict[str, Any]) -> models.Brand:
            return await brands.get(session, scope)

        target = Target(Prefix.BRAND, input.id)
        outcome = await mutate(
            info.context, key_of(info), target, act, kept=lambda _: {}, again=again, bells=[SendOutgoing()]
        )
        return UpdateBrandPayload(brand=cast(Any, outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Puts a post before those who must agree.")  # type: ignore[untyped-decorator]
    async def submit_post(self, info: Info, input: SubmitPostInput) -> SubmitPostPayload:
        now, version = info.context.services.clock(), given(input.if_version)
        outcome = await on(
            info,
            Prefix.POST,
            input.id,
            lambda s, scope, id_: approvals.submit(s, scope, id_, cards=CARDS, now=now, if_version=version),
            posts.get,
            [SendOutgoing()],
        )
        return SubmitPostPayload(post=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Agrees to a post as it is at `ifVersion`.")  # type: ignore[untyped-decorator]
    async def approve(self, info: Info, input: ApproveInput) -> ApprovePayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Post:
            return await approvals.approve(
                session, scope, id_, if_version=input.if_version, comment=given(input.comment), cards=CARDS, now=now
            )

        outcome = await on(info, Prefix.POST, input.id, act, posts.get, [SendOutgoing()])
        return ApprovePayload(post=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Gives a post back to its author, saying what is wrong.")  # type: ignore[untyped-decorator]
    async def request_changes(self, info: Info, input: RequestChangesInput) -> RequestChangesPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Post:
            return await approvals.request_changes(
                session, scope, id_, if_version=input.if_version, comment=input.comment, now=now
            )

        outcome = await on(info, Prefix.POST, input.id, act, posts.get)
        return RequestChangesPayload(post=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Remarks on a post, or on a place in it; nothing of it changes.")  # type: ignore[untyped-decorator]
    async def add_comment(self, info: Info, input: AddCommentInput) -> AddCommentPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Approval:
            of = given(input.variant_id)
            return await approvals.comment(
                session, scope, id_, text=input.text, place=given(input.place), now=now,
                variant_id=parse_typeid(Prefix.VARIANT, of) if of is not None else None,
            )  # fmt: skip

        async def load(session: Session, scope: Scope, id_: UUID) -> models.Approval:
            return await session.get_one(models.Approval, (scope.brand_id, id_))

        outcome = await on(info, Prefix.POST, input.id, act, load)
        return AddCommentPayload(approval=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Makes a link by which a client without a user approves.")  # type: ignore[untyped-decorator]
    async def create_approval_link(self, info: Info, input: CreateApprovalLinkInput) -> CreateApprovalLinkPayload:
        services = info.context.services
        now = services.clock()

        async def act(session: Session, scope: Scope) -> Made:
            return await links.create(session, scope, draft=input.draft(), now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> Made:
            return Made(await links.get(session, scope, UUID(kept["id"])), kept["token"])

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act, again=again,
            kept=lambda made: {"id": str(made.link.id), "token": made.token},
        )  # fmt: skip
        made = outcome.thing
        return CreateApprovalLinkPayload(
            approval_link=cast(Any, made.link if made is not None else None),
            url=services.settings.approval_url(made.token) if made is not None else None,
            errors=errors_of(outcome.problems),
        )

    @strawberry.mutation(description="Ends a client's link for good.")  # type: ignore[untyped-decorator]
    async def revoke_approval_link(self, info: Info, input: RevokeApprovalLinkInput) -> RevokeApprovalLinkPayload:
        now = info.context.services.clock()
        outcome = await on(
            info, Prefix.APPROVAL_LINK, input.id, lambda s, scope, id_: links.revoke(s, scope, id_, now=now), links.get
        )
        return RevokeApprovalLinkPayload(approval_link=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Holds back everything that is planned and has not begun.")  # type: ignore[untyped-decorator]
    async def hold(self, info: Info, input: HoldInput) -> HoldPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Hold:
            return await holds.hold(session, scope, reason=input.reason, now=now)

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda made: {"id": str(made.id)}, again=_hold,
        )  # fmt: skip
        return HoldPayload(hold=cast(Any, outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Lets everything go its way again.")  # type: ignore[untyped-decorator]
    async def release_hold(self, info: Info, input: ReleaseHoldInput) -> ReleaseHoldPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Hold:
            return await holds.release(session, scope, missed=input.missed, now=now)

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda ended: {"id": str(ended.id)}, again=_hold, bells=[SendOutgoing()],
        )  # fmt: skip
        return ReleaseHoldPayload(hold=cast(Any, outcome.thing), errors=errors_of(outcome.problems))
