"""The calendar by range: posts, free slots, what will come again and days of silence, by local day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.domain.publishing.planning import calendar
from shared.domain.publishing.planning.calendar import Calendar, Day
from shared.errors import Invalid
from shared.models.enums import PostStatus, Weekday
from tests.conftest import NOW
from tests.domain.publishing.conftest import Desk
from tests.domain.publishing.test_recurrences import begin
from tests.domain.publishing.test_slots import MONDAY, make_slot, silent

DAY = timedelta(days=1)


async def shown(desk: Desk, since: datetime = NOW, until: datetime = NOW + 14 * DAY, **more: Any) -> Calendar:
    async with desk.at() as (session, scope):
        return await calendar.read(session, scope, since=since, until=until, now=NOW, **more)


async def day_of(desk: Desk, day: str, **more: Any) -> Day:
    (found,) = [one for one in (await shown(desk, **more)).days if one.date == date.fromisoformat(day)]
    return found


async def test_every_day_of_the_range_is_there_and_no_other(desk: Desk) -> None:
    # 23:30 UTC is the next day in Brussels already.
    found = await shown(desk, datetime(2026, 11, 20, 23, 30, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC))
    assert [day.date.day for day in found.days] == [21, 22, 23]
    assert found.timezone == "Europe/Brussels"


async def test_a_post_stands_on_its_local_day_in_every_state(desk: Desk) -> None:
    one, two = await desk.channel(), await desk.channel()
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    post = await desk.scheduled(one, two, at=late, text="x" * 300)
    draft = await desk.create(channel_ids=[one.id], scheduled_at=late, status="draft")
    await desk.cancel(await desk.scheduled(one, at=late))
    found = (await day_of(desk, "2026-11-25")).posts
    assert [item.status for item in found] == [PostStatus.SCHEDULED, PostStatus.DRAFT, PostStatus.CANCELLED]
    assert [item.id for item in found[:2]] == [post.id, draft.id]
    assert found[0].text == "x" * 200
    assert [item.channel_id for item in found[0].variants] == [one.id, two.id]
    elsewhere = await day_of(desk, "2026-11-24", timezone="America/New_York")
    assert len(elsewhere.posts) == 3


async def test_a_slots_free_occurrences_are_shown_and_those_that_are_taken_are_not(desk: Desk) -> None:
    slot = await make_slot(desk)
    await make_slot(desk, Weekday.TUESDAY, paused=True)
    assert [item.slot.id for item in (await day_of(desk, "2026-11-23")).slots] == [slot.id]
    await desk.create(channel_ids=[(await desk.channel()).id], slot="next")
    assert [len(day.slots) for day in (await shown(desk)).days if day.slots] == [1]
    assert [item.occurrence.at for item in (await day_of(desk, "2026-11-30")).slots] == [MONDAY + 7 * DAY]


async def test_the_next_free_slot_of_the_calendar_is_the_one_that_a_post_gets(desk: Desk) -> None:
    for weekday in (Weekday.MONDAY, Weekday.THURSDAY, Weekday.SUNDAY):
        await make_slot(desk, weekday)
    await silent(desk, "2026-11-22", "2026-11-24")
    channel = await desk.channel()
    for _ in range(4):
        first = next(item for day in (await shown(desk)).days for item in day.slots)
        post = await desk.create(channel_ids=[channel.id], slot="next")
        assert (post.slot_id, post.slot_day) == (first.slot.id, first.occurrence.on)


async def test_what_will_come_again_is_shown_where_it_is_no_post_yet(desk: Desk) -> None:
    one = await begin(desk, await desk.channel(), "FREQ=WEEKLY;BYDAY=MO;COUNT=10")
    found = await shown(desk, until=NOW + 60 * DAY)
    assert [day.date.isoformat()[5:] for day in found.days if day.posts] == ["11-23", "11-30", "12-07", "12-14"]
    previews = [(day.date.isoformat()[5:], item.recurrence.id) for day in found.days for item in day.previews]
    assert previews == [(day, one.id) for day in ("12-21", "12-28", "01-04", "01-11", "01-18")]


async def test_a_day_of_silence_is_marked_and_its_slots_are_not_free(desk: Desk) -> None:
    await make_slot(desk)
    await silent(desk, "2026-11-22", "2026-11-23")
    assert [day.date.day for day in (await shown(desk)).days if day.blackouts] == [22, 23]
    assert (await day_of(desk, "2026-11-23")).slots == []


async def test_of_one_channel_only_what_is_on_it_is_shown(desk: Desk) -> None:
    one, two = await desk.channel(), await desk.channel()
    post = await desk.scheduled(one)
    await desk.scheduled(two)
    narrow = await make_slot(desk, channel_ids=[one.id])
    await make_slot(desk, Weekday.TUESDAY, channel_ids=[two.id])
    await begin(desk, two, "FREQ=MONTHLY;COUNT=5")
    found = (await shown(desk, until=NOW + 70 * DAY, channel_id=one.id)).days
    assert [item.id for day in found for item in day.posts] == [post.id]
    assert {item.slot.id for day in found for item in day.slots} == {narrow.id}
    assert [item for day in found for item in day.previews] == []


@pytest.mark.parametrize(
    ("length", "zone", "place"),
    [(timedelta(0), None, "to"), (101 * DAY, None, "to"), (DAY, "Mars/Base", "timezone")],
    ids=["empty", "too long", "zone"],
)
async def test_a_range_that_cannot_be_shown_is_refused_by_its_place(
    desk: Desk, length: timedelta, zone: str | None, place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await shown(desk, until=NOW + length, timezone=zone)
    assert refused.value.problems[0].path == (place,)
