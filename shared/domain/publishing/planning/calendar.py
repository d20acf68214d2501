"""A brand's calendar by range: what is planned, where there is room, what will come again, and when it is silent.

Two statements, whatever the range holds.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.db import Session, driver
from shared.domain.publishing.planning import repeats, templates, wallclock
from shared.domain.publishing.planning.repeats import Occurrence, Silence
from shared.domain.publishing.planning.seats import SPEAKING, Taken
from shared.domain.publishing.planning.wallclock import wrong
from shared.domain.scope import Scope
from shared.models.enums import PostStatus, VariantStatus
from shared.models.planning import Blackout, Recurrence, Slot

MOST_DAYS = 100
BEGINNING = 200  # so much of a text is shown
_DAY = timedelta(days=1)
# Wider than any zone is from another: what stands at the edge of the range is looked at in its own zone.
_EDGE = timedelta(days=2)
_STANDING = {status.value: status for status in PostStatus}
_FORMS = {status.value: status for status in VariantStatus}

_POSTS = """
SELECT p.id, p.status, left(p.text, 200), p.scheduled_at, p.local_time, p.timezone, p.slot_id, p.slot_day,
       p.recurrence_id, v.ids, v.channel_ids, v.statuses, v.urls
  FROM post p LEFT JOIN LATERAL (
       SELECT array_agg(id) AS ids, array_agg(channel_id) AS channel_ids, array_agg(status) AS statuses,
              array_agg(url) AS urls
         FROM (SELECT * FROM variant o WHERE o.brand_id = $1 AND o.post_id = p.id ORDER BY o.id) o) v ON true
 WHERE p.brand_id = $1 AND p.scheduled_at >= $2 AND p.scheduled_at < $3
 ORDER BY p.scheduled_at, p.id
"""
_PLANS = """
SELECT 'zone' AS kind, to_jsonb(b.timezone) AS row FROM brand b WHERE b.brand_id = $1
UNION ALL SELECT 'slot', to_jsonb(s) FROM slot s WHERE s.brand_id = $1 AND s.removed_at IS NULL
UNION ALL SELECT 'blackout', to_jsonb(k) FROM blackout k WHERE k.brand_id = $1 AND k.ends_on >= $2 AND k.starts_on <= $3
UNION ALL SELECT 'recurrence', to_jsonb(r) FROM recurrence r WHERE r.brand_id = $1 AND r.status = 'active'
"""


# Of these a month has thousands: tuples are made in a third of the time.
class VariantOn(NamedTuple):
    """A post's form for one channel."""

    id: UUID
    channel_id: UUID
    status: VariantStatus
    url: str | None


class PostOn(NamedTuple):
    """A post at its moment; `text` is its beginning. Of its variants it has a column for each fact, one entry each."""

    id: UUID
    status: PostStatus
    text: str
    at: datetime
    local_time: str | None
    timezone: str | None
    slot_id: UUID | None
    slot_day: date | None
    recurrence_id: UUID | None
    variant_ids: Sequence[UUID]
    channel_ids: Sequence[UUID]
    statuses: Sequence[VariantStatus]
    urls: Sequence[str | None]

    @property
    def variants(self) -> list[VariantOn]:
        """Its form for each channel."""
        return [VariantOn(*form) for form in zip(*self[-4:], strict=True)]


@dataclass(frozen=True, slots=True)
class SlotOn:
    """A free occurrence of a slot."""

    slot: Slot
    occurrence: Occurrence


@dataclass(frozen=True, slots=True)
class PreviewOn:
    """An occurrence of a recurrence that is no post yet."""

    recurrence: Recurrence
    occurrence: Occurrence


@dataclass(slots=True)
class Day:
    """One local day of the calendar's zone."""

    date: date
    blackouts: list[Blackout] = field(default_factory=list)
    posts: list[PostOn] = field(default_factory=list)
    slots: list[SlotOn] = field(default_factory=list)
    previews: list[PreviewOn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a range, in order, none left out."""

    timezone: str
    since: datetime
    until: datetime
    days: Sequence[Day]


@dataclass(frozen=True, slots=True)
class _Plans:
    zone: str
    slots: list[Slot]
    blackouts: list[Blackout]
    recurrences: list[Recurrence]

    @property
    def silence(self) -> Silence:
        return Silence(tuple((one.starts_on, one.ends_on) for one in self.blackouts))


async def read(
    session: Session,
    scope: Scope,
    *,
    since: datetime,
    until: datetime,
    channel_id: UUID | None = None,
    timezone: str | None = None,
    now: datetime,
) -> Calendar:
    """What lies in [since, until), by the days of a zone (the brand's without one); of one channel, or of all.

    Raises Invalid, naming the place: for more than 100 days, and for an unknown zone.
    """
    _check(since, until)
    if timezone is not None:
        wallclock.require_zone(timezone, "timezone")
    connection = await driver(session)
    rows = await connection.fetch(_POSTS, scope.brand_id, since, until)
    # A recurrence's moved occurrence may come from days before.
    first, last = (since - _EDGE).date() - _DAY * 60, (until + _EDGE).date()
    plans = _plans(await connection.fetch(_PLANS, scope.brand_id, first, last))
    posts = [_post(row) for row in rows]
    zone = timezone or plans.zone
    own = ZoneInfo(zone)
    days = _days(since, until, own)
    _put_blackouts(days, plans.blackouts)
    for post in posts:
        if channel_id is None or channel_id in post.channel_ids:
            days[post.at.astimezone(own).date()].posts.append(post)
    ahead = max(since, scope.now(now))
    for slot, one in _free(plans, posts, ahead, until):
        if channel_id is None or repeats.meets(slot, [channel_id]):
            days[one.at.astimezone(own).date()].slots.append(SlotOn(slot, one))
    for recurrence, one in _to_come(plans, ahead, until):
        if channel_id is None or channel_id in templates.channels_of(recurrence):
            days[one.at.astimezone(own).date()].previews.append(PreviewOn(recurrence, one))
    return Calendar(zone, since, until, list(days.values()))


def _check(since: datetime, until: datetime) -> None:
    if until <= since:
        raise wrong("out_of_order", "the range ends before it begins", "to")
    if until - since > MOST_DAYS * _DAY + timedelta(hours=2):
        raise wrong("too_long", f"a calendar shows {MOST_DAYS} days at most", "to")
    if not (since.year >= 1970 and until.year <= 2200):
        raise wrong("out_of_range", "these days are out of range", "from")


def _days(since: datetime, until: datetime, zone: ZoneInfo) -> dict[date, Day]:
    first = since.astimezone(zone).date()
    last = (until - timedelta(microseconds=1)).astimezone(zone).date()
    every = (first + _DAY * n for n in range((last - first).days + 1))
    return {day: Day(day) for day in every}


def _put_blackouts(days: dict[date, Day], blackouts: Iterable[Blackout]) -> None:
    for one in blackouts:
        for day in days.values():
            if one.starts_on <= day.date <= one.ends_on:
                day.blackouts.append(one)


def _free(plans: _Plans, posts: Sequence[PostOn], since: datetime, until: datetime) -> list[tuple[Slot, Occurrence]]:
    found = [
        (slot, one)
        for slot in plans.slots
        if not slot.paused
        for one in repeats.slot_occurrences(
            slot, slot.timezone or plans.zone, plans.silence, (since - _EDGE).date(), (until + _EDGE).date()
        )
        if since <= one.at < until
    ]
    taken = _taken(posts, {one.at for _, one in found})
    return sorted((pair for pair in found if taken.is_free(*pair)), key=lambda pair: (pair[1].at, pair[0].id))


def _taken(posts: Sequence[PostOn], moments: Container[datetime]) -> Taken:
    """Which occurrences are a post's, and who speaks at one of these moments."""
    alive = [post for post in posts if post.status is not PostStatus.CANCELLED]
    seats = {(post.slot_id, post.slot_day) for post in alive if post.slot_id is not None and post.slot_day is not None}
    speaking: dict[datetime, set[UUID]] = defaultdict(set)
    for post in alive:
        if post.at in moments and post.status in SPEAKING:
            spoken = (one.channel_id for one in post.variants if one.status is not VariantStatus.CANCELLED)
            speaking[post.at].update(spoken)
    return Taken(seats, speaking)


def _to_come(plans: _Plans, since: datetime, until: datetime) -> list[tuple[Recurrence, Occurrence]]:
    found: list[tuple[Recurrence, Occurrence]] = []
    for recurrence in plans.recurrences:
        first = repeats.named_since(recurrence, (since - _EDGE).date())
        if recurrence.made_until is not None:
            first = max(first, recurrence.made_until + _DAY)
        ahead = repeats.occurrences(recurrence, plans.silence, first, (until + _EDGE).date())
        found += [(recurrence, one) for one in ahead if since <= one.at < until]
    return sorted(found, key=lambda pair: (pair[1].at, pair[0].id))


def _post(row: Any) -> PostOn:
    id_, status, text, at, local_time, timezone, slot_id, slot_day, recurrence_id, ids, channel_ids, forms, urls = row
    standing = [_FORMS[form] for form in forms or ()]
    return PostOn(
        id_, _STANDING[status], text, at, local_time, timezone, slot_id, slot_day, recurrence_id,
        ids or (), channel_ids or (), standing, urls or (),
    )  # fmt: skip


def _plans(rows: Sequence[Any]) -> _Plans:
    found: dict[str, list[Any]] = defaultdict(list)
    for kind, row in rows:
        found[kind].append(row)
    return _Plans(
        found["zone"][0],
        [Slot.model_validate(row) for row in found["slot"]],
        sorted((Blackout.model_validate(row) for row in found["blackout"]), key=lambda one: (one.starts_on, one.id)),
        [Recurrence.model_validate(row) for row in found["recurrence"]],
    )
