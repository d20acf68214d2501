"""Other rules of a zone are installed: moments move, wall clocks stay, and nobody's hand is forced."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from uuid import UUID

import pytest

from shared.connectors.registry import CARDS
from shared.domain.publishing import posts
from shared.domain.publishing.planning import wallclock, zone_changes
from shared.domain.publishing.planning.moving import Move
from shared.ids import new_uuid
from shared.models.enums import PostStatus
from tests.conftest import NOW
from tests.domain.publishing.conftest import Desk

ZONE = "Europe/Brussels"
LOCAL = "2027-07-01T10:00"
SUMMER, WINTER = datetime(2027, 7, 1, 8, tzinfo=UTC), datetime(2027, 7, 1, 9, tzinfo=UTC)


@pytest.fixture
def abolished(tmp_path: Path) -> Iterator[Path]:
    """A folder of rules in which Brussels has no summer time any more: those of a zone that has winter time only."""
    rules = resources.files("tzdata").joinpath("zoneinfo", "Africa", "Algiers").read_bytes()
    path = tmp_path / "zoneinfo" / "Europe" / "Brussels"
    path.parent.mkdir(parents=True)
    path.write_bytes(rules)
    before = zoneinfo.TZPATH
    yield tmp_path / "zoneinfo"
    zoneinfo.reset_tzpath(to=before)
    wallclock.read_rules_again()


def install(folder: Path) -> None:
    zoneinfo.reset_tzpath(to=[str(folder)])
    wallclock.read_rules_again()


async def work_out(desk: Desk, now: datetime = NOW) -> list[Move]:
    made: list[Move] = []
    after: UUID | None = None
    while True:
        async with desk.at(desk.worker) as (session, scope):
            batch, after = await zone_changes.work_out(session, scope, after=after, now=now)
        made += batch
        if after is None:
            return made


async def test_the_moment_moves_and_the_wall_clock_stays(desk: Desk, abolished: Path) -> None:
    post = await desk.create(channel_ids=[(await desk.channel()).id], local_time=LOCAL)
    assert post.scheduled_at == SUMMER
    install(abolished)
    assert [move.post.id for move in await work_out(desk)] == [post.id]
    moved = await desk.post(post)
    assert (moved.scheduled_at, moved.local_time, moved.timezone) == (WINTER, LOCAL, ZONE)
    assert (moved.status, moved.version) == (PostStatus.SCHEDULED, post.version + 1)
    assert [one.due_at for one in await desk.outgoing(post)] == [WINTER]
    assert await desk.claim(SUMMER) == []
    assert len(await desk.claim(WINTER)) == 1
    assert await work_out(desk) == []


async def test_a_moment_of_its_own_does_not_move(desk: Desk, abolished: Path) -> None:
    post = await desk.scheduled(await desk.channel(), at=SUMMER)
    install(abolished)
    assert await work_out(desk) == []
    assert (await desk.post(post)).scheduled_at == SUMMER


async def test_what_is_due_within_the_minute_is_left(desk: Desk, abolished: Path) -> None:
    await desk.create(channel_ids=[(await desk.channel()).id], local_time=LOCAL)
    install(abolished)
    assert await work_out(desk, SUMMER - timedelta(minutes=1)) == []
    assert len(await work_out(desk, SUMMER - timedelta(minutes=1, seconds=1))) == 1


async def test_what_is_on_its_way_is_left(desk: Desk, abolished: Path) -> None:
    post = await desk.create(channel_ids=[(await desk.channel()).id], local_time=LOCAL)
    await desk.attempt(SUMMER)
    install(abolished)
    assert await work_out(desk) == []
    assert (await desk.post(post)).scheduled_at == SUMMER


async def test_many_are_worked_out_in_batches_each_once(
    desk: Desk, abolished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zone_changes, "BATCH", 3)
    channel = await desk.channel()
    found = [await desk.create(channel_ids=[channel.id], local_time=LOCAL) for _ in range(7)]
    install(abolished)
    assert sorted(move.post.id for move in await work_out(desk)) == sorted(post.id for post in found)


async def test_a_draft_that_is_scheduled_later_goes_by_the_rules_of_that_day(desk: Desk, abolished: Path) -> None:
    post = await desk.create(channel_ids=[(await desk.channel()).id], local_time=LOCAL, status="draft")
    install(abolished)
    async with desk.at() as (session, scope):
        planned = await posts.schedule(session, scope, post.id, cards=CARDS, now=NOW)
    assert planned.scheduled_at == WINTER


def test_other_rules_have_another_digest_and_the_same_have_the_same(abolished: Path) -> None:
    before = wallclock.rules_digest()
    install(abolished)
    after = wallclock.rules_digest()
    assert before != after
    assert wallclock.rules_digest() == after


async def test_rules_are_settled_two_days_after_everything_was_worked_out_by_them(desk: Desk) -> None:
    async with desk.worker.session() as session:
        assert not await zone_changes.is_settled(session, "a")
        await zone_changes.remember(session, "a", new_uuid())
        assert not await zone_changes.is_settled(session, "a")
        await _age(desk, session)
        assert await zone_changes.is_settled(session, "a")
        # Others came, and the first ones came back.
        await zone_changes.remember(session, "b", new_uuid())
        assert not await zone_changes.is_settled(session, "a")


async def _age(desk: Desk, session: object) -> None:
    from sqlalchemy import text

    await session.execute(text("UPDATE lease SET until = until - interval '2 days 1 second' WHERE name = 'zones:a'"))  # type: ignore[attr-defined]
