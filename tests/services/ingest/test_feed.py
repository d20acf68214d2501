"""A feed through the whole of ingest: its hub asks back at the door and pushes there, polls bring the same articles."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from services.ingest import handlers
from services.ingest.handlers import Worker
from shared import http
from shared.connectors.feed import Feed
from shared.contract import HookAddress, Login
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import coverage
from shared.domain.listening import inbox
from shared.domain.listening.inbox import Target
from shared.models.enums import ArrivalSource, Network
from shared.queues import Queues
from shared.vault import Vault
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.feed import Site
from tests.networks.fakes.hub import Hub
from tests.services.ingest.doorstep import Doorstep

feed = Feed()


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def worker(database: TestDatabase, worker_db: Database) -> AsyncIterator[Worker]:
    assert database.settings.redis_url is not None
    queues = Queues(database.settings.redis_url)
    async with http.client(database.settings) as client:
        yield Worker(worker_db, queues, Vault(["a key of the tests"]), client, database.settings)
    await queues.close()


def rss(*titles: str) -> bytes:
    items = "".join(
        f"<item><guid isPermaLink='false'>{n}</guid><title>{title}</title><link>/a/{n}</link>"
        "<pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate></item>"
        for n, title in enumerate(titles)
    )
    return f"<rss version='2.0'><channel><title>Dunes</title>{items}</channel></rss>".encode()


async def poll(worker: Worker, channel: HouseChannel, url: str) -> None:
    """Keep what a poll of the feed brings, and settle all that waits."""
    async with guarded() as client:
        page = await feed.poll(client, Login(url, url, {}), None)
    async with worker.db.session() as session:
        await scopes.house(session, channel.brand.brand_id)
        target = Target(channel.brand.brand_id, channel.id, channel.channel.hook_id)
        await inbox.receive(
            session, target, Network.FEED, ArrivalSource.POLL, page.arrivals, now=datetime.now(UTC)
        )  # fmt: skip
    await handlers.drain(worker)


async def test_what_the_hub_pushed_and_what_was_polled_is_one_article_in_two_versions(
    door: Doorstep, worker: Worker, owner: asyncpg.Connection, house: House, brand: HouseBrand
) -> None:
    site, hub = Site(), Hub(asks_back="first")
    async with serving(site) as one, serving(hub) as two, guarded() as client:
        url, hub_url = f"http://127.0.0.1:{one}/feed", f"http://127.0.0.1:{two}/"
        site.put("/feed", rss("soep"), headers={"link": f"<{hub_url}>; rel=hub"})
        channel = await house.channel(brand, Network.FEED, external_id=url, base_url=url)
        subscribed = await feed.subscribe(client, Login(url, url, {}), HookAddress(door.place(channel), channel.secret))
        pushed = await hub.publish(url, rss("soep"), "application/rss+xml", hub_url)
        repeated = await hub.publish(url, rss("soep"), "application/rss+xml", hub_url)
        await handlers.drain(worker)
        site.put("/feed", rss("soep van de dag", "brood"))
        await poll(worker, channel, url)
    rows = await owner.fetch("SELECT text, kind, url, published_at FROM mention WHERE heard ORDER BY external_id")
    assert subscribed is not None
    assert [status for status, _ in hub.verified] == [200]
    assert (pushed, repeated) == ([200], [200])
    assert [(row["text"], row["kind"]) for row in rows] == [("soep van de dag", "article"), ("brood", "article")]
    assert rows[0]["url"] == f"http://127.0.0.1:{one}/a/0"
    assert rows[0]["published_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert await owner.fetchval("SELECT count(*) FROM arrival WHERE source = 'webhook'") == 1
    assert await owner.fetchval("SELECT count(*) FROM arrival WHERE state = 'settled'") == 2


async def test_a_push_that_another_secret_signed_is_refused_at_the_door(
    door: Doorstep, house: House, brand: HouseBrand, owner: asyncpg.Connection
) -> None:
    channel = await house.channel(brand, Network.FEED, base_url="https://cafe.example/feed")
    answer = await door.http.post(door.place(channel), content=rss("x"), headers={"x-hub-signature": "sha1=00"})
    asked = await door.http.get(door.place(channel), params={"hub.mode": "subscribe", "hub.topic": "x"})
    assert (answer.status_code, asked.status_code) == (401, 404)
    assert await owner.fetchval("SELECT count(*) FROM arrival") == 0


async def test_a_feed_is_not_observed_by_being_connected(owner_db: Database, house: House, brand: HouseBrand) -> None:
    polled = await house.channel(brand, Network.FEED, base_url="https://cafe.example/feed")
    pushed = await house.channel(brand)
    async with owner_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        found = await coverage.intervals(session, scope, [polled.id, pushed.id])
    assert (len(found[polled.id]), len(found[pushed.id])) == (0, 1)
