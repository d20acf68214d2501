"""A brand's own time: how it goes on, what follows it, and what never does."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text

from shared.domain.publishing.sending import clocks
from shared.domain.publishing.sending.outcomes import SlowDown
from shared.models.enums import Network, OutgoingState
from shared.models.post import Post
from tests.conftest import NOW, HouseChannel
from tests.domain.publishing.conftest import LATER, Desk

KEPT = [Network.SANDBOX]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NONE = timedelta(0)


async def practice(desk: Desk, **more: object) -> HouseChannel:
    more = {"base_url": "http://127.0.0.1:9", "credentials": {"access_token": "t"}, **more}
    return await desk.channel(Network.SANDBOX, **more)


async def step(desk: Desk, target: timedelta, now: datetime = NOW, *, patient: bool = False) -> timedelta:
    async with desk.at(desk.worker) as (session, scope):
        return await clocks.step(session, scope, KEPT, target=target, now=now, patient=patient)


async def go(desk: Desk, target: timedelta, now: datetime = NOW) -> list[timedelta]:
    """The whole way there, step by step."""
    told = [await step(desk, target, now)]
    while told[-1] != target:
        told.append(await step(desk, target, now))
    return told


async def due(desk: Desk, posts: Sequence[Post]) -> list[datetime]:
    """When each post is tried, in real time."""
    ids = [(await desk.outgoing(post))[0].id for post in posts]
    async with desk.worker.session() as session:
        told = await session.execute(text("SELECT outgoing_id, due_at FROM due_outgoing"))
        rows = {row[0]: row[1] for row in told}
    return [rows[one] for one in ids]


async def test_without_a_moved_clock_a_brands_now_is_now(desk: Desk) -> None:
    async with desk.at() as (_, scope):
        assert (scope.now(NOW), scope.real(LATER)) == (NOW, LATER)


async def test_a_moved_clock_is_what_people_mean_by_now(desk: Desk) -> None:
    await go(desk, 30 * DAY)
    async with desk.at() as (_, scope):
        assert (scope.now(NOW), scope.real(NOW)) == (NOW + 30 * DAY, NOW - 30 * DAY)


async def test_another_brand_keeps_its_own_time(desk: Desk) -> None:
    other = Desk(desk.app, desk.worker, desk.house, await desk.house.brand("other"), desk.vault)
    await go(desk, DAY)
    async with other.at() as (_, scope):
        assert scope.ahead == NONE


async def test_what_is_planned_while_it_is_moved_is_due_at_that_moment_of_the_brands_time(desk: Desk) -> None:
    there, elsewhere = await practice(desk), await desk.channel()
    await go(desk, 10 * DAY)
    planned = [await desk.scheduled(channel, at=NOW + 11 * DAY) for channel in (there, elsewhere)]
    assert await due(desk, planned) == [NOW + DAY, NOW + 11 * DAY], "on another network nothing goes out early"


async def test_a_clock_that_is_moved_takes_what_waits_there_along(desk: Desk) -> None:
    there, elsewhere = await practice(desk), await desk.channel()
    planned = [await desk.scheduled(channel, at=NOW + 11 * DAY) for channel in (there, elsewhere)]
    await go(desk, 10 * DAY)
    assert await due(desk, planned) == [NOW + DAY, NOW + 11 * DAY]
    await go(desk, NONE)
    assert await due(desk, planned) == [NOW + 11 * DAY] * 2


async def test_ahead_it_goes_through_every_moment_at_which_something_is_due_and_every_day(desk: Desk) -> None:
    there = await practice(desk)
    for hours in (20, 30, 31):
        await desk.scheduled(there, at=NOW + hours * HOUR)
    told = await go(desk, 3 * DAY)
    assert told == [20 * HOUR, 30 * HOUR, 31 * HOUR, 55 * HOUR, 72 * HOUR]


async def test_back_it_goes_at_once(desk: Desk) -> None:
    await go(desk, 30 * DAY)
    assert await go(desk, -30 * DAY) == [-30 * DAY]


async def test_a_patient_step_waits_for_what_is_still_to_go_out_and_not_for_what_stands_still(desk: Desk) -> None:
    there = await practice(desk)
    await desk.scheduled(there, at=NOW + HOUR)
    assert await step(desk, DAY) == HOUR
    assert await step(desk, DAY, patient=True) == HOUR
    assert await step(desk, DAY) == DAY
    assert await step(desk, 2 * DAY, patient=True) == DAY
    async with desk.worker.session() as session:
        await session.execute(text("UPDATE due_outgoing SET brand_id = gen_random_uuid()"))
    assert await step(desk, 2 * DAY, patient=True) == 2 * DAY, "it is in nobody's queue"
    async with desk.worker.session() as session:
        await session.execute(text("UPDATE due_outgoing SET brand_id = :brand"), {"brand": desk.brand.brand_id})
    assert await step(desk, 3 * DAY, patient=True) == 2 * DAY
    async with desk.worker.session() as session:
        await session.execute(text("SELECT parvis.scope(:brand)"), {"brand": str(desk.brand.brand_id)})
        await session.execute(
            text("UPDATE channel SET status = 'paused' WHERE brand_id = :brand"), {"brand": desk.brand.brand_id}
        )
    assert await step(desk, 3 * DAY, patient=True) == 3 * DAY


async def test_many_moments_are_taken_together(desk: Desk) -> None:
    there = await practice(desk)
    for minutes in range(210):
        await desk.scheduled(there, at=NOW + HOUR + timedelta(minutes=minutes))
    assert len(await go(desk, DAY)) < 190


async def test_a_repeat_waits_as_long_as_its_network_asked_for_whatever_is_moved(desk: Desk) -> None:
    post = await desk.scheduled(await practice(desk), at=LATER)
    await desk.settle(await desk.attempt(LATER), SlowDown("slowly", timedelta(minutes=5)), LATER)
    await go(desk, 10 * DAY, LATER)
    assert await due(desk, [post]) == [LATER + timedelta(minutes=5)]


async def test_an_effect_that_was_claimed_waits_again_where_the_clock_was_moved_back_before_it_began(
    desk: Desk,
) -> None:
    post = await desk.scheduled(await practice(desk), at=NOW + 10 * DAY)
    await go(desk, 10 * DAY)
    claims = await desk.claim(NOW)
    assert len(claims) == 1
    await go(desk, NONE)
    assert await desk.begin(claims, NOW) == []
    assert [one.state for one in await desk.outgoing(post)] == [OutgoingState.WAITING]
    assert await due(desk, [post]) == [NOW + 10 * DAY]


async def test_who_planned_by_a_clock_that_is_over_is_put_right_by_the_next_step(desk: Desk) -> None:
    post = await desk.scheduled(await practice(desk), at=NOW + 5 * DAY)
    await go(desk, 10 * DAY)
    async with desk.worker.session() as session:
        await session.execute(text("UPDATE due_outgoing SET due_at = due_at + interval '10 days'"))
    await step(desk, 10 * DAY)
    assert await due(desk, [post]) == [NOW - 5 * DAY]


async def test_a_brand_whose_time_is_the_real_one_again_is_as_if_it_had_never_been_another(desk: Desk) -> None:
    await go(desk, DAY)
    await go(desk, NONE)
    async with desk.worker.session() as session:
        assert await clocks.moved(session) == {}


async def test_two_readings_of_one_clock_are_no_move(desk: Desk) -> None:
    await go(desk, DAY)
    assert await step(desk, DAY + timedelta(seconds=0.2)) == DAY


async def test_a_brand_keeps_the_time_of_the_one_network_on_which_it_speaks(desk: Desk) -> None:
    async def place() -> tuple[Network, str] | None:
        async with desk.at(desk.worker) as (session, scope):
            return await clocks.place(session, scope, desk.vault, desk.cards)

    assert await place() is None
    await practice(desk)
    assert await place() == (Network.SANDBOX, "http://127.0.0.1:9")
    await desk.channel(credentials=None)
    await desk.channel(Network.FACEBOOK, credentials={"app_secret": "s"})
    assert await place() == (Network.SANDBOX, "http://127.0.0.1:9"), "one that only hears says nothing at any time"
    await desk.channel()
    assert await place() is None


async def test_a_brand_on_two_practice_networks_keeps_the_real_time(desk: Desk) -> None:
    await practice(desk)
    await practice(desk, base_url="http://127.0.0.1:10")
    async with desk.at(desk.worker) as (session, scope):
        assert await clocks.place(session, scope, desk.vault, desk.cards) is None
        assert await clocks.visiting(session, KEPT) == {desk.brand.brand_id}
        assert await clocks.visiting(session, [Network.FEED]) == set()
