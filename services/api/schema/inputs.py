"""What mutations take: the REST bodies' fields in camelCase, plus `brandId` or `id`."""

from datetime import datetime
from typing import Any, TypeVar

import strawberry
from pydantic import BaseModel, ValidationError
from strawberry import UNSET
from strawberry.scalars import JSON

from services.api import consenting
from services.api.schema.connection import given
from shared.domain.brands.channels import ChannelChanges
from shared.domain.brands.consented import Chosen
from shared.domain.publishing.drafts import Planning
from shared.domain.publishing.many import Manner, Many
from shared.domain.publishing.posts import PostChanges, PostDraft
from shared.domain.publishing.sending.settling import Settlement
from shared.errors import Invalid, Problem
from shared.ids import Prefix, parse_typeid
from shared.models import ChannelDraft
from shared.models.enums import Network, PostStatus

M = TypeVar("M", bound=BaseModel)


def given_values(source: Any, *names: str) -> dict[str, Any]:
    """The fields that the caller set, by name."""
    return {name: value for name in names if (value := getattr(source, name, UNSET)) is not UNSET}


def validated(model: type[M], values: dict[str, Any]) -> M:
    """The draft of these values. Raises Invalid with a place for each thing that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Invalid([Problem(e["type"], e["msg"], tuple(e["loc"])) for e in error.errors()]) from None


def read_credentials(value: object) -> dict[str, str]:
    """Raises Invalid unless `value` is an object of texts."""
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise Invalid([Problem("invalid", "credentials are an object of texts", ("credentials",))])
    return dict(value)


@strawberry.input(
    description="By token: `network`, `credentials`. By consent: `consentId`, and `externalId` where much was given."
)
class ConnectChannelInput:
    brand_id: strawberry.ID
    consent_id: strawberry.ID | None = UNSET
    network: Network | None = UNSET
    name: str | None = UNSET
    base_url: str | None = UNSET
    external_id: str | None = UNSET
    credentials: JSON | None = UNSET
    terms: list[str] | None = UNSET

    def draft(self) -> ChannelDraft:
        given = {"network": self.network, **given_values(self, "name", "base_url", "external_id", "terms")}
        return validated(ChannelDraft, {**given, "terms": given.get("terms") or []})

    def read_credentials(self) -> dict[str, str]:
        return read_credentials(self.credentials) if self.credentials is not UNSET and self.credentials else {}

    def chosen(self) -> Chosen | None:
        """The choice of a consent that is meant; None where a token is. Raises Invalid, NotFound."""
        id_ = given(self.consent_id)
        return consenting.chosen(
            consent_id=parse_typeid(Prefix.CONSENT, id_) if id_ is not None else None,
            external_id=given(self.external_id),
            name=given(self.name),
            network=given(self.network),
            base_url=given(self.base_url),
            credentials=self.read_credentials(),
            terms=self.terms or (),
        )


@strawberry.input(
    description="`returnUrl` is an address of your frontend, of an origin in PARVIS_CORS_ORIGINS: the end of the way."
)
class AuthorizeChannelInput:
    brand_id: strawberry.ID
    network: Network
    base_url: str | None = UNSET
    return_url: str


@strawberry.input
class UpdateChannelInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    name: str | None = UNSET
    base_url: str | None = UNSET
    credentials: JSON | None = UNSET
    terms: list[str] | None = UNSET

    def changes(self) -> ChannelChanges:
        values = given_values(self, "name", "base_url", "credentials", "terms")
        if values.get("credentials") is not None:
            values["credentials"] = read_credentials(values["credentials"])
        return validated(ChannelChanges, values)


@strawberry.input
class PauseChannelInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class ResumeChannelInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class RemoveChannelInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class BackfillChannelInput:
    id: strawberry.ID
    since: datetime


@strawberry.input
class CancelOperationInput:
    id: strawberry.ID


@strawberry.input
class ReplayArrivalInput:
    id: strawberry.ID


@strawberry.input
class PublishPostInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class CancelPostInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class DeletePostInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input(
    description="One of the brand's media (`mediaId`), or what stands on the web (`url`, `kind`). `alt` absent or null:"
    " the media's own, in the best language."
)
class MediaInput:
    url: str | None = UNSET
    media_id: strawberry.ID | None = UNSET
    kind: str = "image"
    alt: str | None = UNSET

    def values(self) -> dict[str, Any]:
        id_ = given(self.media_id)
        values = {"url": given(self.url), "kind": self.kind, "alt": given(self.alt)}
        return {**values, "media_id": str(id_)} if id_ is not None else values


@strawberry.input(description="What follows in the same thread.")
class PartInput:
    text: str
    media: list[MediaInput] | None = UNSET

    def values(self) -> dict[str, Any]:
        return {"text": self.text, "media": [one.values() for one in self.media or []]}


@strawberry.input(
    description="The form for one channel; `text`, `media`, `link` absent or null: the post's own. `mediaIds` is short"
    " for `media` that are the brand's own."
)
class VariantInput:
    channel_id: strawberry.ID
    text: str | None = UNSET
    media: list[MediaInput] | None = UNSET
    media_ids: list[strawberry.ID] | None = UNSET
    link: str | None = UNSET
    first_comment: str | None = UNSET
    parts: list[PartInput] | None = UNSET
    audience: str | None = UNSET

    def values(self) -> dict[str, Any]:
        values = given_values(self, "text", "link", "first_comment", "audience")
        if self.media is not UNSET and self.media is not None:
            values["media"] = [one.values() for one in self.media or []]
        if self.media_ids is not UNSET and self.media_ids is not None:
            values["media_ids"] = [str(id_) for id_ in self.media_ids]
        return {"channel_id": str(self.channel_id), "parts": [one.values() for one in self.parts or []], **values}


def _post_values(source: Any) -> dict[str, Any]:
    values = given_values(
        source,
        "text",
        "link",
        "campaign_id",
        "channel_ids",
        "variants",
        "scheduled_at",
        "local_time",
        "timezone",
        "slot",
    )
    if source.media is not UNSET and source.media is not None:
        values["media"] = [one.values() for one in source.media]
    if source.media_ids is not UNSET and source.media_ids is not None:
        values["media_ids"] = [str(id_) for id_ in source.media_ids]
    if values.get("channel_ids") is not None:
        values["channel_ids"] = [str(id_) for id_ in values["channel_ids"]]
    if values.get("variants") is not None:
        values["variants"] = [variant.values() for variant in values["variants"]]
    return values


@strawberry.input(
    description="A moment, wall-clock time in a zone, or a slot (`next`, or its id) makes it scheduled; else: a draft."
)
class CreatePostInput:
    brand_id: strawberry.ID
    text: str
    media: list[MediaInput] | None = UNSET
    media_ids: list[strawberry.ID] | None = UNSET
    link: str | None = UNSET
    campaign_id: strawberry.ID | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    variants: list[VariantInput] | None = UNSET
    scheduled_at: datetime | None = UNSET
    local_time: str | None = UNSET
    timezone: str | None = UNSET
    slot: str | None = UNSET
    status: PostStatus | None = UNSET

    def draft(self) -> PostDraft:
        values = {name: value for name, value in _post_values(self).items() if value is not None}
        status = {"status": self.status.value} if self.status not in {UNSET, None} else {}
        return validated(PostDraft, {**values, **status})


@strawberry.input(description="What is absent stays; `channelIds` and `variants` replace the ones before, whole.")
class UpdatePostInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    text: str | None = UNSET
    media: list[MediaInput] | None = UNSET
    media_ids: list[strawberry.ID] | None = UNSET
    link: str | None = UNSET
    campaign_id: strawberry.ID | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    variants: list[VariantInput] | None = UNSET
    scheduled_at: datetime | None = UNSET
    local_time: str | None = UNSET
    timezone: str | None = UNSET

    def changes(self) -> PostChanges:
        return validated(PostChanges, _post_values(self))


@strawberry.input(
    description="A moment, wall-clock time in a zone, or a slot (`next`, or its id); none: the time it has."
)
class SchedulePostInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    scheduled_at: datetime | None = UNSET
    local_time: str | None = UNSET
    timezone: str | None = UNSET
    slot: str | None = UNSET

    def planning(self) -> Planning:
        return validated(Planning, given_values(self, "scheduled_at", "local_time", "timezone", "slot"))


@strawberry.input(
    description="The same done to each, in this order. `bySeconds` is how far MOVE shifts them; times are for SCHEDULE."
)
class BatchPostsInput:
    brand_id: strawberry.ID
    do: Manner
    post_ids: list[strawberry.ID]
    scheduled_at: datetime | None = UNSET
    local_time: str | None = UNSET
    timezone: str | None = UNSET
    by_seconds: int | None = UNSET

    def many(self) -> Many:
        values = given_values(self, "scheduled_at", "local_time", "timezone", "by_seconds")
        return validated(Many, {"do": self.do, "post_ids": [str(id_) for id_ in self.post_ids], **values})


@strawberry.input
class DuplicatePostInput:
    id: strawberry.ID


@strawberry.input(description="ADOPT: it is live, as `externalId`. SEND: it is not, send it. DROP: let it go.")
class SettleOutgoingInput:
    id: strawberry.ID
    as_: Settlement = strawberry.field(name="as")
    external_id: str | None = UNSET
