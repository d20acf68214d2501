"""What a brand answers about when it speaks."""

import datetime as dt
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from services.api.calendar_view import shaped, view
from services.api.completed import plain
from services.api.schema.connection import FIRST, Info, connection, given, requested
from services.api.schema.planning import (
    Calendar,
    CalendarBlackout,
    CalendarDay,
    CalendarPost,
    CalendarPreview,
    CalendarSlot,
    CalendarVariant,
    Occurrence,
)
from shared import models
from shared.domain.publishing.planning import blackouts, calendar, calendar_feeds, queue, recurrences, slots
from shared.domain.publishing.planning.recurrences import RecurrenceTiming
from shared.ids import Prefix, parse_typeid
from shared.models.enums import BlackoutPolicy

Root = strawberry.Parent[models.Brand]
_MADE: dict[str, type[Any]] = {
    "": Calendar,
    "days": CalendarDay,
    "blackouts": CalendarBlackout,
    "posts": CalendarPost,
    "variants": CalendarVariant,
    "slots": CalendarSlot,
    "previews": CalendarPreview,
}
_TYPES = {name: made.__name__ for name, made in _MADE.items()}


async def brand_slots(root: Root, info: Info) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return await slots.list_(session, scope)


async def brand_blackouts(root: Root, info: Info) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return await blackouts.list_(session, scope)


async def brand_feeds(root: Root, info: Info) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return await calendar_feeds.list_(session, scope)


async def brand_queue(
    root: Root,
    info: Info,
    first: int | None = FIRST,
    after: str | None = UNSET,
    slot_id: strawberry.ID | None = UNSET,
) -> Any:
    page, services = requested(first, after), info.context.services
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await queue.list_(
            session,
            scope,
            slot_id=parse_typeid(Prefix.SLOT, slot_id) if slot_id else None,
            page=page,
            cursors=services.cursors,
            now=services.clock(),
        )
    return connection(found, page)


async def brand_recurrences(root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await recurrences.list_(session, scope, page=page, cursors=info.context.services.cursors)
    return connection(found, page)


async def brand_preview(
    root: Root,
    info: Info,
    rule: str,
    local_time: str,
    timezone: str | None = UNSET,
    starts_on: dt.date | None = UNSET,
    blackouts: BlackoutPolicy | None = BlackoutPolicy.SKIP,
    count: int | None = 10,
) -> Any:
    when = RecurrenceTiming(
        rule=rule,
        local_time=local_time,
        timezone=given(timezone),
        starts_on=given(starts_on),
        blackouts=blackouts or BlackoutPolicy.SKIP,
    )
    now = info.context.services.clock()
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await recurrences.preview(session, scope, when=when, count=10 if count is None else count, now=now)
    return [occurrence_of(one) for one in found]


def occurrence_of(one: Any) -> Occurrence:
    return Occurrence(day=one.on, local_time=one.local.isoformat(timespec="minutes"), timezone=one.zone, at=one.at)


async def brand_calendar(
    root: Root,
    info: Info,
    from_: Annotated[datetime, strawberry.argument(name="from")],
    to: datetime,
    channel_id: strawberry.ID | None = UNSET,
    timezone: str | None = UNSET,
) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await calendar.read(
            session,
            scope,
            since=from_,
            until=to,
            channel_id=_channel(channel_id),
            timezone=given(timezone),
            now=info.context.services.clock(),
        )
    shown = view(found)
    # A month may hold thousands of posts: they pass the executor by.
    return plain(info, shown, _TYPES) or shaped(shown, _MADE)


def _channel(id_: str | None) -> Any:
    return parse_typeid(Prefix.CHANNEL, id_) if id_ else None
