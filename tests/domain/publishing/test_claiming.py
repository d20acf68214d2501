"""Who has his turn: an equal share for each brand, nobody who rests."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from shared.contract import Room, Sent
from shared.domain.publishing.sending import due
from shared.domain.publishing.sending.outcomes import Live, SlowDown
from tests.conftest import House
from tests.domain.publishing.conftest import LATER, Desk


async def filled(desk: Desk, posts: int) -> None:
    channel = await desk.channel()
    for _ in range(posts):
        await desk.scheduled(channel)


async def test_a_brand_with_little_does_not_stand_behind_one_with_much(desk: Desk, house: House) -> None:
    small = replace(desk, brand=await house.brand("small"))
    await filled(desk, 12)
    await filled(small, 2)
    async with desk.worker.session() as session:
        claims = await due.claim(session, now=LATER, limit=4, lease=timedelta(minutes=1))
    assert sorted(str(one.brand_id) for one in claims) == sorted(
        [str(desk.brand.brand_id)] * 2 + [str(small.brand.brand_id)] * 2
    )


async def test_what_one_leaves_of_its_share_is_for_those_that_have_more(desk: Desk, house: House) -> None:
    small = replace(desk, brand=await house.brand("small"))
    await filled(desk, 12)
    await filled(small, 1)
    async with desk.worker.session() as session:
        claims = await due.claim(session, now=LATER, limit=10, lease=timedelta(minutes=1))
    large = [one for one in claims if one.brand_id == desk.brand.brand_id]
    assert (len(large), len(claims)) == (9, 10)


async def test_brands_have_their_turn_after_one_another(desk: Desk, house: House) -> None:
    other = replace(desk, brand=await house.brand("other"))
    await filled(desk, 1)
    await filled(other, 1)
    first, second = sorted([desk.brand.brand_id, other.brand.brand_id])
    async with desk.worker.session() as session:
        claims = await due.claim(session, now=LATER, limit=9, lease=timedelta(minutes=1), after=first)
    assert [one.brand_id for one in claims] == [second]


async def test_within_a_brand_the_order_of_moments_is_kept(desk: Desk) -> None:
    channel = await desk.channel()
    for minutes in (3, 1, 2):
        await desk.scheduled(channel, at=LATER + timedelta(minutes=minutes))
    at = LATER + timedelta(hours=1)
    async with desk.worker.session() as session:
        claims = await due.claim(session, now=at, limit=2, lease=timedelta(minutes=1))
    assert sorted(one.due_at for one in claims) == [LATER + timedelta(minutes=m) for m in (1, 2)]


async def test_a_channel_that_its_network_slows_down_rests_and_another_goes_on(desk: Desk) -> None:
    slow, other = await desk.channel(), await desk.channel()
    await desk.scheduled(slow)
    made = await desk.attempt(LATER)
    await desk.settle(made, SlowDown("slowly", timedelta(minutes=5)), LATER)
    await desk.scheduled(slow)
    await desk.scheduled(other)
    claims = await desk.begin(await desk.claim(LATER), LATER)
    assert [made.channel_id for made in claims] == [other.id]


async def test_a_channel_without_room_left_rests_though_its_post_is_live(desk: Desk) -> None:
    channel = await desk.channel()
    await desk.scheduled(channel)
    made = await desk.attempt(LATER)
    await desk.settle(made, Live(Sent("1", room=Room(0, timedelta(minutes=5)))), LATER)
    await desk.scheduled(channel)
    assert await desk.claim(LATER) == []


async def test_a_limit_of_the_whole_app_lets_the_lane_rest(desk: Desk) -> None:
    channel = await desk.channel()
    await desk.scheduled(channel)
    made = await desk.attempt(LATER)
    await desk.settle(made, SlowDown("slowly", timedelta(minutes=5), whole_app=True), LATER)
    async with desk.worker.session() as session:
        keys = (await session.execute(text("SELECT key FROM budget"))).scalars().all()
    assert keys == [made.claim.lane]


async def test_nothing_is_waited_for_while_a_channel_rests(desk: Desk) -> None:
    channel = await desk.channel()
    await desk.scheduled(channel)
    await desk.settle(await desk.attempt(LATER), SlowDown("slowly", timedelta(minutes=5)), LATER)
    async with desk.worker.session() as session:
        assert await due.next_at(session) is None
