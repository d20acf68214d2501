"""Those for whom a post waits are reminded, each time once for a version."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.domain.publishing import posts
from shared.models.enums import EventType
from shared.models.post import Post
from tests.conftest import NOW
from tests.domain.publishing.agreeing import Table
from tests.domain.publishing.conftest import Desk

FAR = NOW + timedelta(days=10)


@pytest.fixture
def table(desk: Desk) -> Table:
    return Table(desk)


async def reasons(table: Table) -> list[str]:
    return [fact["reason"] for fact in await table.facts(EventType.APPROVAL_WAITING)]


async def test_a_post_that_waits_for_long_is_said_once(table: Table, desk: Desk) -> None:
    await table.wants("one")
    await table.write(await desk.channel(), at=FAR)
    assert await table.remind(NOW + timedelta(hours=23)) == 0
    assert await table.remind(NOW + timedelta(hours=24)) == 1
    assert await table.remind(NOW + timedelta(hours=48)) == 0
    assert await reasons(table) == ["waiting"]


async def test_a_moment_that_is_near_is_said_once(table: Table, desk: Desk) -> None:
    await table.wants("one")
    await table.write(await desk.channel(), at=FAR)
    await table.remind(NOW + timedelta(hours=24))
    assert await table.remind(FAR - timedelta(hours=4)) == 1
    assert await table.remind(FAR) == 0
    assert await reasons(table) == ["waiting", "last_call"]


async def test_another_version_is_said_anew(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel(), at=FAR)
    await table.remind(NOW + timedelta(hours=24))
    edited_at = NOW + timedelta(hours=25)
    await table.edit(post, now=edited_at, text="Bonsoir")
    assert await table.remind(edited_at + timedelta(hours=23)) == 0
    assert await table.remind(edited_at + timedelta(hours=24)) == 1


@pytest.mark.parametrize("end", ["agreed", "objected", "cancelled"])
async def test_a_post_that_waits_no_more_is_not_said(table: Table, desk: Desk, end: str) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel(), at=FAR)
    ends: dict[str, Callable[[Post], Awaitable[Post]]] = {
        "agreed": table.agree, "objected": table.object, "cancelled": desk.cancel,
    }  # fmt: skip
    await ends[end](post)
    assert await table.remind(FAR) == 0


async def test_a_deleted_post_is_not_said(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel(), at=FAR)
    async with desk.at() as (session, scope):
        await posts.delete(session, scope, post.id, now=NOW)
    assert await table.remind(FAR) == 0


async def test_a_move_moves_the_last_call(table: Table, desk: Desk) -> None:
    await table.wants("one", reminder=0)
    post = await table.write(await desk.channel(), at=FAR)
    await table.move(post, FAR + timedelta(days=1))
    assert await table.remind(FAR) == 0
    assert await table.remind(FAR + timedelta(hours=20)) == 1


async def test_a_brand_that_wants_no_reminders_has_none(table: Table, desk: Desk) -> None:
    await table.wants("one", reminder=0, last_call=0)
    await table.write(await desk.channel(), at=FAR)
    assert await table.remind(FAR) == 0


async def test_two_schedulers_say_it_once(table: Table, desk: Desk) -> None:
    await table.wants("one")
    for n in range(6):
        await table.write(await desk.channel(), text=f"Bonjour {n}", at=FAR)
    told = await asyncio.gather(*(table.remind(NOW + timedelta(hours=24)) for _ in range(4)))
    assert sum(told) == 6
    assert await reasons(table) == ["waiting"] * 6


async def test_it_says_whose_turn_it_is(table: Table, desk: Desk) -> None:
    await table.wants("one", client=True)
    await table.agree(await table.write(await desk.channel(), at=FAR))
    await table.remind(NOW + timedelta(hours=24))
    assert [fact["waits_for"] for fact in await table.facts(EventType.APPROVAL_WAITING)] == ["client"]


async def test_where_the_brands_time_is_moved_it_is_said_by_that_time(table: Table, desk: Desk) -> None:
    await table.wants("one", last_call=0)
    await table.write(await desk.channel(), at=FAR)
    assert await table.remind(NOW) == 0
    async with desk.at(desk.worker) as (session, scope):
        moved = "INSERT INTO brand_clock (brand_id, ahead) VALUES (:brand, interval '25 hours')"
        await session.execute(text(moved), {"brand": scope.brand_id})
    assert await table.remind(NOW) == 1
    assert await reasons(table) == ["waiting"]
