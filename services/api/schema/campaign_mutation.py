"""Verbs of campaigns."""

from datetime import date
from typing import Any, cast
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.campaign import Campaign
from services.api.schema.connection import Info, given
from services.api.schema.inputs import given_values, validated
from services.api.schema.outgoing import Problem
from shared import models
from shared.db import Session
from shared.domain.publishing import campaigns
from shared.domain.publishing.campaigns import CampaignChanges, CampaignDraft
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid, typeid

_FIELDS = ("name", "starts_on", "ends_on", "tags", "domains")


@strawberry.input(description="One UTM parameter: `name` is source, medium, campaign, term or content.")
class TagInput:
    name: str
    value: str


def _values(source: Any) -> dict[str, Any]:
    values = given_values(source, *_FIELDS)
    if values.get("tags") is not None:
        values["tags"] = {tag.name: tag.value for tag in values["tags"]}
    return values


@strawberry.input(description="Without `tags` links get source, medium and the name; with an empty list none.")
class CreateCampaignInput:
    brand_id: strawberry.ID
    name: str
    starts_on: date | None = UNSET
    ends_on: date | None = UNSET
    tags: list[TagInput] | None = UNSET
    domains: list[str] | None = UNSET

    def draft(self) -> CampaignDraft:
        return validated(CampaignDraft, {n: value for n, value in _values(self).items() if value is not None})


@strawberry.input(description="What is absent stays.")
class UpdateCampaignInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    name: str | None = UNSET
    starts_on: date | None = UNSET
    ends_on: date | None = UNSET
    tags: list[TagInput] | None = UNSET
    domains: list[str] | None = UNSET

    def changes(self) -> CampaignChanges:
        return validated(CampaignChanges, _values(self))


@strawberry.input
class DeleteCampaignInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.type
class CreateCampaignPayload:
    campaign: Campaign | None
    errors: list[Problem]


@strawberry.type
class UpdateCampaignPayload:
    campaign: Campaign | None
    errors: list[Problem]


@strawberry.type
class DeleteCampaignPayload:
    deleted_id: strawberry.ID | None
    errors: list[Problem]


@strawberry.type
class CampaignMutation:
    @strawberry.mutation(description="Begins a campaign.")  # type: ignore[untyped-decorator]
    async def create_campaign(self, info: Info, input: CreateCampaignInput) -> CreateCampaignPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Campaign:
            return await campaigns.create(session, scope, draft=input.draft(), now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> models.Campaign:
            return await campaigns.get(session, scope, UUID(kept["id"]))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda made: {"id": str(made.id)}, again=again,
        )  # fmt: skip
        return CreateCampaignPayload(campaign=cast(Any, outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Changes a campaign; links that are not scheduled yet get its new tags.")  # type: ignore[untyped-decorator]
    async def update_campaign(self, info: Info, input: UpdateCampaignInput) -> UpdateCampaignPayload:
        now, version = info.context.services.clock(), given(input.if_version)

        async def act(session: Session, scope: Scope, id_: UUID) -> models.Campaign:
            return await campaigns.change(
                session, scope, id_, changes=input.changes(), now=now, if_version=version
            )  # fmt: skip

        outcome = await on(info, Prefix.CAMPAIGN, input.id, act, campaigns.get)
        return UpdateCampaignPayload(campaign=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Lets go of a campaign without posts.")  # type: ignore[untyped-decorator]
    async def delete_campaign(self, info: Info, input: DeleteCampaignInput) -> DeleteCampaignPayload:
        version = given(input.if_version)

        async def act(session: Session, scope: Scope) -> UUID:
            id_ = parse_typeid(Prefix.CAMPAIGN, input.id)
            await campaigns.delete(session, scope, id_, if_version=version)
            return id_

        async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> UUID:
            return UUID(kept["id"])

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.CAMPAIGN, input.id), act,
            kept=lambda id_: {"id": str(id_)}, again=again,
        )  # fmt: skip
        gone = strawberry.ID(typeid(Prefix.CAMPAIGN, outcome.thing)) if outcome.thing is not None else None
        return DeleteCampaignPayload(deleted_id=gone, errors=errors_of(outcome.problems))
