"""Verbs of saved queries."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.connection import Info, given
from services.api.schema.inputs import given_values, validated
from services.api.schema.operation import Operation
from services.api.schema.outgoing import Problem
from services.api.schema.query_trial import QueryTrial
from services.api.schema.saved_query import SavedQuery
from shared import models
from shared.connectors.registry import CARDS
from shared.db import Session
from shared.domain.listening import backfills, queries, recall_pages, recalls, trial
from shared.domain.listening.queries import QueryChanges, QueryDraft
from shared.domain.listening.trial import Trial
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import QueryGroup, RecallOver

_FIELDS = ("name", "expression", "group")


def _values(source: Any) -> dict[str, Any]:
    values = given_values(source, *_FIELDS)
    return {name: value.value if isinstance(value, QueryGroup) else value for name, value in values.items()}


@strawberry.input
class CreateSavedQueryInput:
    brand_id: strawberry.ID
    name: str
    expression: str
    group: QueryGroup | None = UNSET

    def draft(self) -> QueryDraft:
        return validated(QueryDraft, {n: value for n, value in _values(self).items() if value is not None})


@strawberry.input(description="What is absent stays.")
class UpdateSavedQueryInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    name: str | None = UNSET
    expression: str | None = UNSET
    group: QueryGroup | None = UNSET

    def changes(self) -> QueryChanges:
        return validated(QueryChanges, _values(self))


@strawberry.input
class DeleteSavedQueryInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class TrySavedQueryInput:
    brand_id: strawberry.ID
    expression: str


@strawberry.input(description="From when on (without it, all), and over what: without it, what is stored.")
class RecallSavedQueryInput:
    id: strawberry.ID
    since: datetime | None = UNSET
    over: list[RecallOver] | None = UNSET


@strawberry.type
class RecallSavedQueryPayload:
    operation: Operation | None
    errors: list[Problem]


@strawberry.type
class CreateSavedQueryPayload:
    saved_query: SavedQuery | None
    errors: list[Problem]


@strawberry.type
class UpdateSavedQueryPayload:
    saved_query: SavedQuery | None
    errors: list[Problem]


@strawberry.type
class DeleteSavedQueryPayload:
    deleted_id: strawberry.ID | None
    errors: list[Problem]


@strawberry.type
class TrySavedQueryPayload:
    trial: QueryTrial | None
    errors: list[Problem]


@strawberry.type
class SavedQueryMutation:
    @strawberry.mutation(description="Saves a query: it listens from now on.")  # type: ignore[untyped-decorator]
    async def create_saved_query(self, info: Info, input: CreateSavedQueryInput) -> CreateSavedQueryPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.SavedQuery:
            return await queries.create(session, scope, draft=input.draft(), now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> models.SavedQuery:
            return await queries.get(session, scope, UUID(kept["id"]))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda made: {"id": str(made.id)}, again=again,
        )  # fmt: skip
        return CreateSavedQueryPayload(saved_query=cast(Any, outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Saves another version of a query.")  # type: ignore[untyped-decorator]
    async def update_saved_query(self, info: Info, input: UpdateSavedQueryInput) -> UpdateSavedQueryPayload:
        now, version = info.context.services.clock(), given(input.if_version)

        async def act(session: Session, scope: Scope, id_: UUID) -> models.SavedQuery:
            return await queries.change(
                session, scope, id_, changes=input.changes(), now=now, if_version=version
            )  # fmt: skip

        outcome = await on(info, Prefix.QUERY, input.id, act, queries.get)
        return UpdateSavedQueryPayload(saved_query=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Listens no longer: what the query matched goes, too.")  # type: ignore[untyped-decorator]
    async def delete_saved_query(self, info: Info, input: DeleteSavedQueryInput) -> DeleteSavedQueryPayload:
        version = given(input.if_version)

        async def act(session: Session, scope: Scope) -> UUID:
            id_ = parse_typeid(Prefix.QUERY, input.id)
            await queries.delete(session, scope, id_, if_version=version)
            return id_

        async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> UUID:
            return UUID(kept["id"])

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.QUERY, input.id), act,
            kept=lambda id_: {"id": str(id_)}, again=again,
        )  # fmt: skip
        gone = strawberry.ID(typeid(Prefix.QUERY, outcome.thing)) if outcome.thing is not None else None
        return DeleteSavedQueryPayload(deleted_id=gone, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Asks a query of what is stored, and of networks, in the background.")  # type: ignore[untyped-decorator]
    async def recall_saved_query(self, info: Info, input: RecallSavedQueryInput) -> RecallSavedQueryPayload:
        now, since = info.context.services.clock(), given(input.since) or recall_pages.ALL_TIME
        over = given(input.over)

        async def act(session: Session, scope: Scope) -> models.Operation:
            return await recalls.start(
                session, scope, parse_typeid(Prefix.QUERY, input.id), since=since, cards=CARDS, now=now,
                over=recalls.STORED if over is None else over,
            )  # fmt: skip

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> models.Operation:
            return await backfills.get(session, scope, UUID(kept["id"]))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.QUERY, input.id), act,
            kept=lambda made: {"id": str(made.id)}, again=again,
        )  # fmt: skip
        return RecallSavedQueryPayload(operation=cast(Any, outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Tries a query over what the brand has heard; nothing is saved.")  # type: ignore[untyped-decorator]
    async def try_saved_query(self, info: Info, input: TrySavedQueryInput) -> TrySavedQueryPayload:
        async def act(session: Session, scope: Scope) -> Trial:
            return await trial.try_out(session, scope, input.expression)

        async def again(session: Session, scope: Scope, _kept: dict[str, Any]) -> Trial:
            return await act(session, scope)

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act, kept=lambda _: {}, again=again
        )  # fmt: skip
        return TrySavedQueryPayload(trial=cast(Any, outcome.thing), errors=errors_of(outcome.problems))
