"""Posts and days of silence as iCalendar (RFC 5545). The same things, the same bytes. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

import icalendar

from shared.domain.excerpts import excerpt
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import PostStatus
from shared.models.planning import Blackout
from shared.models.post import Post, Variant

_TITLE = 120
_UNTITLED = "(no text)"


def written(
    brand: Brand,
    posts: Sequence[Post],
    variants: Mapping[UUID, Sequence[Variant]],
    silent: Sequence[Blackout],
    *,
    now: datetime,
) -> bytes:
    """A whole calendar. Each zone that a post names is described from last year to the end of the year after next."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Parvis//Calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", brand.name)
    calendar.add("x-wr-timezone", brand.timezone)
    first, last = date(now.year - 1, 1, 1), date(now.year + 2, 12, 31)
    for zone in sorted({post.timezone for post in posts if post.timezone is not None}):
        calendar.add_component(icalendar.Timezone.from_tzinfo(ZoneInfo(zone), zone, first, last))
    for post in posts:
        calendar.add_component(_post(post, variants.get(post.id, ())))
    for one in silent:
        calendar.add_component(_silence(one))
    found: bytes = calendar.to_ical()
    return found


def _post(post: Post, variants: Sequence[Variant]) -> icalendar.Event:
    assert post.scheduled_at is not None
    event = _event(Prefix.POST, post.id, post.version, post.updated_at)
    event.add("summary", _title(post.text))
    event.add("description", post.text)
    at = post.scheduled_at if post.timezone is None else post.scheduled_at.astimezone(ZoneInfo(post.timezone))
    event.add("dtstart", at)
    event.add("status", _status(post.status))
    event.add("transp", "TRANSPARENT")
    event.add("categories", [post.status.value])
    url = next((one.url for one in variants if one.url is not None), None)
    if url is not None:
        event.add("url", url)
    return event


def _silence(blackout: Blackout) -> icalendar.Event:
    event = _event(Prefix.BLACKOUT, blackout.id, blackout.version, blackout.created_at)
    event.add("summary", _title(blackout.label or "Silence"))
    event.add("dtstart", blackout.starts_on)
    event.add("dtend", blackout.ends_on + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    return event


def _event(prefix: Prefix, id_: UUID, version: int, changed_at: datetime) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{typeid(prefix, id_)}@parvis")
    # Of a published calendar this is when the thing last changed (3.8.7.2), so that its bytes stay the same till then.
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("sequence", version)
    return event


def _title(text: str) -> str:
    """The first line that says something, cut where it is long."""
    line = next((found for line in text.splitlines() if (found := " ".join(line.split()))), _UNTITLED)
    return excerpt(line, _TITLE)


def _status(status: PostStatus) -> str:
    match status:
        case PostStatus.CANCELLED:
            return "CANCELLED"
        case PostStatus.DRAFT | PostStatus.IN_REVIEW | PostStatus.HELD | PostStatus.FAILED | PostStatus.UNCERTAIN:
            return "TENTATIVE"
        case PostStatus.APPROVED | PostStatus.SCHEDULED | PostStatus.PUBLISHING:
            return "CONFIRMED"
        case PostStatus.PUBLISHED | PostStatus.PARTLY_PUBLISHED:
            return "CONFIRMED"
        case _:
            assert_never(status)
