"""Posts that come again: made ahead, once each, changed from now on, skipped, paused, ended."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.connectors.registry import CARDS
from shared.domain.brands import channels
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostChanges
from shared.domain.publishing.planning import blackouts, moving, occurring, recurrences
from shared.domain.publishing.planning.blackouts import BlackoutDraft
from shared.domain.publishing.planning.occurring import Changed
from shared.domain.publishing.planning.recurrences import RecurrenceChanges, RecurrenceDraft
from shared.errors import Conflict, Invalid
from shared.models.enums import PostStatus, RecurrenceStatus
from shared.models.planning import Recurrence
from shared.models.post import Post
from tests.conftest import NOW, HouseChannel
from tests.domain.publishing.conftest import Desk

DAY = timedelta(days=1)
# NOW is Friday 20 November 2026, 13:00 in Brussels.
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
async def channel(desk: Desk) -> HouseChannel:
    return await desk.channel()


async def begin(desk: Desk, channel: HouseChannel, rule: str, now: datetime = NOW, **more: Any) -> Recurrence:
    async with desk.at() as (session, scope):
        draft = RecurrenceDraft.model_validate(
            {"text": "Soup of the day", "rule": rule, "local_time": "10:00", "channel_ids": [channel.id], **more}
        )
        return await occurring.create(session, scope, draft=draft, cards=CARDS, now=now)


async def go_on(desk: Desk, one: Recurrence, now: datetime) -> int:
    async with desk.at(desk.worker) as (session, scope):
        return await occurring.go_on(session, scope, one.id, cards=CARDS, now=now)


async def change(desk: Desk, one: Recurrence, now: datetime = NOW, **changes: Any) -> Changed:
    async with desk.at() as (session, scope):
        wanted = RecurrenceChanges.model_validate(changes)
        return await occurring.change(session, scope, one.id, changes=wanted, cards=CARDS, now=now)


async def made(desk: Desk, one: Recurrence) -> list[Post]:
    async with desk.at() as (session, scope):
        found = await occurring.posts_of(session, scope, one)
    return sorted(found, key=lambda post: post.scheduled_at or NOW)


async def read(desk: Desk, one: Recurrence) -> Recurrence:
    async with desk.at() as (session, scope):
        return await recurrences.get(session, scope, one.id)


async def test_occurrences_become_posts_of_their_own_for_thirty_days(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=10")
    found = await made(desk, one)
    assert [post.scheduled_at for post in found] == [MONDAY + DAY * 7 * n for n in range(4)]
    assert {(post.status, post.text, post.timezone) for post in found} == {
        (PostStatus.SCHEDULED, "Soup of the day", "Europe/Brussels")
    }
    assert [post.occurs_on for post in found] == [date(2026, 11, 23) + DAY * 7 * n for n in range(4)]


async def test_the_others_follow_as_time_goes_on_and_none_comes_twice(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=6")
    assert await go_on(desk, one, NOW) == 0
    assert await go_on(desk, one, NOW + DAY * 7) == 1
    assert await go_on(desk, one, NOW + DAY * 7) == 0
    assert await go_on(desk, one, NOW + DAY * 14) == 1
    assert len(await made(desk, one)) == 6


async def test_two_schedulers_at_once_make_each_occurrence_once(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=DAILY;COUNT=60")
    later = NOW + DAY * 10
    counts = await asyncio.gather(*(go_on(desk, one, later) for _ in range(3)))
    assert sorted(counts) == [0, 0, 10]
    days = [post.occurs_on for post in await made(desk, one)]
    assert len(days) == len(set(days))


async def test_after_its_last_occurrence_it_has_ended(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=2")
    assert await go_on(desk, one, MONDAY + DAY * 9) == 0
    assert (await read(desk, one)).status is RecurrenceStatus.ENDED


async def test_a_house_that_was_away_makes_nothing_of_what_came_and_went(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=DAILY;COUNT=100")
    back = NOW + DAY * 60
    assert await go_on(desk, one, back) == 30
    missing = [post for post in await made(desk, one) if post.occurs_on and NOW + DAY * 32 < post.scheduled_at < back]  # type: ignore[operator]
    assert missing == []


@pytest.mark.parametrize(("policy", "days"), [("skip", [23, 27]), ("move", [23, 26, 27])])
async def test_a_day_of_silence_is_left_out_or_moves_to_the_next_that_is_none(
    desk: Desk, channel: HouseChannel, policy: str, days: list[int]
) -> None:
    async with desk.at() as (session, scope):
        draft = BlackoutDraft.model_validate({"starts_on": "2026-11-24", "ends_on": "2026-11-25"})
        await blackouts.create(session, scope, draft=draft, now=NOW)
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=3", starts_on="2026-11-23", blackouts=policy)
    assert [post.scheduled_at.day for post in await made(desk, one) if post.scheduled_at] == days


async def test_a_moved_occurrence_meets_the_one_that_is_there_and_they_are_one(
    desk: Desk, channel: HouseChannel
) -> None:
    async with desk.at() as (session, scope):
        await blackouts.create(session, scope, draft=BlackoutDraft(starts_on=date(2026, 11, 24)), now=NOW)
    one = await begin(desk, channel, "FREQ=DAILY;COUNT=4", starts_on="2026-11-23", blackouts="move")
    assert [post.scheduled_at.day for post in await made(desk, one) if post.scheduled_at] == [23, 25, 26]


async def test_a_change_makes_what_lies_ahead_again(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=3")
    changed = await change(desk, one, text="Stew of the day", local_time="18:00")
    assert (changed.replaced, changed.kept) == (3, [])
    found = await made(desk, one)
    assert [(post.text, post.scheduled_at) for post in found] == [
        ("Stew of the day", MONDAY + timedelta(hours=8) + DAY * 7 * n) for n in range(3)
    ]
    assert await desk.claim(MONDAY) == []
    assert len(await desk.claim(MONDAY + timedelta(hours=8))) == 1


async def test_a_change_leaves_what_went_out_and_what_a_person_changed(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=4")
    first, second, *_ = await made(desk, one)
    await desk.publish(first)
    async with desk.at() as (session, scope):
        wanted = PostChanges(text="By hand")
        await posts.update(session, scope, second.id, changes=wanted, cards=CARDS, now=NOW)
    changed = await change(desk, one, text="Stew")
    assert (changed.replaced, changed.kept) == (2, [second.id])
    assert sorted(post.text for post in await made(desk, one)) == ["By hand", "Soup of the day", "Stew", "Stew"]


async def test_a_skipped_day_never_comes(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=6")
    async with desk.at() as (session, scope):
        await occurring.skip(session, scope, one.id, day=date(2026, 11, 30), now=NOW)
        await occurring.skip(session, scope, one.id, day=date(2026, 12, 28), now=NOW)
    await go_on(desk, one, NOW + DAY * 14)
    assert [post.occurs_on.isoformat()[5:] for post in await made(desk, one) if post.occurs_on] == [
        "11-23", "12-07", "12-14", "12-21",
    ]  # fmt: skip
    async with desk.at() as (session, scope):
        with pytest.raises(Invalid):
            await occurring.skip(session, scope, one.id, day=date(2026, 12, 1), now=NOW)


async def test_a_post_that_a_person_deleted_does_not_come_back(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=3")
    first = (await made(desk, one))[0]
    await desk.cancel(first)
    async with desk.at() as (session, scope):
        await posts.delete(session, scope, first.id, now=NOW)
    await change(desk, one, text="Stew")
    assert [post.occurs_on.day for post in await made(desk, one) if post.occurs_on] == [30, 7]


async def test_a_post_that_a_person_called_off_stays_called_off(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=3")
    await desk.cancel((await made(desk, one))[0])
    await change(desk, one, text="Stew")
    assert [post.status for post in await made(desk, one)] == [PostStatus.CANCELLED, *[PostStatus.SCHEDULED] * 2]


async def test_paused_it_lets_its_posts_go_and_resumed_it_goes_on_with_what_lies_ahead(
    desk: Desk, channel: HouseChannel
) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=4")
    async with desk.at() as (session, scope):
        await occurring.pause(session, scope, one.id, now=NOW)
    assert await made(desk, one) == []
    assert await go_on(desk, one, NOW + DAY) == 0
    async with desk.at() as (session, scope):
        await occurring.resume(session, scope, one.id, cards=CARDS, now=MONDAY + DAY)
    assert [post.occurs_on.isoformat()[5:] for post in await made(desk, one) if post.occurs_on] == [
        "11-30", "12-07", "12-14",
    ]  # fmt: skip


async def test_ended_it_is_over_for_good(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=4")
    async with desk.at() as (session, scope):
        await occurring.end(session, scope, one.id, now=NOW)
    assert await made(desk, one) == []
    with pytest.raises(Conflict):
        await change(desk, one, text="Stew")


async def test_what_can_no_longer_go_out_pauses_it_and_says_why(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=8")
    async with desk.at() as (session, scope):
        await channels.remove(session, scope, channel.id, now=NOW)
    assert await go_on(desk, one, NOW + DAY * 7) == 0
    found = await read(desk, one)
    assert found.status is RecurrenceStatus.PAUSED
    assert found.problem is not None
    assert (found.problem["code"], found.problem["path"]) == ("unknown_channel", ["channel_ids", 0])


async def test_it_is_due_again_after_a_while(desk: Desk, channel: HouseChannel) -> None:
    one = await begin(desk, channel, "FREQ=DAILY;COUNT=60")

    async def due(now: datetime) -> list[tuple[UUID, UUID]]:
        async with desk.worker.session() as session:
            return await occurring.due(session, now=now, limit=10)

    assert await due(NOW) == [(one.brand_id, one.id)]
    await go_on(desk, one, NOW)
    assert await due(NOW + timedelta(hours=5)) == []
    assert await due(NOW + timedelta(hours=6)) == [(one.brand_id, one.id)]


@pytest.mark.parametrize(
    ("wrong", "code", "path"),
    [
        ({"rule": "FREQ=DAILY"}, "no_end", ("rule",)),
        ({"rule": "FREQ=HOURLY;COUNT=3"}, "bad_rule", ("rule",)),
        ({"rule": "FREQ=DAILY;COUNT=1001"}, "bad_rule", ("rule",)),
        ({"rule": "FREQ=DAILY;UNTIL=20401231"}, "too_long", ("rule",)),
        ({"rule": "FREQ=YEARLY;BYMONTHDAY=5;UNTIL=20270101", "starts_on": "2026-12-06"}, "no_occurrence", ("rule",)),
        ({"local_time": "10h"}, "invalid_time", ("local_time",)),
        ({"timezone": "Europe/Bruxelles"}, "unknown_timezone", ("timezone",)),
    ],
    ids=["no end", "hourly", "too many", "too long", "never", "time", "zone"],
)  # fmt: skip
async def test_a_rule_that_is_wrong_is_refused_by_its_place(
    desk: Desk, channel: HouseChannel, wrong: dict[str, Any], code: str, path: tuple[str, ...]
) -> None:
    with pytest.raises(Invalid) as refused:
        await begin(desk, channel, **{"rule": "FREQ=DAILY;COUNT=3", **wrong})
    assert [(p.code, p.path) for p in refused.value.problems] == [(code, path)]


async def test_the_next_moments_are_shown_before_anything_is_kept(desk: Desk, channel: HouseChannel) -> None:
    draft = RecurrenceDraft.model_validate(
        {"text": "x", "rule": "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "local_time": "10:00", "starts_on": "2026-11-20"}
    )
    async with desk.at() as (session, scope):
        ahead = await recurrences.preview(session, scope, when=draft, count=2, now=NOW)
    assert [one.at for one in ahead] == [
        datetime(2026, 11, 27, 9, tzinfo=UTC), datetime(2026, 12, 25, 9, tzinfo=UTC),
    ]  # fmt: skip


async def test_a_post_of_a_recurrence_can_be_moved_and_is_still_its_occurrence(
    desk: Desk, channel: HouseChannel
) -> None:
    one = await begin(desk, channel, "FREQ=WEEKLY;BYDAY=MO;COUNT=2")
    first = (await made(desk, one))[0]
    async with desk.at() as (session, scope):
        await posts.schedule(session, scope, first.id, at=MONDAY + DAY, cards=CARDS, now=NOW)
    assert await go_on(desk, one, NOW) == 0
    assert first.status in moving.PLANS
    assert len(await made(desk, one)) == 2
