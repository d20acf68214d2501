"""Slots: which occurrence a post gets, and what becomes of the queue when slots change."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.connectors.registry import CARDS
from shared.domain.page import Cursors, PageRequest
from shared.domain.publishing import posts
from shared.domain.publishing.planning import blackouts, queue, slots
from shared.domain.publishing.planning.blackouts import BlackoutDraft
from shared.domain.publishing.planning.slots import Moved, SlotChanges, SlotDraft
from shared.errors import Conflict, Invalid, NotFound, Stale
from shared.ids import new_uuid
from shared.models.enums import PostStatus, Weekday
from shared.models.planning import Slot
from shared.models.post import Post
from tests.conftest import NOW
from tests.domain.publishing.conftest import Desk

# NOW is Friday 20 November 2026, 13:00 in Brussels.
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


async def make_slot(desk: Desk, weekday: Weekday = Weekday.MONDAY, at: str = "10:00", **more: Any) -> Slot:
    async with desk.at() as (session, scope):
        draft = SlotDraft.model_validate({"weekday": weekday, "local_time": at, **more})
        return await slots.create(session, scope, draft=draft, now=NOW)


async def change(desk: Desk, slot: Slot, **changes: Any) -> list[Moved]:
    async with desk.at() as (session, scope):
        wanted = SlotChanges.model_validate(changes)
        return (await slots.update(session, scope, slot.id, changes=wanted, now=NOW))[1]


async def remove(desk: Desk, slot: Slot) -> list[Moved]:
    async with desk.at() as (session, scope):
        return (await slots.remove(session, scope, slot.id, now=NOW))[1]


async def silent(desk: Desk, first: str, last: str | None = None) -> None:
    async with desk.at() as (session, scope):
        draft = BlackoutDraft.model_validate({"starts_on": first, "ends_on": last})
        await blackouts.create(session, scope, draft=draft, now=NOW)


async def reorder(desk: Desk, *found: Post) -> list[Moved]:
    async with desk.at() as (session, scope):
        return await queue.reorder(session, scope, post_ids=[post.id for post in found], now=NOW)


async def queued(desk: Desk, slot_id: UUID | None = None) -> list[tuple[UUID, datetime | None]]:
    async with desk.at() as (session, scope):
        found = await queue.list_(
            session, scope, slot_id=slot_id, page=PageRequest(), cursors=Cursors(desk.vault), now=NOW
        )
    return [(post.id, post.scheduled_at) for post in found.items]


async def test_a_post_goes_into_the_next_occurrence_by_the_brands_wall_clock(desk: Desk) -> None:
    slot = await make_slot(desk)
    post = await desk.create(channel_ids=[(await desk.channel()).id], slot="next")
    assert (post.status, post.slot_id, post.slot_day) == (PostStatus.SCHEDULED, slot.id, date(2026, 11, 23))
    assert (post.scheduled_at, post.local_time, post.timezone) == (MONDAY, "2026-11-23T10:00", "Europe/Brussels")
    assert await desk.claim(MONDAY - timedelta(microseconds=1)) == []
    assert len(await desk.claim(MONDAY)) == 1


async def test_each_occurrence_is_one_posts(desk: Desk) -> None:
    await make_slot(desk)
    channel = await desk.channel()
    found = [await desk.create(channel_ids=[channel.id], slot="next") for _ in range(3)]
    assert [post.scheduled_at for post in found] == [MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK]


async def test_two_posts_at_once_never_get_the_same_occurrence(desk: Desk) -> None:
    await make_slot(desk)
    await make_slot(desk, Weekday.TUESDAY)
    channel = await desk.channel()
    found = await asyncio.gather(*(desk.create(channel_ids=[channel.id], slot="next") for _ in range(5)))
    assert len({(post.slot_id, post.slot_day) for post in found}) == 5


async def test_the_earliest_of_several_slots_comes_first(desk: Desk) -> None:
    await make_slot(desk, Weekday.WEDNESDAY)
    tuesday = await make_slot(desk, Weekday.TUESDAY, "23:30", timezone="America/New_York")
    post = await desk.create(channel_ids=[(await desk.channel()).id], slot="next")
    assert (post.slot_id, post.scheduled_at) == (tuesday.id, datetime(2026, 11, 25, 4, 30, tzinfo=UTC))


async def test_a_named_slot_is_the_one_that_is_taken(desk: Desk) -> None:
    await make_slot(desk)
    friday = await make_slot(desk, Weekday.FRIDAY)
    post = await desk.create(channel_ids=[(await desk.channel()).id], slot=friday.id)
    assert post.scheduled_at == datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


async def test_an_occurrence_on_a_day_of_silence_is_left_out(desk: Desk) -> None:
    await make_slot(desk)
    await silent(desk, "2026-11-23", "2026-11-30")
    post = await desk.create(channel_ids=[(await desk.channel()).id], slot="next")
    assert post.scheduled_at == MONDAY + 2 * WEEK


async def test_an_occurrence_at_which_another_post_speaks_on_a_channel_of_the_slot_is_taken(desk: Desk) -> None:
    channel, other = await desk.channel(), await desk.channel()
    await make_slot(desk, channel_ids=[channel.id])
    await desk.scheduled(other, at=MONDAY)
    first = await desk.create(channel_ids=[channel.id], slot="next")
    assert first.scheduled_at == MONDAY
    await desk.scheduled(channel, at=MONDAY + WEEK)
    second = await desk.create(channel_ids=[channel.id], slot="next")
    assert second.scheduled_at == MONDAY + 2 * WEEK


async def test_what_is_called_off_or_moved_leaves_its_place(desk: Desk) -> None:
    await make_slot(desk)
    channel = await desk.channel()
    first = await desk.create(channel_ids=[channel.id], slot="next")
    second = await desk.create(channel_ids=[channel.id], slot="next")
    await desk.cancel(first)
    async with desk.at() as (session, scope):
        await posts.schedule(session, scope, second.id, at=MONDAY + timedelta(hours=5), cards=CARDS, now=NOW)
    found = [await desk.create(channel_ids=[channel.id], slot="next") for _ in range(2)]
    assert [post.scheduled_at for post in found] == [MONDAY, MONDAY + WEEK]


async def test_a_planned_post_may_be_put_into_a_slot_and_its_old_time_does_not_stand_in_its_way(desk: Desk) -> None:
    slot = await make_slot(desk)
    post = await desk.scheduled(await desk.channel(), at=MONDAY)
    async with desk.at() as (session, scope):
        moved = await posts.schedule(session, scope, post.id, slot="next", cards=CARDS, now=NOW)
    assert (moved.slot_id, moved.scheduled_at) == (slot.id, MONDAY)


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("none", "no_slot"),
        ("paused", "no_slot"),
        ("other channel", "no_slot"),
        ("unknown", "unknown_slot"),
        ("named paused", "slot_paused"),
        ("named other channel", "wrong_channels"),
        ("with a time", "exclusive"),
    ],
)
async def test_a_slot_that_cannot_be_had_is_refused_by_its_place(desk: Desk, case: str, code: str) -> None:
    channel, other = await desk.channel(), await desk.channel()
    wanted: Any = "next"
    if "paused" in case:
        wanted = (await make_slot(desk, paused=True)).id if "named" in case else wanted
        await make_slot(desk, paused=True)
    elif "other" in case:
        slot = await make_slot(desk, channel_ids=[other.id])
        wanted = slot.id if "named" in case else wanted
    elif case == "unknown":
        wanted = new_uuid()
    elif case == "with a time":
        await make_slot(desk)
    more = {"scheduled_at": MONDAY} if case == "with a time" else {}
    with pytest.raises(Invalid) as refused:
        await desk.create(channel_ids=[channel.id], slot=wanted, **more)
    assert [(p.code, p.path) for p in refused.value.problems] == [(code, ("slot",))]


async def test_a_queue_that_is_full_for_two_years_says_so(desk: Desk) -> None:
    await make_slot(desk)
    await silent(desk, "2026-11-20", "2027-11-15")
    await silent(desk, "2027-11-16", "2028-11-15")
    await silent(desk, "2028-11-16", "2029-01-15")
    with pytest.raises(Conflict) as refused:
        await desk.create(channel_ids=[(await desk.channel()).id], slot="next")
    assert refused.value.code == "no_free_slot"


async def test_the_queue_lists_what_waits_in_slots_the_next_first(desk: Desk) -> None:
    monday, tuesday = await make_slot(desk), await make_slot(desk, Weekday.TUESDAY)
    channel = await desk.channel()
    late = await desk.create(channel_ids=[channel.id], slot=tuesday.id)
    soon = await desk.create(channel_ids=[channel.id], slot=monday.id)
    await desk.scheduled(channel)
    assert [id_ for id_, _ in await queued(desk)] == [soon.id, late.id]
    assert [id_ for id_, _ in await queued(desk, tuesday.id)] == [late.id]


async def test_reordering_exchanges_the_occurrences_and_what_is_due(desk: Desk) -> None:
    await make_slot(desk)
    channel = await desk.channel()
    one, two, three = [await desk.create(channel_ids=[channel.id], slot="next") for _ in range(3)]
    moved = await reorder(desk, three, two, one)
    assert [(m.post_id, m.before, m.after) for m in moved] == [
        (three.id, MONDAY + 2 * WEEK, MONDAY),
        (one.id, MONDAY, MONDAY + 2 * WEEK),
    ]
    assert [id_ for id_, _ in await queued(desk)] == [three.id, two.id, one.id]
    (claim,) = await desk.claim(MONDAY)
    assert claim.outgoing_id == (await desk.outgoing(three))[0].id


async def test_a_move_wins_over_a_claim_that_has_not_begun(desk: Desk) -> None:
    await make_slot(desk)
    channel = await desk.channel()
    one, two = [await desk.create(channel_ids=[channel.id], slot="next") for _ in range(2)]
    claims = await desk.claim(MONDAY)
    await reorder(desk, two, one)
    assert await desk.begin(claims, MONDAY) == []
    made = await desk.attempt(MONDAY)
    assert made.effect.id
    assert (await desk.outgoing(two))[0].tries == 1


async def test_what_is_on_its_way_cannot_be_reordered(desk: Desk) -> None:
    await make_slot(desk)
    channel = await desk.channel()
    one, two = [await desk.create(channel_ids=[channel.id], slot="next") for _ in range(2)]
    await desk.attempt(MONDAY)
    with pytest.raises(Invalid) as refused:
        await reorder(desk, two, one)
    assert [(p.code, p.path) for p in refused.value.problems] == [("not_in_queue", ("post_ids", 1))]


async def test_a_post_is_not_brought_into_a_slot_of_other_channels(desk: Desk) -> None:
    channel, other = await desk.channel(), await desk.channel()
    narrow = await make_slot(desk, channel_ids=[channel.id])
    wide = await make_slot(desk, Weekday.TUESDAY)
    one = await desk.create(channel_ids=[channel.id], slot=narrow.id)
    two = await desk.create(channel_ids=[other.id], slot=wide.id)
    with pytest.raises(Invalid) as refused:
        await reorder(desk, two, one)
    assert [(p.code, p.path) for p in refused.value.problems] == [("wrong_channels", ("post_ids", 0))]


async def test_a_removed_slots_posts_move_through_the_others_in_their_order(desk: Desk) -> None:
    gone, stays = await make_slot(desk), await make_slot(desk, Weekday.WEDNESDAY)
    channel = await desk.channel()
    one, two = [await desk.create(channel_ids=[channel.id], slot=gone.id) for _ in range(2)]
    wednesday = MONDAY + timedelta(days=2)
    assert await remove(desk, gone) == [
        Moved(one.id, MONDAY, wednesday, stays.id),
        Moved(two.id, MONDAY + WEEK, wednesday + WEEK, stays.id),
    ]
    assert await queued(desk) == [(one.id, wednesday), (two.id, wednesday + WEEK)]
    assert await desk.claim(MONDAY) == []
    assert len(await desk.claim(wednesday)) == 1


async def test_what_finds_no_other_slot_keeps_its_time_and_the_answer_says_so(desk: Desk) -> None:
    slot = await make_slot(desk)
    post = await desk.create(channel_ids=[(await desk.channel()).id], slot="next")
    assert await remove(desk, slot) == [Moved(post.id, MONDAY, MONDAY, None)]
    kept = await desk.post(post)
    assert (kept.status, kept.scheduled_at, kept.slot_id) == (PostStatus.SCHEDULED, MONDAY, None)
    assert len(await desk.claim(MONDAY)) == 1


async def test_a_slot_at_another_time_takes_its_posts_along(desk: Desk) -> None:
    slot = await make_slot(desk)
    post = await desk.create(channel_ids=[(await desk.channel()).id], slot="next")
    assert await change(desk, slot, local_time="18:00") == [
        Moved(post.id, MONDAY, MONDAY + timedelta(hours=8), slot.id)
    ]
    assert (await desk.post(post)).local_time == "2026-11-23T18:00"


async def test_another_label_moves_nothing(desk: Desk) -> None:
    slot = await make_slot(desk)
    await desk.create(channel_ids=[(await desk.channel()).id], slot="next")
    assert await change(desk, slot, label="the morning") == []


async def test_a_slot_of_an_unknown_channel_zone_or_time_is_refused_by_its_place(desk: Desk) -> None:
    for wrong, place in (
        ({"channel_ids": [new_uuid()]}, ("channel_ids", 0)),
        ({"timezone": "Mars/Base"}, ("timezone",)),
        ({"at": "25:00"}, ("local_time",)),
    ):
        with pytest.raises(Invalid) as refused:
            await make_slot(desk, **wrong)
        assert refused.value.problems[0].path == place


async def test_a_slot_is_changed_at_the_version_that_was_read(desk: Desk) -> None:
    slot = await make_slot(desk)
    await change(desk, slot, label="x")
    async with desk.at() as (session, scope):
        with pytest.raises(Stale):
            await slots.remove(session, scope, slot.id, now=NOW, if_version=1)
        with pytest.raises(NotFound):
            await slots.remove(session, scope, new_uuid(), now=NOW)
