"""Verbs of views."""

from typing import Any, cast
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.connection import Info, given
from services.api.schema.inputs import given_values, validated
from services.api.schema.mention import MentionFilter
from services.api.schema.outgoing import Problem
from services.api.schema.view import View
from shared import models
from shared.db import Session
from shared.domain.listening import views
from shared.domain.listening.views import ViewChanges, ViewDraft
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import MentionOrder


def _values(source: Any) -> dict[str, Any]:
    values = given_values(source, "name", "order")
    if source.where is not UNSET:
        values["where"] = source.where.read() if source.where is not None else None
    return values


@strawberry.input(description="`order` is BEST only where `where` searches.")
class CreateViewInput:
    brand_id: strawberry.ID
    name: str
    where: MentionFilter | None = UNSET
    order: MentionOrder | None = UNSET

    def draft(self) -> ViewDraft:
        return validated(ViewDraft, {name: value for name, value in _values(self).items() if value is not None})


@strawberry.input(description="What is absent stays; `where` is replaced whole.")
class UpdateViewInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    name: str | None = UNSET
    where: MentionFilter | None = UNSET
    order: MentionOrder | None = UNSET

    def changes(self) -> ViewChanges:
        return validated(ViewChanges, _values(self))


@strawberry.input
class DeleteViewInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.type
class CreateViewPayload:
    view: View | None
    errors: list[Problem]


@strawberry.type
class UpdateViewPayload:
    view: View | None
    errors: list[Problem]


@strawberry.type
class DeleteViewPayload:
    deleted_id: strawberry.ID | None
    errors: list[Problem]


@strawberry.type
class ViewMutation:
    @strawberry.mutation(description="Keeps a filter of mentions under a name.")  # type: ignore[untyped-decorator]
    async def create_view(self, info: Info, input: CreateViewInput) -> CreateViewPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.View:
            return await views.create(session, scope, draft=input.draft(), now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> models.View:
            return await views.get(session, scope, UUID(kept["id"]))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda made: {"id": str(made.id)}, again=again,
        )  # fmt: skip
        return CreateViewPayload(view=cast(Any, outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Changes a view.")  # type: ignore[untyped-decorator]
    async def update_view(self, info: Info, input: UpdateViewInput) -> UpdateViewPayload:
        now, version = info.context.services.clock(), given(input.if_version)

        async def act(session: Session, scope: Scope, id_: UUID) -> models.View:
            return await views.change(session, scope, id_, changes=input.changes(), now=now, if_version=version)

        outcome = await on(info, Prefix.VIEW, input.id, act, views.get)
        return UpdateViewPayload(view=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Keeps a view no longer.")  # type: ignore[untyped-decorator]
    async def delete_view(self, info: Info, input: DeleteViewInput) -> DeleteViewPayload:
        version = given(input.if_version)

        async def act(session: Session, scope: Scope) -> UUID:
            id_ = parse_typeid(Prefix.VIEW, input.id)
            await views.delete(session, scope, id_, if_version=version)
            return id_

        async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> UUID:
            return UUID(kept["id"])

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.VIEW, input.id), act,
            kept=lambda id_: {"id": str(id_)}, again=again,
        )  # fmt: skip
        gone = strawberry.ID(typeid(Prefix.VIEW, outcome.thing)) if outcome.thing is not None else None
        return DeleteViewPayload(deleted_id=gone, errors=errors_of(outcome.problems))
