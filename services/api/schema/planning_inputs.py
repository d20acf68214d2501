"""What mutations about planning take: the REST bodies' fields in camelCase, plus `brandId` or `id`."""

import datetime as dt
from typing import Any

import strawberry
from strawberry import UNSET

from services.api.schema.inputs import MediaInput, VariantInput, given_values, validated
from shared.domain.publishing.planning.blackouts import BlackoutChanges, BlackoutDraft
from shared.domain.publishing.planning.calendar_feeds import FeedDraft
from shared.domain.publishing.planning.recurrences import RecurrenceChanges, RecurrenceDraft
from shared.domain.publishing.planning.slots import SlotChanges, SlotDraft
from shared.models.enums import BlackoutPolicy, Weekday

_SLOT = ("weekday", "local_time", "timezone", "channel_ids", "label", "paused")
_BLACKOUT = ("starts_on", "ends_on", "label")
_RECURRENCE = (
    "text", "link", "campaign_id", "channel_ids", "variants", "media", "rule", "local_time", "timezone", "starts_on",
    "blackouts",
)  # fmt: skip


def _values(source: Any, names: tuple[str, ...], *, nulls: bool) -> dict[str, Any]:
    """What was given; without `nulls` what is null counts as absent."""
    values = {n: v for n, v in given_values(source, *names).items() if nulls or v is not None}
    if values.get("channel_ids") is not None:
        values["channel_ids"] = [str(id_) for id_ in values["channel_ids"]]
    for name in ("media", "variants"):
        if values.get(name) is not None:
            values[name] = [one.values() for one in values[name]]
    return values


@strawberry.input(description="Without `timezone` it is the brand's; without `channelIds` it is for all channels.")
class CreateSlotInput:
    brand_id: strawberry.ID
    weekday: Weekday
    local_time: str
    timezone: str | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    label: str | None = UNSET
    paused: bool | None = UNSET

    def draft(self) -> SlotDraft:
        return validated(SlotDraft, _values(self, _SLOT, nulls=False))


@strawberry.input(description="What is absent stays.")
class UpdateSlotInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    weekday: Weekday | None = UNSET
    local_time: str | None = UNSET
    timezone: str | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    label: str | None = UNSET
    paused: bool | None = UNSET

    def changes(self) -> SlotChanges:
        return validated(SlotChanges, _values(self, _SLOT, nulls=True))


@strawberry.input
class RemoveSlotInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input(description="The posts, in the order in which they are to go out.")
class ReorderQueueInput:
    brand_id: strawberry.ID
    post_ids: list[strawberry.ID]


@strawberry.input(description="Both days included; without `endsOn` it is one day.")
class CreateBlackoutInput:
    brand_id: strawberry.ID
    starts_on: dt.date
    ends_on: dt.date | None = UNSET
    label: str | None = UNSET

    def draft(self) -> BlackoutDraft:
        return validated(BlackoutDraft, _values(self, _BLACKOUT, nulls=False))


@strawberry.input(description="What is absent stays.")
class UpdateBlackoutInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    starts_on: dt.date | None = UNSET
    ends_on: dt.date | None = UNSET
    label: str | None = UNSET

    def changes(self) -> BlackoutChanges:
        return validated(BlackoutChanges, _values(self, _BLACKOUT, nulls=True))


@strawberry.input
class DeleteBlackoutInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input(description="`rule` is an RRULE with COUNT or UNTIL; without `startsOn` it starts today.")
class CreateRecurrenceInput:
    brand_id: strawberry.ID
    text: str
    media: list[MediaInput] | None = UNSET
    link: str | None = UNSET
    campaign_id: strawberry.ID | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    variants: list[VariantInput] | None = UNSET
    rule: str
    local_time: str
    timezone: str | None = UNSET
    starts_on: dt.date | None = UNSET
    blackouts: BlackoutPolicy | None = UNSET

    def draft(self) -> RecurrenceDraft:
        return validated(RecurrenceDraft, _values(self, _RECURRENCE, nulls=False))


@strawberry.input(description="What is absent stays; what lies ahead is made again.")
class UpdateRecurrenceInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    text: str | None = UNSET
    media: list[MediaInput] | None = UNSET
    link: str | None = UNSET
    campaign_id: strawberry.ID | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    variants: list[VariantInput] | None = UNSET
    rule: str | None = UNSET
    local_time: str | None = UNSET
    timezone: str | None = UNSET
    starts_on: dt.date | None = UNSET
    blackouts: BlackoutPolicy | None = UNSET

    def changes(self) -> RecurrenceChanges:
        return validated(RecurrenceChanges, _values(self, _RECURRENCE, nulls=True))


@strawberry.input
class PauseRecurrenceInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class ResumeRecurrenceInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input
class EndRecurrenceInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input(description="The occurrence that is left out, by its day.")
class SkipOccurrenceInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    day: dt.date


@strawberry.input
class CreateCalendarFeedInput:
    brand_id: strawberry.ID
    label: str | None = UNSET

    def draft(self) -> FeedDraft:
        return validated(FeedDraft, _values(self, ("label",), nulls=False))


@strawberry.input
class RevokeCalendarFeedInput:
    id: strawberry.ID
