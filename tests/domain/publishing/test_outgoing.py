"""An effect on a network happens once, whoever sends it and whatever breaks."""

import asyncio
from datetime import timedelta

import pytest

from shared.connectors.registry import CARDS
from shared.contract import Sent
from shared.domain.brands import channels
from shared.domain.brands.lanes import lane_of
from shared.domain.publishing import posts
from shared.domain.publishing.sending import due, settling
from shared.domain.publishing.sending.attempts import Step
from shared.domain.publishing.sending.outcomes import Denied, Live, LoginDied, NotSent, NotThere, Unknown
from shared.domain.publishing.sending.settling import Settlement
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import ChannelStatus, Network, OutgoingState, PostStatus, VariantStatus
from shared.models.post import Outgoing, Post
from tests.conftest import NOW, HouseChannel
from tests.domain.publishing.conftest import LATER, Desk

SENT = Sent("42", "https://network.example/42")


async def uncertain(desk: Desk) -> tuple[Post, Outgoing]:
    """A post of which nobody can say whether the network has it."""
    post = await desk.scheduled(await desk.channel())
    made = await desk.attempt(LATER)
    await desk.settle(made, Unknown("timeout"), LATER)
    for n in range(5):
        at = LATER + timedelta(minutes=n)
        for claim in await desk.claim(at):
            for look in await desk.begin([claim], at):
                await desk.settle(look, Unknown("away"), at)
    (one,) = await desk.outgoing(post)
    assert one.state is OutgoingState.UNCERTAIN
    return post, one


async def say(desk: Desk, one: Outgoing, as_: Settlement, external_id: str | None = None) -> Outgoing:
    async with desk.at() as (session, scope):
        return await settling.settle(session, scope, one.id, as_=as_, external_id=external_id, cards=CARDS, now=NOW)


async def test_what_is_live_is_published_with_its_id_and_address(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    made = await desk.attempt(LATER)
    assert made.step is Step.SEND
    assert await desk.settle(made, Live(SENT), LATER)
    (variant,) = await desk.variants(post)
    assert (variant.status, variant.external_id, variant.url) == (VariantStatus.PUBLISHED, "42", SENT.url)
    assert (await desk.post(post)).status is PostStatus.PUBLISHED
    assert await desk.claim(LATER + timedelta(days=9)) == []


async def test_the_receiver_gets_one_id_for_all_tries(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    first = await desk.attempt(LATER)
    await desk.settle(first, NotSent("away"), LATER)
    second = await desk.attempt(LATER + timedelta(minutes=1))
    (one,) = await desk.outgoing(post)
    assert first.effect.id == second.effect.id == typeid(Prefix.OUTGOING, one.id)
    assert one.tries == 2


async def test_while_it_is_sent_the_post_is_publishing(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await desk.attempt(LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHING


async def test_a_refusal_fails_the_variant_with_its_problem(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await desk.settle(await desk.attempt(LATER), Denied("too long"), LATER)
    (variant,) = await desk.variants(post)
    assert variant.status is VariantStatus.FAILED
    assert variant.problems == [{"code": "refused", "message": "too long"}]
    assert (await desk.post(post)).status is PostStatus.FAILED


async def test_a_failed_post_can_be_published_again(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await desk.settle(await desk.attempt(LATER), Denied("too long"), LATER)
    await desk.publish(post, LATER)
    await desk.settle(await desk.attempt(LATER), Live(SENT), LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHED


async def test_one_of_two_is_partly_published_and_only_the_other_is_sent_again(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel(), await desk.channel())
    one, two = await desk.begin(await desk.claim(LATER), LATER)
    await desk.settle(one, Live(SENT), LATER)
    await desk.settle(two, Denied("no"), LATER)
    assert (await desk.post(post)).status is PostStatus.PARTLY_PUBLISHED
    await desk.publish(post, LATER)
    again = await desk.attempt(LATER)
    assert again.login.channel_external_id == two.login.channel_external_id


async def test_two_claimers_never_hold_the_same(desk: Desk) -> None:
    channel = await desk.channel()
    for _ in range(12):
        await desk.scheduled(channel)
    groups = await asyncio.gather(*[desk.claim(LATER) for _ in range(4)])
    ids = [claim.outgoing_id for group in groups for claim in group]
    assert len(ids) == len(set(ids)) == 12


async def test_a_lane_that_is_full_is_left_alone_and_the_others_are_not(desk: Desk) -> None:
    slow, quick = await desk.channel(), await desk.channel()
    for _ in range(3):
        await desk.scheduled(slow)
    await desk.scheduled(quick, at=LATER + timedelta(seconds=1))
    lane = lane_of(slow.channel, CARDS[Network.GENERIC])
    now = LATER + timedelta(minutes=1)
    claims = await desk.claim(now, rooms={lane: 2}, room=4)
    assert sorted(claim.lane == lane for claim in claims) == [False, True, True]
    assert await desk.claim(now, rooms={lane: 0}) == []
    assert len(await desk.claim(now, rooms={lane: 1})) == 1


async def test_after_a_crash_the_next_one_looks_it_up(desk: Desk) -> None:
    await desk.scheduled(await desk.channel())
    made = await desk.attempt(LATER)
    assert await desk.claim(LATER) == []
    await desk.expire(made.claim.outgoing_id)
    assert (await desk.attempt(LATER)).step is Step.FIND


async def test_what_the_look_up_finds_is_live(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await desk.settle(await desk.attempt(LATER), Unknown("timeout"), LATER)
    look = await desk.attempt(LATER)
    assert look.step is Step.FIND
    await desk.settle(look, Live(SENT), LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHED


async def test_what_is_certainly_absent_is_sent_again(desk: Desk) -> None:
    await desk.scheduled(await desk.channel())
    made = await desk.attempt(LATER)
    await desk.expire(made.claim.outgoing_id)
    at = LATER + timedelta(minutes=2)
    await desk.settle(await desk.attempt(at), NotThere(), at)
    assert (await desk.attempt(at)).step is Step.SEND


async def test_a_slow_old_holder_settles_nothing_over_a_newer_one(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    old = await desk.attempt(LATER)
    await desk.expire(old.claim.outgoing_id)
    new = await desk.attempt(LATER)
    assert not await desk.settle(old, Denied("late"), LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHING
    assert await desk.settle(new, Live(SENT), LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHED


async def test_what_a_slow_old_holder_brought_about_is_looked_up_and_not_sent_again(desk: Desk) -> None:
    await desk.scheduled(await desk.channel())
    old = await desk.attempt(LATER)
    await desk.expire(old.claim.outgoing_id)
    claims = await desk.claim(LATER)
    assert not await desk.settle(old, Live(SENT), LATER)
    (new,) = await desk.begin(claims, LATER)
    assert new.step is Step.FIND


async def test_what_an_old_holder_saw_live_is_not_sent_again_when_the_newer_one_dies(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    old = await desk.attempt(LATER)
    await desk.expire(old.claim.outgoing_id)
    newer = await desk.attempt(LATER)
    assert not await desk.settle(old, Live(Sent("p1")), LATER)
    await desk.expire(newer.claim.outgoing_id)
    last = await desk.attempt(LATER)
    assert last.step is Step.FIND
    await desk.settle(last, Live(Sent("p1")), LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHED


async def test_what_cannot_be_settled_is_put_before_a_person(desk: Desk) -> None:
    post, _ = await uncertain(desk)
    assert (await desk.post(post)).status is PostStatus.UNCERTAIN
    assert await desk.claim(LATER + timedelta(days=9)) == []


async def test_a_person_adopts_what_is_there(desk: Desk) -> None:
    post, one = await uncertain(desk)
    with pytest.raises(Invalid):
        await say(desk, one, Settlement.ADOPT)
    await say(desk, one, Settlement.ADOPT, "42")
    (variant,) = await desk.variants(post)
    assert (variant.status, variant.external_id) == (VariantStatus.PUBLISHED, "42")


async def test_a_person_lets_it_be_sent_and_old_holders_stay_out(desk: Desk) -> None:
    post, one = await uncertain(desk)
    await say(desk, one, Settlement.SEND)
    (claim,) = await desk.claim(NOW)
    (made,) = await desk.begin([claim], NOW)
    assert made.step is Step.SEND
    assert claim.fence > 5
    await desk.settle(made, Live(SENT), NOW)
    assert (await desk.post(post)).status is PostStatus.PUBLISHED


async def test_a_person_lets_it_be(desk: Desk) -> None:
    post, one = await uncertain(desk)
    assert (await say(desk, one, Settlement.DROP)).state is OutgoingState.DROPPED
    assert (await desk.post(post)).status is PostStatus.CANCELLED


async def test_only_what_is_uncertain_is_settled_by_a_person(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    (one,) = await desk.outgoing(post)
    with pytest.raises(Conflict):
        await say(desk, one, Settlement.DROP)
    with pytest.raises(NotFound):
        await say(desk, one.model_copy(update={"id": new_uuid()}), Settlement.DROP)


async def dead_login(desk: Desk) -> tuple[Post, HouseChannel]:
    channel = await desk.channel()
    post = await desk.scheduled(channel)
    await desk.settle(await desk.attempt(LATER), LoginDied("expired"), LATER)
    return post, channel


async def test_a_dead_login_stops_the_channel_and_holds_its_posts(desk: Desk) -> None:
    post, channel = await dead_login(desk)
    async with desk.at() as (session, scope):
        found = await channels.get(session, scope, channel.id)
    assert (found.status, found.status_reason) == (ChannelStatus.LOGIN_DEAD, "expired")
    assert (await desk.post(post)).status is PostStatus.HELD
    assert await desk.begin(await desk.claim(LATER + timedelta(minutes=1)), LATER + timedelta(minutes=1)) == []
    (variant,) = await desk.variants(post)
    assert "new one" in variant.problems[0]["message"]


async def test_a_held_post_can_be_taken_back(desk: Desk) -> None:
    post, _ = await dead_login(desk)
    assert (await desk.cancel(post)).status is PostStatus.CANCELLED


async def test_a_paused_channel_sends_when_it_is_resumed(desk: Desk) -> None:
    channel = await desk.channel()
    post = await desk.scheduled(channel)
    async with desk.at() as (session, scope):
        await channels.pause(session, scope, channel.id, now=NOW)
    assert await desk.begin(await desk.claim(LATER), LATER) == []
    assert (await desk.post(post)).status is PostStatus.HELD
    async with desk.at() as (session, scope):
        await channels.resume(session, scope, channel.id, card=CARDS[Network.GENERIC], now=LATER)
        await due.release(session, scope, channel.id, now=LATER)
    made = await desk.attempt(LATER)
    await desk.settle(made, Live(SENT), LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHED


async def test_a_removed_channel_refuses_what_was_planned(desk: Desk) -> None:
    channel = await desk.channel()
    post = await desk.scheduled(channel)
    async with desk.at() as (session, scope):
        await channels.remove(session, scope, channel.id, now=NOW)
    assert await desk.begin(await desk.claim(LATER), LATER) == []
    assert (await desk.post(post)).status is PostStatus.FAILED


async def test_every_change_is_a_new_version_and_an_event(desk: Desk) -> None:
    from shared.domain.events import feed, sequencer

    post = await desk.scheduled(await desk.channel())
    await desk.settle(await desk.attempt(LATER), Live(SENT), LATER)
    async with desk.worker.session() as session:
        await sequencer.number(session, limit=1000)
    async with desk.at() as (session, scope):
        found = [e for e in await feed.after(session, scope, after=0) if e.thing_id == post.id]
        assert (await posts.get(session, scope, post.id)).version == 3
    assert [(e.version, e.payload["status"]) for e in found] == [
        (1, "scheduled"),
        (2, "publishing"),
        (3, "published"),
    ]
