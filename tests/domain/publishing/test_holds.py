"""Everything that is planned is held back, and what happens to it when it is released."""

import asyncio
from datetime import timedelta

import pytest

from shared.connectors.registry import CARDS
from shared.contract import Sent
from shared.domain.publishing.agreeing import holds
from shared.domain.publishing.sending import outgoing
from shared.domain.publishing.sending.attempts import Step
from shared.domain.publishing.sending.outcomes import Live, NotSent, Unknown
from shared.errors import Conflict, Invalid, NotAllowed
from shared.models.enums import EventType, GrantRole, HoldSource, Missed, OutgoingState, PostStatus, VariantStatus
from tests.conftest import NOW
from tests.domain.publishing.agreeing import ELIF, Table
from tests.domain.publishing.conftest import ADDRESS, LATER, PACE, Desk

AFTER = LATER + timedelta(minutes=10)


@pytest.fixture
def table(desk: Desk) -> Table:
    return Table(desk)


async def test_under_a_hold_what_is_planned_is_held_and_does_not_begin(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await table.hold()
    assert (await desk.post(post)).status is PostStatus.HELD
    assert [v.status for v in await desk.variants(post)] == [VariantStatus.HELD]
    assert await desk.begin(await desk.claim(LATER), LATER) == []
    assert [o.tries for o in await desk.outgoing(post)] == [0]


async def test_what_was_claimed_before_the_hold_does_not_begin_after_it(table: Table, desk: Desk) -> None:
    await desk.scheduled(await desk.channel())
    claims = await desk.claim(LATER)
    await table.hold(LATER)
    assert await desk.begin(claims, LATER) == []


async def test_what_is_held_is_not_claimed_again_and_again(table: Table, desk: Desk) -> None:
    await desk.scheduled(await desk.channel())
    await table.hold()
    await desk.begin(await desk.claim(LATER), LATER)
    assert await desk.claim(LATER + timedelta(minutes=30)) == []


async def test_what_has_begun_is_told_as_it_is_and_goes_on(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    made = await desk.attempt(LATER)
    await table.hold(LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHING
    await desk.settle(made, Live(Sent("1")), LATER)
    assert (await desk.post(post)).status is PostStatus.PUBLISHED


async def test_under_a_hold_what_may_be_out_is_still_looked_up(table: Table, desk: Desk) -> None:
    await desk.scheduled(await desk.channel())
    await desk.settle(await desk.attempt(LATER), Unknown("no answer"), LATER)
    await table.hold(LATER)
    (looked,) = await desk.begin(await desk.claim(AFTER), AFTER)
    assert looked.step is Step.FIND


async def test_another_brand_goes_on(table: Table, desk: Desk) -> None:
    other = Desk(desk.app, desk.worker, desk.house, await desk.house.brand("Zee"), desk.vault)
    await other.scheduled(await other.channel())
    await table.hold()
    assert len(await other.begin(await other.claim(LATER), LATER)) == 1


async def test_a_hold_that_is_being_made_is_waited_for_and_wins(table: Table, desk: Desk) -> None:
    await desk.scheduled(await desk.channel())
    claims = await desk.claim(LATER)
    async with table.by(ELIF) as (session, scope):
        await holds.hold(session, scope, reason="a storm", now=LATER)
        begun = asyncio.create_task(desk.begin(claims, LATER))
        await asyncio.sleep(0.3)
        assert not begun.done()
    assert await begun == []


async def test_a_hold_waits_for_what_is_beginning_and_sees_it(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    claims = await desk.claim(LATER)
    async with desk.at(desk.worker) as (session, scope):
        await outgoing.begin(
            session, scope, desk.vault, claims, cards=CARDS, pace=PACE, address=ADDRESS(LATER), now=LATER
        )
        holding = asyncio.create_task(table.hold(LATER))
        await asyncio.sleep(0.3)
        assert not holding.done()
    await holding
    assert (await desk.post(post)).status is PostStatus.PUBLISHING


async def test_what_is_planned_under_a_hold_is_held_and_goes_out_after_it(table: Table, desk: Desk) -> None:
    await table.hold()
    post = await desk.scheduled(await desk.channel())
    assert post.status is PostStatus.HELD
    await table.release(Missed.ASK)
    assert (await desk.post(post)).status is PostStatus.SCHEDULED
    assert len(await desk.begin(await desk.claim(LATER), LATER)) == 1


async def test_what_is_published_under_a_hold_waits_for_its_end(table: Table, desk: Desk) -> None:
    await table.hold()
    post = await desk.publish(await desk.create(channel_ids=[(await desk.channel()).id]))
    assert post.status is PostStatus.HELD
    assert await desk.begin(await desk.claim(NOW), NOW) == []


async def test_what_is_agreed_under_a_hold_is_held(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel())
    await table.hold()
    assert (await table.agree(post)).status is PostStatus.HELD


async def test_a_held_post_may_be_changed_moved_and_cancelled(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await table.hold()
    assert (await table.edit(post, text="Bonsoir")).status is PostStatus.HELD
    assert (await table.move(post, LATER + timedelta(days=1))).status is PostStatus.HELD
    assert (await desk.cancel(post)).status is PostStatus.CANCELLED


async def test_after_the_release_what_is_to_come_comes_at_its_time(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await table.hold()
    await table.release(Missed.CANCEL)
    assert (await desk.post(post)).status is PostStatus.SCHEDULED
    assert await desk.claim(LATER - timedelta(seconds=1)) == []
    assert len(await desk.begin(await desk.claim(LATER), LATER)) == 1


async def missed_post(table: Table, desk: Desk, missed: Missed) -> tuple[PostStatus, list[VariantStatus]]:
    post = await desk.scheduled(await desk.channel())
    await table.hold()
    await desk.begin(await desk.claim(LATER), LATER)
    await table.release(missed, AFTER)
    return (await desk.post(post)).status, [v.status for v in await desk.variants(post)]


async def test_what_was_missed_goes_out_at_once_if_that_is_wanted(table: Table, desk: Desk) -> None:
    await missed_post(table, desk, Missed.PUBLISH)
    (made,) = await desk.begin(await desk.claim(AFTER), AFTER)
    assert made.step is Step.SEND


async def test_what_was_missed_is_called_off_if_that_is_wanted(table: Table, desk: Desk) -> None:
    assert await missed_post(table, desk, Missed.CANCEL) == (PostStatus.CANCELLED, [VariantStatus.CANCELLED])
    assert await desk.claim(AFTER + timedelta(days=1)) == []


async def test_what_was_missed_is_asked_about_if_that_is_wanted(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await table.hold()
    await table.release(Missed.ASK, AFTER)
    (variant,) = await desk.variants(post)
    assert (variant.status, variant.problems[0]["code"]) == (VariantStatus.HELD, "missed")
    assert await desk.claim(AFTER + timedelta(days=1)) == []
    assert (await desk.publish(post, AFTER)).status is PostStatus.PUBLISHING


async def test_a_missed_post_that_is_changed_is_still_asked_about(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await table.hold()
    await table.release(Missed.ASK, AFTER)
    changed = await table.edit(post, text="Bonsoir", now=AFTER)
    assert changed.status is PostStatus.HELD
    assert await desk.claim(AFTER + timedelta(days=1)) == []


async def test_a_hold_says_what_waits_and_what_was_missed(table: Table, desk: Desk) -> None:
    channel = await desk.channel()
    await desk.scheduled(channel)
    await desk.scheduled(channel, at=LATER + timedelta(days=1))
    await table.hold()
    async with desk.at() as (session, scope):
        found = await holds.standing(session, scope, now=AFTER)
    assert found.hold is not None
    assert (found.waiting, found.missed) == (2, 1)


async def test_there_is_one_hold_at_a_time(table: Table) -> None:
    await table.hold()
    with pytest.raises(Conflict) as again:
        await table.hold()
    assert again.value.code == "already_held"
    await table.release(Missed.ASK)
    with pytest.raises(Conflict) as none:
        await table.release(Missed.ASK)
    assert none.value.code == "not_held"
    await table.hold()


async def test_two_who_hold_at_once_make_one_hold(table: Table) -> None:
    found = await asyncio.gather(*(table.hold() for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Conflict", "Conflict", "Hold"]


async def test_an_editor_holds_and_only_a_manager_releases(table: Table) -> None:
    async with table.by(ELIF, GrantRole.EDITOR) as (session, scope):
        await holds.hold(session, scope, reason="a storm", now=NOW)
    with pytest.raises(NotAllowed):
        async with table.by(ELIF, GrantRole.EDITOR) as (session, scope):
            await holds.release(session, scope, missed=Missed.ASK, now=NOW)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001], ids=["empty", "blank", "long"])
async def test_a_hold_needs_a_reason(table: Table, reason: str) -> None:
    with pytest.raises(Invalid):
        async with table.by(ELIF) as (session, scope):
            await holds.hold(session, scope, reason=reason, now=NOW)


async def test_an_alert_holds_as_a_person_does(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    async with desk.at(desk.worker) as (session, scope):
        made = await holds.hold(session, scope, reason="a spike", source=HoldSource.ALERT, now=NOW)
    assert (made.source, made.held_by) == (HoldSource.ALERT, None)
    assert (await desk.post(post)).status is PostStatus.HELD


async def test_hold_and_release_are_facts(table: Table, desk: Desk) -> None:
    await desk.scheduled(await desk.channel())
    await table.hold()
    await table.release(Missed.CANCEL, AFTER)
    assert [(f["state"], f["missed"]) for f in await table.facts(EventType.HOLD_CHANGED)] == [
        ("on", None),
        ("off", "cancel"),
    ]
    assert [f["status"] for f in await table.facts(EventType.POST_CHANGED)] == ["scheduled", "held", "cancelled"]


async def test_what_is_to_be_tried_again_is_held_too(table: Table, desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    made = await desk.attempt(LATER)
    await desk.settle(made, NotSent("away"), LATER)
    await table.hold(LATER)
    assert (await desk.post(post)).status is PostStatus.HELD
    assert await desk.begin(await desk.claim(AFTER), AFTER) == []
    await table.release(Missed.PUBLISH, AFTER)
    assert [o.state for o in await desk.outgoing(post)] == [OutgoingState.RETRYING]
    assert len(await desk.begin(await desk.claim(AFTER), AFTER)) == 1
