"""A month in a minute: brands on the practice network follow its clock, and only they."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlmodel import select

from services.sandbox.app import create_app
from services.scheduler.clocks import Clocks
from services.scheduler.worker import Scheduler
from shared.connectors.registry import CARDS, CLOCKS
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostDraft
from shared.domain.scope import Scope
from shared.models.enums import Network, PostStatus
from shared.models.post import DueOutgoing, Post, Variant
from tests.conftest import HouseChannel
from tests.services.sandbox.conftest import served
from tests.services.scheduler.conftest import Yard, receiver, until

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Square:
    """The practice network with a page of the brand on it, and what a frontend's author does there."""

    yard: Yard
    network: httpx.AsyncClient
    channel: HouseChannel

    async def move(self, at: datetime | None) -> None:
        answer = await self.network.post("/api/clock", json={"at": None if at is None else at.isoformat()})
        assert answer.status_code == 200, answer.text

    async def posted(self) -> list[str]:
        """The texts on the network, in the order in which they came there."""
        found = (await self.network.get("/api/posts", params={"account": "dunes"})).json()["posts"]
        return [post["text"] for post in reversed(found)]

    async def scope(self) -> Scope:
        async with self.yard.app.reading() as session:
            return await scopes.house_at(session, self.yard.brand.brand_id)

    async def is_at(self, moment: datetime) -> bool:
        """Whether it is about that time for the brand."""
        return abs((await self.scope()).now(datetime.now(UTC)) - moment) < timedelta(seconds=30)

    async def plan(self, text: str, at: datetime) -> Post:
        async with self.yard.app.session() as session:
            scope = await scopes.house_at(session, self.yard.brand.brand_id)
            draft = PostDraft.model_validate(
                {"text": text, "channel_ids": [str(self.channel.id)], "scheduled_at": at.isoformat()}
            )
            return await posts.create(session, scope, draft=draft, cards=CARDS, now=datetime.now(UTC))

    async def variants(self, planned: list[Post]) -> list[Variant]:
        async with self.yard.app.reading() as session:
            scope = await scopes.house_at(session, self.yard.brand.brand_id)
            found = await posts.variants_of(session, scope, [post.id for post in planned])
        return [found[post.id][0] for post in planned]

    async def are_out(self, planned: list[Post]) -> bool:
        return all(variant.published_at is not None for variant in await self.variants(planned))


@asynccontextmanager
async def square(yard: Yard, folder: Path) -> AsyncIterator[Square]:
    async with (
        served(lambda url: create_app(folder / "sandbox" / "sandbox.db", url)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        opened = (await client.post("/api/accounts", json={"account": "dunes"})).json()
        there = await yard.house.channel(
            yard.brand,
            Network.SANDBOX,
            external_id="dunes",
            base_url=url,
            credentials={"access_token": opened["token"]},
        )
        yield Square(yard, client, there)


def test_only_the_practice_network_keeps_a_time_of_its_own() -> None:
    assert CLOCKS.keys() == {Network.SANDBOX} == {network for network, card in CARDS.items() if card.keeps_time}


async def test_a_month_of_posts_goes_out_once_each_in_order_when_the_clock_is_moved_to_its_end_and_never_again(
    yard: Yard, tmp_path: Path
) -> None:
    async with square(yard, tmp_path) as here, yard.scheduler():
        await yard.house.channel(yard.brand, Network.GENERIC)  # one that only hears
        begin = datetime.now(UTC)
        moments = [begin + number * DAY + timedelta(minutes=number) for number in range(1, 31)]
        planned = [await here.plan(f"dag {number}", moments[number - 1]) for number in (*range(30, 0, -1),)][::-1]
        texts = [f"dag {number}" for number in range(1, 31)]

        await here.move(begin + 31 * DAY)
        await until(lambda: here.are_out(planned), 60)

        assert await here.posted() == texts
        for variant, moment in zip(await here.variants(planned), moments, strict=True):
            assert variant.published_at is not None
            assert moment <= variant.published_at < moment + timedelta(hours=1), "by the brand's time"
        await until(lambda: here.is_at(begin + 31 * DAY), 20)

        await here.move(begin)
        await until(lambda: here.is_at(datetime.now(UTC)), 10)
        again = await here.plan("nog een", begin + DAY)
        await here.move(begin + 40 * DAY)
        await until(lambda: here.are_out([again]), 60)
        assert await here.posted() == [*texts, "nog een"]


async def test_what_people_say_of_time_while_the_clock_is_moved_is_meant_by_it(yard: Yard, tmp_path: Path) -> None:
    async with square(yard, tmp_path) as here, yard.scheduler():
        there = datetime.now(UTC) + 100 * DAY
        await here.move(there)
        await until(lambda: here.is_at(there), 30)
        soon = await here.plan("straks", there + timedelta(seconds=10))
        later = await here.plan("morgen", there + DAY)
        await until(lambda: here.are_out([soon]), 30)
        assert await here.posted() == ["straks"]
        assert not await here.are_out([later])


async def test_moved_back_what_was_due_waits_for_its_moment_again(yard: Yard, tmp_path: Path) -> None:
    async with square(yard, tmp_path) as here, yard.scheduler():
        there = datetime.now(UTC) + 10 * DAY
        await here.move(there)
        await until(lambda: here.is_at(there), 30)
        planned = await here.plan("straks", there + timedelta(hours=1))
        await here.move(None)
        await until(lambda: here.is_at(datetime.now(UTC)), 10)
        row = await _due_at(yard)
        assert abs(row - (there + timedelta(hours=1))) < timedelta(seconds=5)
        assert await yard.status(planned) is PostStatus.SCHEDULED
        assert await here.posted() == []


async def test_a_brand_that_is_on_another_network_too_keeps_the_real_time(yard: Yard, tmp_path: Path) -> None:
    async with square(yard, tmp_path) as here, receiver() as far, yard.scheduler() as scheduler:
        other = await yard.channel(far)
        await here.move(datetime.now(UTC) + DAY)
        await _rounds(scheduler, 3)
        assert (await here.scope()).ahead == timedelta(0)
        async with yard.app.session() as session:
            scope = await scopes.house(session, yard.brand.brand_id)
            await channels.remove(session, scope, other.id, now=datetime.now(UTC))
        await until(lambda: here.is_at(datetime.now(UTC) + DAY), 60)
        await yard.channel(far)
        await until(lambda: here.is_at(datetime.now(UTC)), 10)


async def test_while_the_network_is_away_the_brands_time_goes_on_as_it_was(yard: Yard, tmp_path: Path) -> None:
    async with square(yard, tmp_path) as here, yard.scheduler():
        await here.move(datetime.now(UTC) + DAY)
        await until(lambda: here.is_at(datetime.now(UTC) + DAY), 30)
    async with yard.scheduler() as scheduler:
        await _rounds(scheduler, 3)
        assert await here.is_at(datetime.now(UTC) + DAY)


async def test_without_a_brand_there_the_network_is_not_asked(yard: Yard) -> None:
    async with receiver() as far, yard.scheduler() as scheduler:
        await yard.channel(far)
        assert await scheduler._clocks.round() == 1.0
        assert scheduler._clocks._places == {}


async def _rounds(scheduler: Scheduler, count: int) -> None:
    """So many rounds of the clock loop, whoever else turns it."""
    clocks: Clocks = scheduler._clocks
    for _ in range(count):
        await clocks.round()


async def _due_at(yard: Yard) -> datetime:
    """When the one effect that waits is tried, in real time."""
    async with yard.app.reading() as session:
        await scopes.house(session, yard.brand.brand_id)
        return (await session.execute(select(DueOutgoing.due_at))).scalar_one()
