"""Each fact is told once, to whom it concerns, however often the worker dies, comes back or is two."""

import asyncio
from datetime import timedelta

import pytest

from shared.domain import scope as scopes
from shared.domain.events.events import NewEvent
from shared.domain.notifying import making
from shared.ids import new_uuid
from shared.models.enums import EventType, GrantRole, NotificationKind, NotificationWay
from tests.domain.notifying.conftest import NOW, Desk, channel, off, on, post

K = NotificationKind


async def test_a_post_that_failed_is_told_once(desk: Desk) -> None:
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    assert await desk.told() == [K.POST_FAILED]


async def test_events_that_are_read_again_are_not_told_again(desk: Desk) -> None:
    await desk.happens(post("failed", new_uuid()), post("uncertain", new_uuid()))
    await desk.tell()
    await desk.eye.execute("UPDATE notice_cursor SET seq = 0; DELETE FROM told")
    await desk.happens(post("scheduled", new_uuid()))
    await desk.tell()
    assert await desk.told() == [K.POST_FAILED, K.POST_UNCERTAIN]


async def test_a_transaction_that_breaks_off_tells_nothing_and_its_successor_everything(desk: Desk) -> None:
    await desk.happens(post("failed", new_uuid()))
    async with desk.worker.session() as session:
        (ready,) = await making.claim(session, limit=1, lease=timedelta(0))
    async with desk.worker.session() as session:
        scope = await scopes.house(session, ready.brand_id)
        await making.make(session, scope, ready, house=making.House(has_mail=True), now=NOW)
        await session.rollback()
    assert await desk.told() == []
    assert await desk.tell() == 1
    assert await desk.told() == [K.POST_FAILED]


async def test_two_workers_on_one_brand_tell_each_fact_once(desk: Desk) -> None:
    await desk.happens(*(post("failed", new_uuid()) for _ in range(30)))
    async with desk.worker.session() as session:
        (ready,) = await making.claim(session, limit=1, lease=timedelta(0))

    async def make() -> None:
        async with desk.worker.session() as session:
            scope = await scopes.house(session, ready.brand_id)
            await making.make(session, scope, ready, house=making.House(has_mail=True), now=NOW)

    await asyncio.gather(make(), make())
    assert len(await desk.told()) == 30


async def test_more_events_than_one_turn_takes_are_all_told(desk: Desk) -> None:
    await desk.happens(*(post("failed", new_uuid()) for _ in range(making.LIMIT + 5)))
    while await desk.tell():
        pass
    assert len(await desk.told()) == making.LIMIT + 5
    assert await desk.eye.fetchval("SELECT count(*) FROM due_notice") == 0


async def test_what_is_numbered_while_a_brand_is_told_is_told_next(desk: Desk) -> None:
    await desk.happens(post("failed", new_uuid()))
    async with desk.worker.session() as session:
        (ready,) = await making.claim(session, limit=1, lease=timedelta(minutes=1))
        await session.commit()
    await desk.happens(post("uncertain", new_uuid()))
    async with desk.worker.session() as session:
        scope = await scopes.house(session, ready.brand_id)
        await making.make(session, scope, ready, house=making.House(has_mail=True), now=NOW)
    await desk.tell()
    assert sorted(await desk.told()) == [K.POST_FAILED, K.POST_UNCERTAIN]


async def test_a_post_that_fails_on_one_channel_after_another_is_one_notification(desk: Desk) -> None:
    id_ = new_uuid()
    await desk.happens(post("publishing", id_), post("failed", id_, 2), post("partly_published", id_, 3))
    await desk.happens(post("failed", id_, 4))
    await desk.tell()
    assert await desk.told() == [K.POST_FAILED]


async def test_a_post_that_was_tried_again_and_failed_again_is_told_again(desk: Desk) -> None:
    id_ = new_uuid()
    await desk.happens(post("failed", id_), post("publishing", id_, 2), post("failed", id_, 3))
    await desk.tell()
    assert await desk.told() == [K.POST_FAILED, K.POST_FAILED]


async def test_a_dead_channel_is_told_once_until_it_has_lived_again(desk: Desk) -> None:
    id_ = new_uuid()
    await desk.happens(channel("login_dead", id_), channel("login_dead", id_, "channel.check"))
    await desk.tell()
    await desk.happens(channel("login_dead", id_, "channel.update"))
    await desk.tell()
    assert await desk.told() == [K.CHANNEL_DIED]
    await desk.happens(channel("active", id_), channel("login_dead", id_))
    await desk.tell()
    assert await desk.told() == [K.CHANNEL_DIED, K.CHANNEL_DIED]


async def test_a_channel_whose_place_is_gone_is_told(desk: Desk) -> None:
    await desk.happens(channel("paused", new_uuid(), "channel.gone"), channel("paused", new_uuid(), "channel.pause"))
    await desk.tell()
    assert await desk.told() == [K.CHANNEL_DIED]


@pytest.mark.parametrize("kind", ["publish", "first_comment", "thread_part"])
async def test_an_effect_of_a_post_is_told_with_the_post_alone(desk: Desk, kind: str) -> None:
    fact = {"state": "uncertain", "kind": kind}
    await desk.happens(NewEvent(EventType.OUTGOING_CHANGED, new_uuid(), 1, fact))
    await desk.tell()
    assert await desk.told() == []


async def test_a_reply_of_which_nobody_knows_is_told(desk: Desk) -> None:
    fact = {"state": "uncertain", "kind": "reply"}
    await desk.happens(NewEvent(EventType.OUTGOING_CHANGED, new_uuid(), 1, fact))
    await desk.tell()
    assert await desk.told() == [K.EFFECT_UNCERTAIN]


async def test_a_reply_that_its_network_refuses_is_told_and_one_that_is_called_off_is_not(desk: Desk) -> None:
    for state in ("refused", "dropped", "live"):
        await desk.happens(NewEvent(EventType.OUTGOING_CHANGED, new_uuid(), 1, {"state": state, "kind": "reply"}))
    await desk.tell()
    assert await desk.told() == [K.EFFECT_REFUSED]


async def test_whoever_wrote_a_post_is_not_asked_to_agree_to_it(desk: Desk) -> None:
    other = (await desk.colleague(GrantRole.MANAGER)).user_id
    id_ = new_uuid()
    await desk.eye.execute(
        "INSERT INTO post (brand_id, id, text, status, created_by, version, media)"
        " VALUES ($1, $2, 'x', 'in_review', $3, 1, '[]')",
        desk.brand.brand_id, id_, desk.brand.user_id,
    )  # fmt: skip
    await desk.happens(
        NewEvent(EventType.APPROVAL_CHANGED, id_, 1, {"status": "in_review", "waits_for": "people"}),
        NewEvent(EventType.APPROVAL_WAITING, id_, 1, {"reason": "waiting", "waits_for": "client"}),
    )
    await desk.tell()
    assert await desk.told(other) == [K.APPROVAL_WAITING] * 2
    assert await desk.told(desk.brand.user_id) == [K.APPROVAL_WAITING]


async def test_each_reminder_of_an_approval_is_told_and_a_comment_is_not(desk: Desk) -> None:
    id_ = new_uuid()
    await desk.happens(
        NewEvent(EventType.APPROVAL_CHANGED, id_, 1, {"status": "in_review", "waits_for": "people"}),
        NewEvent(EventType.APPROVAL_CHANGED, id_, 2, {"status": "in_review", "kind": "comment"}),
        NewEvent(EventType.APPROVAL_WAITING, id_, 2, {"reason": "waiting"}),
        NewEvent(EventType.APPROVAL_WAITING, id_, 2, {"reason": "last_call"}),
        NewEvent(EventType.APPROVAL_CHANGED, id_, 3, {"status": "approved", "kind": "approved"}),
    )
    await desk.tell()
    assert await desk.told() == [K.APPROVAL_WAITING] * 3 + [K.APPROVAL_DECIDED]


async def test_a_deleted_mention_that_is_no_post_of_ours_is_not_told(desk: Desk) -> None:
    await desk.happens(NewEvent(EventType.MENTION_DELETED, new_uuid(), 1))
    await desk.tell()
    assert await desk.told() == []
    assert await desk.eye.fetchval("SELECT count(*) FROM told") == 0


async def test_mentions_that_come_in_ring_nobody(desk: Desk) -> None:
    await desk.happens(NewEvent(EventType.MENTION_RECORDED, new_uuid(), 1))
    assert await desk.eye.fetchval("SELECT count(*) FROM due_notice") == 0


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        (GrantRole.MANAGER, [K.POST_FAILED, K.CHANNEL_DIED]),
        (GrantRole.EDITOR, [K.POST_FAILED]),
        (GrantRole.VIEWER, []),
    ],
)
async def test_a_role_decides_what_is_told_where_nobody_has_said(
    desk: Desk, role: GrantRole, kinds: list[NotificationKind]
) -> None:
    colleague = await desk.colleague(role)
    await desk.happens(post("failed", new_uuid()), channel("login_dead", new_uuid()))
    await desk.tell()
    assert await desk.told(colleague.user_id) == kinds


async def test_a_choice_for_a_brand_goes_before_one_for_all_and_both_before_the_role(desk: Desk) -> None:
    viewer = await desk.colleague(GrantRole.VIEWER)
    await desk.wish(
        viewer, on(K.POST_FAILED), off(K.POST_UNCERTAIN), on(K.POST_UNCERTAIN, brand_id=desk.brand.brand_id)
    )
    every_way = [off(K.POST_FAILED, way) for way in NotificationWay]
    await desk.wish(desk.owner, *every_way)
    await desk.happens(post("failed", new_uuid()), post("uncertain", new_uuid()))
    await desk.tell()
    assert await desk.told(viewer.user_id) == [K.POST_FAILED, K.POST_UNCERTAIN]
    assert await desk.told() == [K.POST_UNCERTAIN]


async def test_what_is_published_is_told_to_who_wishes_it_alone(desk: Desk) -> None:
    editor = await desk.colleague(GrantRole.EDITOR)
    await desk.wish(editor, on(K.POST_PUBLISHED))
    await desk.happens(post("published", new_uuid()))
    await desk.tell()
    assert await desk.told(editor.user_id) == [K.POST_PUBLISHED]
    assert await desk.told() == []


async def test_somebody_of_another_brand_is_told_nothing(desk: Desk) -> None:
    other = await desk.house.brand("Zeehond")
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    assert await desk.told(other.user_id) == []


async def test_a_colleague_sees_nothing_of_what_another_was_told(desk: Desk) -> None:
    editor = await desk.colleague(GrantRole.EDITOR)
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    assert {one.user_id for one in await desk.list(editor)} == {editor.user_id}


async def test_what_is_wished_by_mail_only_is_not_shown_in_the_app(desk: Desk) -> None:
    await desk.wish(desk.owner, off(K.POST_FAILED))
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    assert await desk.told() == [K.POST_FAILED]
    assert await desk.list(desk.owner) == []
