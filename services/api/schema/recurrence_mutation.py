"""Verbs of recurrences."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of
from services.api.schema.connection import Info, given
from services.api.schema.planning import RemadePosts
from services.api.schema.planning_inputs import (
    CreateRecurrenceInput,
    EndRecurrenceInput,
    PauseRecurrenceInput,
    ResumeRecurrenceInput,
    SkipOccurrenceInput,
    UpdateRecurrenceInput,
)
from services.api.schema.planning_payloads import (
    CreateRecurrencePayload,
    EndRecurrencePayload,
    PauseRecurrencePayload,
    ResumeRecurrencePayload,
    SkipOccurrencePayload,
    UpdateRecurrencePayload,
)
from shared import models
from shared.connectors.registry import CARDS
from shared.db import Session
from shared.domain.publishing.planning import occurring, recurrences
from shared.domain.publishing.planning.occurring import Changed
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid, typeid
from shared.queues import SendOutgoing

P = TypeVar("P")


async def _on_recurrence(
    info: Info, payload: Callable[..., P], id_: str, act: Callable[[Session, Scope, UUID], Awaitable[Changed]]
) -> P:
    async def run(session: Session, scope: Scope) -> Changed:
        return await act(session, scope, parse_typeid(Prefix.RECURRENCE, id_))

    async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> Changed:
        row = await recurrences.get(session, scope, UUID(kept["id"]))
        return Changed(row, kept["replaced"], [UUID(one) for one in kept["posts"]])

    outcome = await mutate(
        info.context,
        key_of(info),
        Target(Prefix.RECURRENCE, id_),
        run,
        kept=lambda found: {
            "id": str(found.recurrence.id),
            "replaced": found.replaced,
            "posts": [str(one) for one in found.kept],
        },
        again=again,
        bells=[SendOutgoing()],
    )
    found = outcome.thing
    return payload(
        recurrence=found.recurrence if found is not None else None,
        remade=_remade(found),
        errors=errors_of(outcome.problems),
    )


def _remade(found: Changed | None) -> RemadePosts | None:
    if found is None:
        return None
    kept = [strawberry.ID(typeid(Prefix.POST, one)) for one in found.kept]
    return RemadePosts(replaced=found.replaced, kept_ids=kept)


@strawberry.type
class RecurrenceMutation:
    @strawberry.mutation
    async def create_recurrence(self, info: Info, input: CreateRecurrenceInput) -> CreateRecurrencePayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Recurrence:
            return await occurring.create(session, scope, draft=input.draft(), cards=CARDS, now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> models.Recurrence:
            return await recurrences.get(session, scope, UUID(kept["id"]))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda made: {"id": str(made.id)}, again=again, bells=[SendOutgoing()],
        )  # fmt: skip
        return CreateRecurrencePayload(recurrence=outcome.thing, errors=errors_of(outcome.problems))  # type: ignore[arg-type]

    @strawberry.mutation(description="Changes a recurrence from now on.")  # type: ignore[untyped-decorator]
    async def update_recurrence(self, info: Info, input: UpdateRecurrenceInput) -> UpdateRecurrencePayload:
        now, version = info.context.services.clock(), given(input.if_version)

        async def act(session: Session, scope: Scope, id_: UUID) -> Changed:
            return await occurring.change(
                session, scope, id_, changes=input.changes(), cards=CARDS, now=now, if_version=version
            )

        return await _on_recurrence(info, UpdateRecurrencePayload, input.id, act)

    @strawberry.mutation(description="Lets nothing come of it until it is resumed.")  # type: ignore[untyped-decorator]
    async def pause_recurrence(self, info: Info, input: PauseRecurrenceInput) -> PauseRecurrencePayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_recurrence(
            info,
            PauseRecurrencePayload,
            input.id,
            lambda session, scope, id_: occurring.pause(session, scope, id_, now=now, if_version=version),
        )

    @strawberry.mutation(description="Lets it go on with what lies ahead.")  # type: ignore[untyped-decorator]
    async def resume_recurrence(self, info: Info, input: ResumeRecurrenceInput) -> ResumeRecurrencePayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_recurrence(
            info,
            ResumeRecurrencePayload,
            input.id,
            lambda session, scope, id_: occurring.resume(session, scope, id_, cards=CARDS, now=now, if_version=version),
        )

    @strawberry.mutation(description="Ends it for good; its posts ahead are let go.")  # type: ignore[untyped-decorator]
    async def end_recurrence(self, info: Info, input: EndRecurrenceInput) -> EndRecurrencePayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_recurrence(
            info,
            EndRecurrencePayload,
            input.id,
            lambda session, scope, id_: occurring.end(session, scope, id_, now=now, if_version=version),
        )

    @strawberry.mutation(description="Leaves one occurrence out.")  # type: ignore[untyped-decorator]
    async def skip_occurrence(self, info: Info, input: SkipOccurrenceInput) -> SkipOccurrencePayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_recurrence(
            info,
            SkipOccurrencePayload,
            input.id,
            lambda session, scope, id_: occurring.skip(session, scope, id_, day=input.day, now=now, if_version=version),
        )
