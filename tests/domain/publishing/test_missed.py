"""What becomes of posts that could not be begun in time, by their brand's policy."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.connectors.registry import CARDS
from shared.contract import Certainty, Sent
from shared.domain import scope as scopes
from shared.domain.brands import brands, channels
from shared.domain.brands.brands import BrandChanges
from shared.domain.publishing import posts
from shared.domain.publishing.planning import occurring
from shared.domain.publishing.planning.recurrences import RecurrenceDraft
from shared.domain.publishing.sending import missed
from shared.domain.publishing.sending.missed import Fate
from shared.domain.publishing.sending.outcomes import Live, NotSent
from shared.models.enums import MissedPolicy, OutgoingKind, OutgoingState, PostStatus, VariantStatus
from tests.conftest import NOW
from tests.domain.publishing.conftest import LATER, Desk

HOUR = timedelta(hours=1)
ASK, SKIP, FIRE = MissedPolicy.ASK, MissedPolicy.SKIP, MissedPolicy.FIRE


async def policy(desk: Desk, missed_: MissedPolicy, grace: timedelta = HOUR) -> None:
    async with desk.at() as (session, scope):
        changes = BrandChanges(missed=missed_, grace_seconds=int(grace.total_seconds()))
        await brands.update(session, scope, changes=changes)


@pytest.mark.parametrize("tried", [False, True])
@pytest.mark.parametrize("followed", [False, True])
@pytest.mark.parametrize("late", [timedelta(0), HOUR, HOUR + timedelta(microseconds=1)])
@pytest.mark.parametrize("wanted", MissedPolicy)
def test_only_what_was_never_tried_and_is_beyond_grace_is_missed(
    wanted: MissedPolicy, late: timedelta, followed: bool, tried: bool
) -> None:
    found = missed.fate(wanted, due_at=NOW - late, grace=HOUR, now=NOW, was_tried=tried, is_followed=followed)
    if tried or late <= HOUR:
        assert found is Fate.GO_ON
    elif followed:
        assert found is Fate.CALL_OFF
    else:
        assert found is {FIRE: Fate.GO_ON, SKIP: Fate.CALL_OFF, ASK: Fate.ASK}[wanted]


@pytest.mark.parametrize("wanted", MissedPolicy)
async def test_within_grace_it_goes_out_late(desk: Desk, wanted: MissedPolicy) -> None:
    await policy(desk, wanted)
    post = await desk.scheduled(await desk.channel())
    assert len(await desk.begin(await desk.claim(LATER + HOUR), LATER + HOUR)) == 1
    assert (await desk.post(post)).status is PostStatus.PUBLISHING


async def test_beyond_grace_it_goes_out_all_the_same_where_the_brand_wants_that(desk: Desk) -> None:
    await policy(desk, FIRE)
    await desk.scheduled(await desk.channel())
    assert len(await desk.begin(await desk.claim(LATER + 2 * HOUR), LATER + 2 * HOUR)) == 1


async def test_beyond_grace_it_is_called_off_where_the_brand_skips(desk: Desk) -> None:
    await policy(desk, SKIP)
    post = await desk.scheduled(await desk.channel())
    assert await desk.begin(await desk.claim(LATER + 2 * HOUR), LATER + 2 * HOUR) == []
    (variant,) = await desk.variants(post)
    assert (variant.status, variant.problems[0]["code"]) == (VariantStatus.CANCELLED, "missed")
    assert (await desk.post(post)).status is PostStatus.CANCELLED
    assert [one.state for one in await desk.outgoing(post)] == [OutgoingState.DROPPED]
    assert await desk.claim(LATER + 3 * HOUR) == []


async def asked(desk: Desk) -> Any:
    await policy(desk, ASK)
    post = await desk.scheduled(await desk.channel())
    assert await desk.begin(await desk.claim(LATER + 2 * HOUR), LATER + 2 * HOUR) == []
    return await desk.post(post)


async def test_beyond_grace_a_person_is_asked_where_the_brand_wants_that(desk: Desk) -> None:
    post = await asked(desk)
    (variant,) = await desk.variants(post)
    assert (post.status, variant.status) == (PostStatus.HELD, VariantStatus.HELD)
    assert variant.problems[0]["code"] == "missed"
    assert await desk.claim(LATER + 24 * HOUR) == []


async def test_a_held_one_can_be_published(desk: Desk) -> None:
    post = await asked(desk)
    now = LATER + 3 * HOUR
    await desk.publish(post, now)
    made = await desk.attempt(now)
    assert made.post_id == post.id
    (variant,) = await desk.variants(post)
    assert variant.problems == []


async def test_a_held_one_can_be_given_another_time(desk: Desk) -> None:
    post = await asked(desk)
    again = LATER + 5 * HOUR
    async with desk.at() as (session, scope):
        await posts.schedule(session, scope, post.id, at=again, cards=CARDS, now=LATER + 3 * HOUR)
    assert await desk.claim(again - timedelta(seconds=1)) == []
    assert len(await desk.begin(await desk.claim(again), again)) == 1


async def test_a_held_one_can_be_called_off(desk: Desk) -> None:
    post = await desk.cancel(await asked(desk))
    assert post.status is PostStatus.CANCELLED


async def test_a_channel_that_stood_still_makes_posts_missed(desk: Desk) -> None:
    await policy(desk, ASK)
    channel = await desk.channel()
    post = await desk.scheduled(channel)
    async with desk.at() as (session, scope):
        await channels.pause(session, scope, channel.id, now=NOW)
    assert await desk.begin(await desk.claim(LATER), LATER) == []
    async with desk.at() as (session, scope):
        await channels.resume(session, scope, channel.id, card=CARDS[channel.channel.network], now=LATER + 2 * HOUR)
    assert await desk.begin(await desk.claim(LATER + 2 * HOUR), LATER + 2 * HOUR) == []
    assert (await desk.variants(post))[0].problems[0]["code"] == "missed"


async def test_what_was_tried_is_never_missed(desk: Desk) -> None:
    await policy(desk, SKIP, timedelta(0))
    await desk.scheduled(await desk.channel())
    made = await desk.attempt(LATER)
    await desk.settle(made, NotSent("no way through"), LATER)
    assert len(await desk.begin(await desk.claim(LATER + 24 * HOUR), LATER + 24 * HOUR)) == 1


async def test_what_hangs_beneath_a_live_post_is_never_missed(desk: Desk) -> None:
    kinds = (OutgoingKind.PUBLISH, OutgoingKind.THREAD_PART)
    desk = desk.knowing(effects=dict.fromkeys(kinds, Certainty.LOOKED_UP))
    await policy(desk, SKIP, timedelta(0))
    channel = await desk.channel()
    await desk.scheduled(channel, variants=[{"channel_id": channel.id, "parts": [{"text": "and more"}]}])
    made = await desk.attempt(LATER)
    await desk.settle(made, Live(Sent("1")), LATER)
    (part,) = await desk.begin(await desk.claim(LATER + 24 * HOUR), LATER + 24 * HOUR)
    assert part.effect.text == "and more"


@pytest.mark.parametrize(("wanted", "begun", "statuses"), [
    (FIRE, 1, {"cancelled": 2, "publishing": 1}), (SKIP, 0, {"cancelled": 3}), (ASK, 0, {"cancelled": 2, "held": 1}),
])  # fmt: skip
async def test_of_a_recurrence_one_occurrence_at_most_is_made_up_for(
    desk: Desk, wanted: MissedPolicy, begun: int, statuses: dict[str, int]
) -> None:
    await policy(desk, wanted)
    channel = await desk.channel()
    async with desk.at() as (session, scope):
        draft = RecurrenceDraft(text="Soup", rule="FREQ=DAILY;COUNT=3", local_time="18:00", channel_ids=[channel.id])
        one = await occurring.create(session, scope, draft=draft, cards=CARDS, now=NOW)
    back = NOW + timedelta(days=4)
    claims = await desk.claim(back)
    assert len(claims) == 3
    assert len(await desk.begin(claims, back)) == begun
    async with desk.at() as (session, scope):
        found = await occurring.posts_of(session, scope, one)
    counted: dict[str, int] = {}
    for post in found:
        counted[post.status.value] = counted.get(post.status.value, 0) + 1
    assert counted == statuses
    alive = [post for post in found if post.status is not PostStatus.CANCELLED]
    assert all(post.scheduled_at == max(p.scheduled_at for p in found if p.scheduled_at) for post in alive)


async def test_the_policy_is_the_brands_own(desk: Desk) -> None:
    other = await desk.house.brand("Zee")
    async with desk.app.session() as session:
        scope = await scopes.house(session, other.brand_id)
        await brands.update(session, scope, changes=BrandChanges(missed=SKIP))
        assert (await brands.get(session, scope)).missed is SKIP
    async with desk.at() as (session, scope):
        assert (await brands.get(session, scope)).missed is FIRE


def test_a_moment_is_late_by_peoples_time() -> None:
    assert missed.fate(
        SKIP, due_at=datetime(2026, 11, 20, 13, tzinfo=NOW.tzinfo), grace=HOUR, now=NOW, was_tried=False,
        is_followed=False,
    ) is Fate.GO_ON  # fmt: skip
