"""A Mastodon account through the whole of ingest: what was polled, looked at again, passed over, as it is recorded."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from services.ingest import handlers
from services.ingest.handlers import Worker
from shared import http
from shared.contract import RawArrival
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import inbox
from shared.domain.listening.inbox import Target
from shared.models.enums import ArrivalSource, Network
from shared.queues import Queues
from shared.vault import Vault
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.connectors.mastodon_world import World, mastodon, world
from tests.networks.fakes.mastodon import refused


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


async def connect(house: House, brand: HouseBrand, here: World) -> HouseChannel:
    login = here.login
    return await house.channel(
        brand,
        Network.MASTODON,
        external_id=login.channel_external_id,
        base_url=login.base_url,
        credentials=dict(login.credentials),
    )


async def keep(worker: Worker, channel: HouseChannel, arrivals: Sequence[RawArrival], source: ArrivalSource) -> None:
    """Keep what came, and settle all that waits."""
    async with worker.db.session() as session:
        await scopes.house(session, channel.brand.brand_id)
        target = Target(channel.brand.brand_id, channel.id, channel.channel.hook_id)
        await inbox.receive(session, target, Network.MASTODON, source, arrivals, now=datetime.now(UTC))
    await handlers.drain(worker)


async def test_an_answer_hangs_below_our_own_status_whatever_came_first(
    worker: Worker, owner: asyncpg.Connection, house: House, brand: HouseBrand
) -> None:
    async with world() as here:
        channel = await connect(house, brand, here)
        post = here.instance.say(here.cafe, "verse koffiekoeken")
        reply = here.instance.say(here.lea, "ik kom", to=[here.cafe], reply_to=post)
        arrivals, _ = await here.poll(None)
        for _ in range(2):
            await keep(worker, channel, arrivals, ArrivalSource.POLL)
    rows = await owner.fetch(
        "SELECT m.external_id, p.external_id AS parent, m.author_kind, m.thread_id FROM mention m"
        " LEFT JOIN mention p ON p.brand_id = m.brand_id AND p.id = m.parent_id WHERE m.heard ORDER BY m.external_id"
    )
    assert [(row["external_id"], row["parent"], row["author_kind"]) for row in rows] == [
        (post, None, "brand"),
        (reply, post, "consumer"),
    ]
    assert rows[0]["thread_id"] == rows[1]["thread_id"]


async def test_what_looking_again_finds_ends_as_an_edit_with_its_history_and_as_a_deletion(
    worker: Worker, owner: asyncpg.Connection, house: House, brand: HouseBrand
) -> None:
    async with world() as here:
        channel = await connect(house, brand, here)
        edited, gone = (here.instance.say(here.lea, text, to=[here.cafe]) for text in ("slegt", "oei"))
        arrivals, _ = await here.poll(None)
        await keep(worker, channel, arrivals, ArrivalSource.POLL)
        here.instance.edit(edited, "slecht")
        here.instance.delete(gone)
        again = await mastodon.recheck(here.http, here.login, [edited, gone])
        await keep(worker, channel, again, ArrivalSource.FETCH)
    rows = await owner.fetch("SELECT text, edited_at, deleted_at FROM mention ORDER BY external_id")
    history = await owner.fetch("SELECT text FROM edit WHERE text IS NOT NULL ORDER BY edited_at NULLS FIRST")
    assert [(row["text"], row["deleted_at"] is None) for row in rows] == [("slecht", True), (None, False)]
    assert rows[0]["edited_at"] is not None
    assert [row["text"] for row in history] == ["@cafe@fake.example slegt", "slecht"]


async def test_a_source_that_was_passed_over_is_an_ignored_arrival_with_its_reason(
    worker: Worker, owner: asyncpg.Connection, house: House, brand: HouseBrand
) -> None:
    async with world() as plain:
        here = plain.following("#thee")
        channel = await connect(house, brand, here)
        here.instance.fault("/api/v1/timelines", refused(503))
        arrivals, _ = await here.poll(None)
        await keep(worker, channel, arrivals, ArrivalSource.POLL)
    [row] = await owner.fetch("SELECT state, ignored::text FROM arrival")
    assert row["state"] == "ignored"
    assert "#thee: passed over" in row["ignored"]


async def test_a_status_that_two_channels_see_is_two_mentions_at_one_address(
    worker: Worker, owner: asyncpg.Connection, house: House, brand: HouseBrand
) -> None:
    async with world() as one, world() as other:
        second = other.instance.join("bakker")
        token = {"access_token": other.instance.login(second)}
        bakker = replace(other, login=replace(other.login, channel_external_id=second, credentials=token))
        for here in (one.following("#koffie"), bakker.following("#koffie")):
            channel = await connect(house, brand, here)
            here.instance.say(here.lea, "mmm", tags=["koffie"], url="https://elsewhere.example/@lea/1")
            arrivals, _ = await here.poll(None)
            await keep(worker, channel, arrivals, ArrivalSource.POLL)
    rows = await owner.fetch("SELECT url, channel_id FROM mention WHERE heard")
    assert [row["url"] for row in rows] == ["https://elsewhere.example/@lea/1"] * 2
    assert len({row["channel_id"] for row in rows}) == 2
