"""Verbs of media. They are brought by REST: a file is no JSON."""

from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.connection import Info, given
from services.api.schema.inputs import validated
from services.api.schema.media import MediaFile
from services.api.schema.outgoing import Problem
from shared import models
from shared.db import Session
from shared.domain.publishing.library import media
from shared.domain.publishing.library.media import MediaChanges
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid, typeid


@strawberry.input(description="What is seen or heard, in one language; null takes that language's text away.")
class AltTextInput:
    language: str
    text: str | None = UNSET


@strawberry.input(description="What is absent stays, languages that are not named too.")
class UpdateMediaInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    name: str | None = UNSET
    alts: list[AltTextInput] | None = UNSET

    def changes(self) -> MediaChanges:
        values: dict[str, Any] = {"name": given(self.name)}
        if self.alts:
            values["alts"] = {one.language: given(one.text) for one in self.alts}
        return validated(MediaChanges, values)


@strawberry.input
class DeleteMediaInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.type
class UpdateMediaPayload:
    media_file: MediaFile | None
    errors: list[Problem]


@strawberry.type(description="`mediaFile` is the file as it was.")
class DeleteMediaPayload:
    media_file: MediaFile | None
    deleted_id: strawberry.ID | None
    errors: list[Problem]


@strawberry.type
class MediaMutation:
    @strawberry.mutation(description="Renames a file, or says in a language what is seen on it.")  # type: ignore[untyped-decorator]
    async def update_media(self, info: Info, input: UpdateMediaInput) -> UpdateMediaPayload:
        async def act(session: Session, scope: Scope, id_: UUID) -> models.Media:
            return await media.update(session, scope, id_, changes=input.changes(), if_version=given(input.if_version))

        outcome = await on(info, Prefix.MEDIA, input.id, act, media.get)
        return UpdateMediaPayload(media_file=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Lets go of a file that no waiting post needs.")  # type: ignore[untyped-decorator]
    async def delete_media(self, info: Info, input: DeleteMediaInput) -> DeleteMediaPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Media:
            id_ = parse_typeid(Prefix.MEDIA, input.id)
            return await media.remove(session, scope, id_, now=now, if_version=given(input.if_version))

        async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> models.Media:
            return models.Media.model_validate(kept["media"])

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.MEDIA, input.id), act,
            kept=lambda row: {"media": row.model_dump(mode="json")}, again=again,
        )  # fmt: skip
        row: Any = outcome.thing
        gone = strawberry.ID(typeid(Prefix.MEDIA, row.id)) if row is not None else None
        return DeleteMediaPayload(media_file=row, deleted_id=gone, errors=errors_of(outcome.problems))
