"""What a person may say of a post, checked once at the border, and what they mean by its time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from shared.contract import read_moment, storable
from shared.domain.publishing.planning import wallclock
from shared.domain.publishing.planning.wallclock import wrong
from shared.errors import Invalid, NotFound, Problem
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.base import JsonObject

LONGEST_TEXT = 100_000
MOST_CHANNELS = 200
MOST_MEDIA = 20
MOST_PARTS = 50
# A form filled in a moment ago, or a clock that is a little ahead of ours, is no mistake.
LATE = timedelta(minutes=5)
# What can be planned for: every zone has a day for it, and nobody means a later one.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
NEXT: Final = "next"
_SLOT = {"type": "string", "maxLength": 60}


def _named(prefix: Prefix) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return parse_typeid(prefix, value) if value.startswith(f"{prefix.value}_") else UUID(value)
        except (NotFound, ValueError):
            what = prefix.name.lower()
            raise ValueError(f"{value[:60]!r} is not the id of a {what}: it begins with {prefix.value}_") from None

    return read


def _slot(value: object) -> object:
    if not isinstance(value, str) or value == NEXT:
        return value
    try:
        return parse_typeid(Prefix.SLOT, value)
    except NotFound:
        raise ValueError(f"{value[:60]!r} is neither the id of a slot nor {NEXT!r}") from None


def _moment(value: object) -> object:
    if isinstance(value, str):
        return read_moment(value)
    if isinstance(value, datetime) or value is None:
        return value
    raise ValueError("a time is text such as 2026-12-01T09:00:00Z")


def _storable(value: object) -> object:
    return storable(value) if isinstance(value, str) else value


_ID_SCHEMA = WithJsonSchema({"type": "string", "maxLength": 60})
ChannelId = Annotated[UUID, BeforeValidator(_named(Prefix.CHANNEL)), _ID_SCHEMA]
CampaignId = Annotated[UUID, BeforeValidator(_named(Prefix.CAMPAIGN)), _ID_SCHEMA]
PostId = Annotated[UUID, BeforeValidator(_named(Prefix.POST)), _ID_SCHEMA]
MediaId = Annotated[UUID, BeforeValidator(_named(Prefix.MEDIA)), _ID_SCHEMA]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Text = Annotated[str, BeforeValidator(_storable), Field(max_length=LONGEST_TEXT)]

Label = Annotated[str, BeforeValidator(_storable), Field(max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MediaItem(_Strict):
    """One of the brand's media (`media_id`), or what stands somewhere on the web (`url`); one of the two.

    `kind` is told of what stands on the web; ours is what it is. `alt` None: the media's own, in the best language.
    """

    media_id: MediaId | None = None
    url: Annotated[str, BeforeValidator(_storable)] | None = Field(
        default=None, min_length=1, max_length=2000, pattern=r"^https?://[^\s]+$"
    )
    kind: Annotated[str, BeforeValidator(_storable)] = Field(default="image", min_length=1, max_length=50)
    alt: Annotated[str, BeforeValidator(_storable)] | None = Field(default=None, max_length=2000)

    @model_validator(mode="after")
    def _one_of_two(self) -> "MediaItem":
        if (self.media_id is None) is (self.url is None):
            raise ValueError("give media_id, or url for what stands on the web")
        return self

    def stored(self) -> JsonObject:
        """The item as posts and effects keep it."""
        if self.media_id is not None:
            return {"media_id": typeid(Prefix.MEDIA, self.media_id), "kind": self.kind, "alt": self.alt}
        return {"url": self.url, "kind": self.kind, "alt": self.alt}


Link = Annotated[str, BeforeValidator(_storable), Field(max_length=2000, pattern=r"^https?://[^\s]+$")]


class PartDraft(_Strict):
    """What follows in the same thread."""

    text: Text
    media: list[MediaItem] = Field(default_factory=list, max_length=MOST_MEDIA)


class VariantDraft(_Strict):
    """The post's form for one channel; `text`, `media`, `link` None: the post's own.

    `media_ids` is short for `media` that are the brand's own.
    """

    channel_id: ChannelId
    text: Text | None = None
    media: list[MediaItem] | None = Field(default=None, max_length=MOST_MEDIA)
    media_ids: list[MediaId] | None = Field(default=None, max_length=MOST_MEDIA)
    link: Link | None = None
    first_comment: Text | None = None
    parts: list[PartDraft] = Field(default_factory=list, max_length=MOST_PARTS)
    audience: str | None = Field(default=None, max_length=40)


class Timing(_Strict):
    """A moment, or wall-clock time in a zone (the brand's where none is named); not both."""

    scheduled_at: Moment | None = None
    local_time: str | None = Field(default=None, max_length=40)
    timezone: str | None = Field(default=None, max_length=64)


class Planning(Timing):
    """A time, or a slot: `next` is the next free one, a slot's id its next free occurrence."""

    slot: Annotated[UUID | Literal["next"], BeforeValidator(_slot), WithJsonSchema(_SLOT)] | None = None


class PostDraft(Planning):
    """A new post. With a time and no status it is scheduled; without a time it is a draft."""

    text: Text
    media: list[MediaItem] = Field(default_factory=list, max_length=MOST_MEDIA)
    media_ids: list[MediaId] | None = Field(default=None, max_length=MOST_MEDIA)
    link: Link | None = None
    campaign_id: CampaignId | None = None
    channel_ids: list[ChannelId] = Field(default_factory=list, max_length=MOST_CHANNELS)
    variants: list[VariantDraft] = Field(default_factory=list, max_length=MOST_CHANNELS)
    status: Literal["draft", "scheduled"] | None = None


class PostChanges(Timing):
    """What may change of a post; what is not set stays. `channel_ids` and `variants` replace the ones before, whole."""

    text: Text | None = None
    media: list[MediaItem] | None = Field(default=None, max_length=MOST_MEDIA)
    media_ids: list[MediaId] | None = Field(default=None, max_length=MOST_MEDIA)
    link: Link | None = None
    campaign_id: CampaignId | None = None
    channel_ids: list[ChannelId] | None = Field(default=None, max_length=MOST_CHANNELS)
    variants: list[VariantDraft] | None = Field(default=None, max_length=MOST_CHANNELS)


@dataclass(frozen=True, slots=True)
class When:
    """The moment of a post, and the wall clock and zone that a person meant by it, if they did."""

    at: datetime
    local_time: str | None = None
    timezone: str | None = None


def when(timing: Timing, brand_timezone: str) -> When | None:
    """The moment that `timing` means; None where it names none. Raises Invalid.

    Wall-clock time that a change of the clocks skips moves forward by what is skipped; one that comes twice is the
    first of the two.
    """
    if timing.scheduled_at is not None:
        if timing.local_time is not None or timing.timezone is not None:
            raise wrong("exclusive", "give scheduled_at, or local_time with timezone, not both", "scheduled_at")
        return When(_utc(timing.scheduled_at, "scheduled_at"))
    if timing.local_time is None:
        if timing.timezone is not None:
            raise wrong("required", "timezone says where local_time is meant: give local_time too", "local_time")
        return None
    zone = wallclock.require_zone(timing.timezone or brand_timezone, "timezone")
    return at_wall_clock(wallclock.read_local(timing.local_time, "local_time"), zone)


def at_wall_clock(local: datetime, zone: str) -> When:
    """The moment of wall-clock time in a zone, which both are kept. Raises Invalid where it is out of range."""
    try:
        return When(_within(wallclock.moment(local, zone), "local_time"), wallclock.written(local), zone)
    except OverflowError:
        raise _out_of_range("local_time") from None


def refuse_past(moment: When, now: datetime) -> None:
    """Raise Invalid where the moment is over; a few minutes late is now."""
    if moment.at < now - LATE:
        place = "scheduled_at" if moment.local_time is None else "local_time"
        raise wrong("in_the_past", f"{moment.at.isoformat()} is over; give a later time, or publish it now", place)


def named_channels(
    channel_ids: list[UUID], variants: list[VariantDraft]
) -> Iterator[tuple[UUID, tuple[str | int, ...]]]:
    """Every channel that the input names, once, and where. Raises Invalid for two variants of one."""
    seen: set[UUID] = set()
    for index, variant in enumerate(variants):
        place = ("variants", index, "channel_id")
        if variant.channel_id in seen:
            raise Invalid([Problem("duplicate", "this channel has a variant already; a post has one each", place)])
        seen.add(variant.channel_id)
        yield variant.channel_id, place
    for index, channel_id in enumerate(channel_ids):
        if channel_id not in seen:
            seen.add(channel_id)
            yield channel_id, ("channel_ids", index)


def _utc(moment: datetime, place: str) -> datetime:
    try:
        return _within(moment.astimezone(UTC), place)
    except OverflowError:
        raise _out_of_range(place) from None


def _within(moment: datetime, place: str) -> datetime:
    """The moment, unless it is so far off that it has no local day in every zone. Raises Invalid."""
    if not EARLIEST <= moment <= LATEST:
        raise _out_of_range(place)
    return moment


def _out_of_range(place: str) -> Invalid:
    return wrong("invalid_time", f"this time is out of range: from {EARLIEST.year} to {LATEST.year - 1}", place)
