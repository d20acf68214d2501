"""Verbs that bring an effect on a network under way, or decide about one."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import strawberry

from services.api.mutating import Target, mutate
from services.api.schema.acting import Act, errors_of, key_of, on
from services.api.schema.connection import Info, given
from services.api.schema.inputs import SettleOutgoingInput
from services.api.schema.outgoing_inputs import (
    BlockIdentityInput,
    CancelOutgoingInput,
    DeleteMentionInput,
    HideMentionInput,
    LikeMentionInput,
    ReplyToMentionInput,
    UnblockIdentityInput,
    UnhideMentionInput,
    UnlikeMentionInput,
)
from services.api.schema.outgoing_payloads import (
    BlockIdentityPayload,
    CancelOutgoingPayload,
    DeleteMentionPayload,
    HideMentionPayload,
    LikeMentionPayload,
    ReplyToMentionPayload,
    SettleOutgoingPayload,
    UnblockIdentityPayload,
    UnhideMentionPayload,
    UnlikeMentionPayload,
)
from shared import models
from shared.connectors.registry import CARDS
from shared.db import Session
from shared.domain.engagement import acts
from shared.domain.publishing.sending import settling, stories
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid
from shared.models.enums import OutgoingKind
from shared.queues import SendOutgoing

P = TypeVar("P")
Done = Callable[[Session, Scope, UUID], Awaitable[models.Outgoing]]


async def _on_outgoing(info: Info, payload: Callable[..., P], id_: str, act: Act) -> P:
    outcome = await on(info, Prefix.OUTGOING, id_, act, stories.get, [SendOutgoing()])
    return payload(outgoing=outcome.thing, errors=errors_of(outcome.problems))


async def _under_way(info: Info, payload: Callable[..., P], prefix: Prefix, id_: str, done: Done) -> P:
    """Bring an effect on this thing under way. A repeat reads the effect as it now stands."""

    async def act(session: Session, scope: Scope) -> models.Outgoing:
        return await done(session, scope, parse_typeid(prefix, id_))

    async def again(session: Session, scope: Scope, kept: dict[str, object]) -> models.Outgoing:
        return await stories.get(session, scope, UUID(str(kept["id"])))

    outcome = await mutate(
        info.context, key_of(info), Target(prefix, id_), act,
        kept=lambda outgoing: {"id": str(outgoing.id)}, again=again, bells=[SendOutgoing()],
    )  # fmt: skip
    return payload(outgoing=outcome.thing, errors=errors_of(outcome.problems))


async def _act(info: Info, payload: Callable[..., P], id_: str, kind: OutgoingKind) -> P:
    now = info.context.services.clock()

    async def done(session: Session, scope: Scope, mention_id: UUID) -> models.Outgoing:
        return await acts.act(session, scope, mention_id, kind, cards=CARDS, now=now)

    return await _under_way(info, payload, Prefix.MENTION, id_, done)


async def _block(
    info: Info, payload: Callable[..., P], input: BlockIdentityInput | UnblockIdentityInput, kind: OutgoingKind
) -> P:
    now = info.context.services.clock()

    async def done(session: Session, scope: Scope, identity_id: UUID) -> models.Outgoing:
        channel_id = parse_typeid(Prefix.CHANNEL, input.channel_id)
        return await acts.block(session, scope, identity_id, kind, channel_id=channel_id, cards=CARDS, now=now)

    return await _under_way(info, payload, Prefix.IDENTITY, input.id, done)


@strawberry.type
class OutgoingMutation:
    @strawberry.mutation(description="A person settles an effect of which it is not known whether it happened.")  # type: ignore[untyped-decorator]
    async def settle_outgoing(self, info: Info, input: SettleOutgoingInput) -> SettleOutgoingPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Outgoing:
            return await settling.settle(
                session, scope, id_, as_=input.as_, external_id=given(input.external_id), cards=CARDS, now=now
            )

        return await _on_outgoing(info, SettleOutgoingPayload, input.id, act)

    @strawberry.mutation(description="Takes back an effect of which nothing has left yet.")  # type: ignore[untyped-decorator]
    async def cancel_outgoing(self, info: Info, input: CancelOutgoingInput) -> CancelOutgoingPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Outgoing:
            return await settling.cancel(session, scope, id_, now=now)

        return await _on_outgoing(info, CancelOutgoingPayload, input.id, act)

    @strawberry.mutation(description="Answers a mention where it was said; what is private in private.")  # type: ignore[untyped-decorator]
    async def reply_to_mention(self, info: Info, input: ReplyToMentionInput) -> ReplyToMentionPayload:
        now = info.context.services.clock()

        async def done(session: Session, scope: Scope, mention_id: UUID) -> models.Outgoing:
            return await acts.reply(session, scope, mention_id, draft=input.draft(), cards=CARDS, now=now)

        return await _under_way(info, ReplyToMentionPayload, Prefix.MENTION, input.id, done)

    @strawberry.mutation(description="Hides a mention on its network.")  # type: ignore[untyped-decorator]
    async def hide_mention(self, info: Info, input: HideMentionInput) -> HideMentionPayload:
        return await _act(info, HideMentionPayload, input.id, OutgoingKind.HIDE)

    @strawberry.mutation(description="Shows a hidden mention again.")  # type: ignore[untyped-decorator]
    async def unhide_mention(self, info: Info, input: UnhideMentionInput) -> UnhideMentionPayload:
        return await _act(info, UnhideMentionPayload, input.id, OutgoingKind.UNHIDE)

    @strawberry.mutation(description="Deletes a mention on its network.")  # type: ignore[untyped-decorator]
    async def delete_mention(self, info: Info, input: DeleteMentionInput) -> DeleteMentionPayload:
        return await _act(info, DeleteMentionPayload, input.id, OutgoingKind.DELETE)

    @strawberry.mutation(description="Likes a mention.")  # type: ignore[untyped-decorator]
    async def like_mention(self, info: Info, input: LikeMentionInput) -> LikeMentionPayload:
        return await _act(info, LikeMentionPayload, input.id, OutgoingKind.LIKE)

    @strawberry.mutation(description="Takes a like back.")  # type: ignore[untyped-decorator]
    async def unlike_mention(self, info: Info, input: UnlikeMentionInput) -> UnlikeMentionPayload:
        return await _act(info, UnlikeMentionPayload, input.id, OutgoingKind.UNLIKE)

    @strawberry.mutation(description="Keeps a person from a channel.")  # type: ignore[untyped-decorator]
    async def block_identity(self, info: Info, input: BlockIdentityInput) -> BlockIdentityPayload:
        return await _block(info, BlockIdentityPayload, input, OutgoingKind.BLOCK)

    @strawberry.mutation(description="Lets a person back.")  # type: ignore[untyped-decorator]
    async def unblock_identity(self, info: Info, input: UnblockIdentityInput) -> UnblockIdentityPayload:
        return await _block(info, UnblockIdentityPayload, input, OutgoingKind.UNBLOCK)
