"""A brand's calendar: by range, and as an address for calendar programs."""

from datetime import date, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi import Body as FromBody

from services.api.calendar_view import feed_url, view
from services.api.context import Services
from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.etags import etag, unless_known
from services.api.rest.ids import (
    BlackoutRef,
    ChannelRef,
    FeedPath,
    FeedRef,
    PostRef,
    RecurrenceRef,
    SlotRef,
    VariantRef,
)
from services.api.rest.shapes import ListRead, Moment, Read, whole
from shared.domain.publishing.planning import calendar, calendar_feeds
from shared.domain.publishing.planning.calendar import Calendar
from shared.domain.publishing.planning.calendar_feeds import FeedDraft
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models.enums import PostStatus, VariantStatus
from shared.models.planning import CalendarFeed

router = APIRouter(prefix="/v1/brands/{brand_id}/calendar", route_class=TransactedRoute, tags=["planning"])
address = APIRouter(include_in_schema=False)

_ICS = {"cache-control": "private, max-age=300", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
_LONGEST_TOKEN = 100


class VariantOnRead(Read):
    """A post's form for one channel."""

    id: VariantRef
    channel_id: ChannelRef
    status: VariantStatus
    url: str | None


class PostOnRead(Read):
    """A post at its moment; `text` is its beginning."""

    id: PostRef
    status: PostStatus
    text: str
    at: datetime
    local_time: str | None
    timezone: str | None
    slot_id: SlotRef | None
    recurrence_id: RecurrenceRef | None
    variants: list[VariantOnRead]


class SlotOnRead(Read):
    """A free occurrence of a slot."""

    slot_id: SlotRef
    label: str
    at: datetime
    local_time: str
    timezone: str
    channel_ids: list[ChannelRef]


class PreviewOnRead(Read):
    """An occurrence of a recurrence that is no post yet."""

    recurrence_id: RecurrenceRef
    text: str
    day: date
    at: datetime
    local_time: str
    timezone: str
    channel_ids: list[ChannelRef]


class BlackoutOnRead(Read):
    """Days of silence that this day is one of."""

    id: BlackoutRef
    starts_on: date
    ends_on: date
    label: str


class DayRead(Read):
    """One local day."""

    date: date
    blackouts: list[BlackoutOnRead]
    posts: list[PostOnRead]
    slots: list[SlotOnRead]
    previews: list[PreviewOnRead]


class CalendarRead(Read):
    """The days of a range by the clock of `timezone`, in order, none left out."""

    timezone: str
    days: list[DayRead]


class FeedRead(Read):
    """An address for a person's calendar program."""

    id: FeedRef
    label: str
    created_at: datetime


class FeedMade(FeedRead):
    """`url` is shown this once: whoever has it reads the calendar."""

    url: str


class FeedList(ListRead[FeedRead]):
    pass


def _written(found: Calendar) -> bytes:
    """The answer as it is sent: thousands of posts are written as they are, and not checked once more."""
    return orjson.dumps(view(found), option=orjson.OPT_UTC_Z)


@router.get("", response_model=CalendarRead, summary="What is planned, free, to come again and silent, by local day")
async def get_calendar(
    call: Calling,
    scope: InBrand,
    from_: Annotated[Moment, Query(alias="from", description="Inclusive.")],
    to: Annotated[Moment, Query(description="Exclusive; 100 days at most.")],
    channel_id: Annotated[ChannelRef | None, Query()] = None,
    timezone: Annotated[str | None, Query(max_length=64, description="Whose days; without it the brand's.")] = None,
) -> Response:
    found = await calendar.read(
        call.session,
        scope,
        since=from_,
        until=to,
        channel_id=channel_id,
        timezone=timezone,
        now=call.services.clock(),
    )
    body = _written(found)
    return Response(body, headers={"etag": etag(None, body)}, media_type="application/json")


def _feed(row: CalendarFeed) -> FeedRead:
    return FeedRead(id=row.id, label=row.label, created_at=row.created_at)


@router.get("/feeds", response_model=FeedList, summary="Your own addresses of this calendar")
async def list_calendar_feeds(call: Calling, scope: InBrand) -> dict[str, Any]:
    return whole([_feed(row) for row in await calendar_feeds.list_(call.session, scope)])


@router.post("/feeds", status_code=201, response_model=FeedMade, summary="Make an address for your calendar program")
async def create_calendar_feed(call: Calling, scope: InBrand, body: Annotated[FeedDraft, FromBody()]) -> Response:
    made, token = await calendar_feeds.create(call.session, scope, draft=body, now=call.services.clock())
    url = feed_url(call.services, token)
    answer = FeedMade(**_feed(made).model_dump(), url=url).model_dump_json()
    own = f"/v1/brands/{typeid(Prefix.BRAND, scope.brand_id)}/calendar/feeds/{typeid(Prefix.CALENDAR_FEED, made.id)}"
    return Response(answer, 201, {"location": own}, "application/json")


@router.delete(
    "/feeds/{feed_id}", status_code=204, response_class=Response, summary="Let an address of yours lead nowhere"
)
async def revoke_calendar_feed(call: Calling, scope: InBrand, feed_id: FeedPath) -> None:
    await calendar_feeds.revoke(call.session, scope, feed_id)


@address.get("/calendar/{token}.ics")
async def read_feed(request: Request, token: str) -> Response:
    """The calendar behind a token, without a key."""
    services: Services = request.app.state.services
    if len(token) > _LONGEST_TOKEN:
        raise NotFound("there is no such calendar")
    async with services.db.reading() as session:
        scope = await calendar_feeds.enter(session, token)
        body = await calendar_feeds.read(session, scope, now=services.clock())
    headers = {**_ICS, "etag": etag(None, body)}
    return unless_known(request, Response(body, 200, headers, "text/calendar; charset=utf-8"))
