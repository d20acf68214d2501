"""When a brand speaks: its slots, days of silence, recurrences, and its calendar."""

import datetime as dt
from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.campaign import Campaign
from services.api.schema.connection import Info, Node, public_id
from services.api.schema.outgoing import Problem, problem_of
from shared import models
from shared.domain.publishing.drafts import MediaItem, VariantDraft
from shared.domain.publishing.planning import templates
from shared.ids import Prefix, typeid
from shared.models.enums import BlackoutPolicy, PostStatus, RecurrenceStatus, VariantStatus, Weekday


def _ids(prefix: Prefix, values: Any) -> list[strawberry.ID]:
    return [strawberry.ID(typeid(prefix, value)) for value in values]


def _slot_channels(root: strawberry.Parent[models.Slot]) -> list[strawberry.ID]:
    return _ids(Prefix.CHANNEL, root.channel_ids)


@strawberry.type(description="A time of the week. `timezone` null: the brand's; no `channelIds`: for all channels.")
class Slot(Node):
    id: strawberry.ID = public_id(Prefix.SLOT)
    label: str
    weekday: Weekday
    local_time: str
    timezone: str | None
    channel_ids: list[strawberry.ID] = strawberry.field(resolver=_slot_channels)
    paused: bool
    created_at: datetime
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Slot)


@strawberry.type(description="A post that moved; `slotId` null: it keeps its time, in no slot.")
class MovedPost:
    post_id: strawberry.ID
    before: datetime
    after: datetime
    slot_id: strawberry.ID | None


@strawberry.type(description="The posts that moved with a change.")
class MovedPosts:
    posts: list[MovedPost]


@strawberry.type(description="`replaced` posts were let go or made again; those of `keptIds` a person had changed.")
class RemadePosts:
    replaced: int
    kept_ids: list[strawberry.ID]


@strawberry.type(description="Days of silence, the first and the last included.")
class Blackout(Node):
    id: strawberry.ID = public_id(Prefix.BLACKOUT)
    starts_on: dt.date
    ends_on: dt.date
    label: str
    created_at: datetime
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Blackout)


@strawberry.type(description="One time: the day that the rule names, the wall clock that it comes to, its moment.")
class Occurrence:
    day: dt.date
    local_time: str
    timezone: str
    at: datetime


@strawberry.type(description="One of the brand's media, or what stands on the web, as it is written.")
class WrittenMedia:
    media_id: strawberry.ID | None
    url: str | None
    kind: str
    alt: str | None


def _media(items: list[MediaItem]) -> list[WrittenMedia]:
    return [
        WrittenMedia(
            media_id=strawberry.ID(typeid(Prefix.MEDIA, item.media_id)) if item.media_id is not None else None,
            url=item.url,
            kind=item.kind,
            alt=item.alt,
        )
        for item in items
    ]


@strawberry.type(description="What follows in the same thread.")
class RecurrencePart:
    text: str
    media: list[WrittenMedia]


@strawberry.type(description="What a recurrence says on one channel; null: its own. `ownMedia`: not the recurrence's.")
class RecurrenceForm:
    channel_id: strawberry.ID
    text: str | None
    own_media: bool
    media: list[WrittenMedia]
    link: str | None
    first_comment: str | None
    parts: list[RecurrencePart]
    audience: str | None


def _form(found: VariantDraft) -> RecurrenceForm:
    return RecurrenceForm(
        channel_id=strawberry.ID(typeid(Prefix.CHANNEL, found.channel_id)),
        text=found.text,
        own_media=found.media is not None,
        media=_media(found.media or []),
        link=found.link,
        first_comment=found.first_comment,
        parts=[RecurrencePart(text=part.text, media=_media(part.media)) for part in found.parts],
        audience=found.audience,
    )


_Root = strawberry.Parent[models.Recurrence]


def _text(root: _Root) -> str:
    return str(root.template["text"])


def _link(root: _Root) -> str | None:
    link: str | None = root.template["link"]
    return link


def _own_media(root: _Root) -> list[WrittenMedia]:
    return _media(templates.media_of(root))


async def _campaign(root: _Root, info: Info) -> Any:
    id_ = templates.campaign_of(root)
    return await loaders.campaign(info.context, root.brand_id, id_) if id_ is not None else None


def _channels(root: _Root) -> list[strawberry.ID]:
    return _ids(Prefix.CHANNEL, templates.channels_of(root))


def _forms(root: _Root) -> list[RecurrenceForm]:
    return [_form(found) for found in templates.forms_of(root)]


def _problem(root: _Root) -> Problem | None:
    return problem_of(root.problem) if root.problem else None


@strawberry.type(description="A post that comes again, by a rule with an end. Up to `madeUntil` it has become posts.")
class Recurrence(Node):
    id: strawberry.ID = public_id(Prefix.RECURRENCE)
    status: RecurrenceStatus
    text: str = strawberry.field(resolver=_text)
    media: list[WrittenMedia] = strawberry.field(resolver=_own_media)
    link: str | None = strawberry.field(resolver=_link)
    campaign: Campaign | None = strawberry.field(resolver=_campaign)
    channel_ids: list[strawberry.ID] = strawberry.field(resolver=_channels)
    variants: list[RecurrenceForm] = strawberry.field(resolver=_forms)
    rule: str
    starts_on: dt.date
    local_time: str
    timezone: str
    blackouts: BlackoutPolicy
    skipped: list[dt.date]
    made_until: dt.date | None
    problem: Problem | None = strawberry.field(resolver=_problem, description="Why it was paused by itself.")
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Recurrence)


@strawberry.type(description="An address for your calendar program.")
class CalendarFeed:
    id: strawberry.ID = public_id(Prefix.CALENDAR_FEED)
    label: str
    created_at: datetime


@strawberry.type(description="A post's form for one channel, as a calendar shows it.")
class CalendarVariant:
    id: strawberry.ID
    channel_id: strawberry.ID
    status: VariantStatus
    url: str | None


@strawberry.type(description="A post at its moment; `text` is its beginning.")
class CalendarPost:
    id: strawberry.ID
    status: PostStatus
    text: str
    at: datetime
    local_time: str | None
    timezone: str | None
    slot_id: strawberry.ID | None
    recurrence_id: strawberry.ID | None
    variants: list[CalendarVariant]


@strawberry.type(description="A free occurrence of a slot.")
class CalendarSlot:
    slot_id: strawberry.ID
    label: str
    at: datetime
    local_time: str
    timezone: str
    channel_ids: list[strawberry.ID]


@strawberry.type(description="An occurrence of a recurrence that is no post yet.")
class CalendarPreview:
    recurrence_id: strawberry.ID
    text: str
    day: dt.date
    at: datetime
    local_time: str
    timezone: str
    channel_ids: list[strawberry.ID]


@strawberry.type(description="Days of silence that a calendar's day is one of.")
class CalendarBlackout:
    id: strawberry.ID
    starts_on: dt.date
    ends_on: dt.date
    label: str


@strawberry.type(description="One local day.")
class CalendarDay:
    date: dt.date
    blackouts: list[CalendarBlackout]
    posts: list[CalendarPost]
    slots: list[CalendarSlot]
    previews: list[CalendarPreview]


@strawberry.type(description="The days of a range by the clock of `timezone`, in order, none left out.")
class Calendar:
    timezone: str
    days: list[CalendarDay]
