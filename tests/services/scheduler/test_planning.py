"""What the scheduler does in calendars by itself."""

import zoneinfo
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest
from sqlalchemy import text

from services.scheduler import planning
from services.scheduler.house import House as Shop
from shared import http
from shared.connectors.registry import CARDS
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostDraft
from shared.domain.publishing.planning import occurring, wallclock
from shared.domain.publishing.planning.recurrences import RecurrenceDraft
from shared.queues import Queues
from tests.conftest import NOW, House, HouseBrand, TestDatabase

CREDENTIALS = {"url": "http://127.0.0.1:9/posts", "secret": "whsec_c2VjcmV0"}


@pytest.fixture
async def shop(database: TestDatabase, worker_db: Database, house: House) -> AsyncIterator[Shop]:
    assert database.settings.redis_url is not None
    queues = Queues(database.settings.redis_url)
    async with http.client(database.settings) as client:
        yield Shop(worker_db, queues, house.vault, client, database.settings, clock=lambda: NOW)
    await queues.close()


def at(shop: Shop, now: datetime) -> Shop:
    return Shop(shop.db, shop.queues, shop.vault, shop.http, shop.settings, clock=lambda: now)


@pytest.fixture
def summerless(tmp_path: Path) -> Iterator[Path]:
    """Rules in which Brussels keeps winter time."""
    rules = resources.files("tzdata").joinpath("zoneinfo", "Africa", "Algiers").read_bytes()
    path = tmp_path / "rules" / "Europe" / "Brussels"
    path.parent.mkdir(parents=True)
    path.write_bytes(rules)
    before = zoneinfo.TZPATH
    yield tmp_path / "rules"
    zoneinfo.reset_tzpath(to=before)
    wallclock.read_rules_again()


async def begin(shop: Shop, house: House, brand: HouseBrand, rule: str) -> None:
    channel = await house.channel(brand, credentials=CREDENTIALS)
    async with shop.db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        draft = RecurrenceDraft(text="Soup", rule=rule, local_time="10:00", channel_ids=[channel.id])
        await occurring.create(session, scope, draft=draft, cards=CARDS, now=NOW)


async def test_recurrences_of_all_brands_go_on(shop: Shop, house: House, brand: HouseBrand) -> None:
    for one in (brand, await house.brand("Zee")):
        await begin(shop, house, one, "FREQ=DAILY;COUNT=90")
    assert await planning.go_on(shop) == 0
    later = at(shop, NOW + timedelta(days=3))
    assert await planning.go_on(later) == 6
    assert await planning.go_on(later) == 0


async def test_one_that_breaks_holds_no_other_up(shop: Shop, house: House, brand: HouseBrand) -> None:
    await begin(shop, house, brand, "FREQ=DAILY;COUNT=90")
    await begin(shop, house, brand, "FREQ=DAILY;COUNT=90")
    async with house.owner_db.session() as session:
        await scopes.house(session, brand.brand_id)
        broken = "UPDATE recurrence SET timezone = 'Mars/Base' WHERE id = (SELECT min(id::text)::uuid FROM recurrence)"
        await session.execute(text(broken))
    later = at(shop, NOW + timedelta(days=3))
    assert await planning.go_on(later) == 3
    assert await planning.go_on(later) == 0


async def test_moments_follow_other_rules_once(shop: Shop, house: House, brand: HouseBrand, summerless: Path) -> None:
    channel = await house.channel(brand, credentials=CREDENTIALS)
    async with shop.db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        draft = PostDraft(text="x", channel_ids=[channel.id], local_time="2027-07-01T10:00")
        post = await posts.create(session, scope, draft=draft, cards=CARDS, now=NOW)
    assert await planning.follow_zones(shop) == 0
    zoneinfo.reset_tzpath(to=[str(summerless)])
    assert await planning.follow_zones(shop) == 1
    assert await planning.follow_zones(shop) == 0
    async with shop.db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        assert (await posts.get(session, scope, post.id)).scheduled_at == datetime(2027, 7, 1, 9, tzinfo=UTC)
