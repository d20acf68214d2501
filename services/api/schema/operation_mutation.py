"""Verbs of long work."""

from uuid import UUID

import strawberry

from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.connection import Info, given
from services.api.schema.inputs import BackfillChannelInput, CancelOperationInput
from services.api.schema.payloads import BackfillChannelPayload, CancelOperationPayload
from services.api.schema.rereading import RereadChannelInput, RereadChannelPayload
from shared import models
from shared.connectors.registry import connector
from shared.db import Session
from shared.domain.brands import channels
from shared.domain.listening import backfills, rereadings
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid


@strawberry.type
class OperationMutation:
    @strawberry.mutation(description="Brings what was said on a channel from a moment on.")  # type: ignore[untyped-decorator]
    async def backfill_channel(self, info: Info, input: BackfillChannelInput) -> BackfillChannelPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Operation:
            id_ = parse_typeid(Prefix.CHANNEL, input.id)
            card = connector((await channels.get(session, scope, id_)).network).card
            return await backfills.start(session, scope, id_, since=input.since, card=card, now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, object]) -> models.Operation:
            return await backfills.get(session, scope, UUID(str(kept["id"])))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.CHANNEL, input.id), act,
            kept=lambda operation: {"id": str(operation.id)}, again=again,
        )  # fmt: skip
        return BackfillChannelPayload(operation=outcome.thing, errors=errors_of(outcome.problems))  # type: ignore[arg-type]

    @strawberry.mutation(description="Reads anew what another version of the model has read, or none.")  # type: ignore[untyped-decorator]
    async def reread_channel(self, info: Info, input: RereadChannelInput) -> RereadChannelPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Operation:
            id_, since = parse_typeid(Prefix.CHANNEL, input.id), given(input.since) or rereadings.EVER
            return await rereadings.start(session, scope, id_, since=since, now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, object]) -> models.Operation:
            return await backfills.get(session, scope, UUID(str(kept["id"])))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.CHANNEL, input.id), act,
            kept=lambda operation: {"id": str(operation.id)}, again=again,
        )  # fmt: skip
        return RereadChannelPayload(operation=outcome.thing, errors=errors_of(outcome.problems))  # type: ignore[arg-type]

    @strawberry.mutation(description="Calls long work off; what it has brought stays.")  # type: ignore[untyped-decorator]
    async def cancel_operation(self, info: Info, input: CancelOperationInput) -> CancelOperationPayload:
        now = info.context.services.clock()
        outcome = await on(
            info,
            Prefix.OPERATION,
            input.id,
            lambda session, scope, id_: backfills.cancel(session, scope, id_, now=now),
            backfills.get,
        )
        return CancelOperationPayload(operation=outcome.thing, errors=errors_of(outcome.problems))
