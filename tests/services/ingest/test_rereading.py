"""Reading anew after an upgrade: all of a channel, in batches, against no person's word."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from services.ingest import rereading
from services.ingest.handlers import Worker
from shared import http
from shared.analysis.deep import Mood
from shared.analysis.reading import Reading, Text
from shared.contract import Deleted
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain import turns
from shared.domain.insight import rollups
from shared.domain.listening import backfills, corrections, readings, record, rereadings
from shared.domain.listening.merge import thing_key
from shared.domain.listening.readings import Readings
from shared.domain.turns import Queue, Taken, Turn
from shared.errors import Conflict
from shared.ids import new_uuid
from shared.models import Operation
from shared.models.enums import Network, OperationStatus, Sentiment
from shared.queues import Queues
from shared.vault import Vault
from tests.conftest import NOW, House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening import words
from tests.domain.listening.test_record import at, hear, said

NEWER = "more-words"


def newer(batch: Sequence[Text]) -> list[Reading]:
    """An upgrade: it knows that `fine` is glad."""
    told = [replace(text, text=(text.text or "").replace("fine", "good")) for text in batch]
    return [replace(reading, model=NEWER) for reading in words.read(told)]


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
async def worker(database: TestDatabase, worker_db: Database) -> AsyncIterator[Worker]:
    assert database.settings.redis_url is not None
    queues = Queues(database.settings.redis_url)
    async with http.client(database.settings) as client:
        yield Worker(worker_db, queues, Vault(["a key of the tests"]), client, database.settings, reader=newer)
    await queues.close()


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


async def start(db: Database, channel: HouseChannel, since: datetime = rereadings.EVER) -> Operation:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        return await rereadings.start(session, scope, channel.id, since=since, now=NOW)


async def operation(db: Database, channel: HouseChannel, made: Operation) -> Operation:
    async with db.session() as session:
        return await backfills.get(session, await scopes.house(session, channel.brand.brand_id), made.id)


async def turn_of(db: Database) -> Turn:
    async with db.session() as session:
        (turn,) = await turns.claim(session, Queue.OPERATION, limit=9, lease=timedelta(minutes=1), taken=Taken(4))
        return turn


async def finish(worker: Worker) -> int:
    """Take turns until there is no further one; how many."""
    turn, taken = await turn_of(worker.db), 1
    while (await rereading.act(worker, turn)).wait is not None:
        taken += 1
    return taken


async def moods(owner: asyncpg.Connection) -> dict[str, Any]:
    rows = await owner.fetch("SELECT external_id, sentiment FROM mention")
    return {row["external_id"]: row["sentiment"] for row in rows}


async def _row(owner: asyncpg.Connection, sql: str) -> tuple[Any, ...]:
    row = await owner.fetchrow(sql)
    assert row is not None
    return tuple(row)


async def test_what_another_model_read_is_read_anew(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    await hear(worker.db, channel, said("a", "fine"), said("b", "bad"), said("c", None))
    await hear(worker.db, channel, said("d", "fine"), reader=None)
    made = await start(worker.db, channel)

    await finish(worker)

    assert await moods(owner) == {"a": "positive", "b": "negative", "c": None, "d": "positive"}
    done = await operation(worker.db, channel, made)
    assert (done.status, done.mentions, done.changed) == (OperationStatus.SUCCEEDED, 3, 2)
    assert backfills.progress(done)["message"] == "3 mentions read again, 2 read otherwise"
    assert await owner.fetchval("SELECT count(*) FROM mention WHERE read_by = $1", NEWER) == 3


async def test_only_what_is_read_otherwise_is_told(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    await hear(worker.db, channel, said("a", "fine"), said("b", "bad"))
    await start(worker.db, channel)
    await finish(worker)
    told = await owner.fetch(
        "SELECT m.external_id FROM event e JOIN mention m ON m.id = e.thing_id WHERE e.type = 'mention.changed'"
    )
    assert [row["external_id"] for row in told] == ["a"]


async def test_the_sums_follow(worker: Worker, owner: asyncpg.Connection, channel: HouseChannel) -> None:
    await hear(worker.db, channel, said("a", "fine"), said("b", "bad"), said("c", "fine"))
    await start(worker.db, channel)
    await finish(worker)
    assert await _row(owner, "SELECT positive, neutral, negative FROM rollup_hour") == (2, 0, 1)
    async with worker.db.session() as session:
        await scopes.house(session, channel.brand.brand_id)
        zone, brand_id = ZoneInfo("Europe/Brussels"), channel.brand.brand_id
        assert await rollups.recount(session, brand_id, zone, at(-60 * 24 * 30), at(60 * 24)) == []


async def test_a_persons_word_outlasts_an_upgrade(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    await hear(worker.db, channel, said("a", "fine"))
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        id_ = await owner.fetchval("SELECT id FROM mention")
        await corrections.correct(
            session, scope, id_, said=corrections.Said(Sentiment.NEGATIVE, (), "de"), ears=worker.ears, now=NOW
        )  # fmt: skip
    await start(worker.db, channel)
    await finish(worker)
    row = await _row(owner, "SELECT sentiment, intents, language, read_by FROM mention")
    assert row == ("negative", [], "de", NEWER)


async def test_it_goes_in_batches_and_reads_each_mention_once(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereadings, "AT_ONCE", 2)
    await hear(worker.db, channel, *(said(str(n), f"fine {n}") for n in range(5)))
    made = await start(worker.db, channel)
    assert await finish(worker) == 3
    assert (await operation(worker.db, channel, made)).mentions == 5
    assert set((await moods(owner)).values()) == {"positive"}


async def test_only_what_was_published_since_then_is_read(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    await hear(worker.db, channel, said("old", "fine", published_at=at(-90)), said("new", "fine", published_at=at(-30)))
    await start(worker.db, channel, since=at(-60))
    await finish(worker)
    assert await moods(owner) == {"old": "neutral", "new": "positive"}


async def test_a_deep_reading_stays_and_what_the_newer_fast_model_says_is_kept_beside_it(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    await hear(worker.db, channel, said("a", "fine"))
    mood = Mood("negative", 0.8, (0.8, 0.1, 0.1))
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        key = thing_key(Network.GENERIC, str(channel.id), "a")
        await record.rewrite(session, scope, [key], partial(readings.take_deep, mood=mood, version="deep"), now=NOW)
    await start(worker.db, channel)
    await finish(worker)
    row = await _row(owner, "SELECT sentiment, deep_by, fast_sentiment, read_by FROM mention")
    assert row == ("negative", "deep", "positive", NEWER)


async def test_what_is_deleted_meanwhile_stays_without_a_reading(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    await hear(worker.db, channel, said("a", "fine"))
    made = await start(worker.db, channel)
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        found = await rereadings.stale(session, scope, made, version=NEWER)
    await hear(worker.db, channel, Deleted("a", at(5)))
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        done = await rereadings.advance(session, scope, made, found, Readings(newer), ears=worker.ears, now=NOW)
    assert done is not None
    assert await _row(owner, "SELECT sentiment, read_by FROM mention") == (None, None)


async def test_the_same_batch_twice_is_counted_once(worker: Worker, channel: HouseChannel) -> None:
    await hear(worker.db, channel, said("a", "fine"))
    made = await start(worker.db, channel)
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        found = await rereadings.stale(session, scope, made, version=NEWER)
    kept = []
    for _ in range(2):
        async with worker.db.session() as session:
            scope = await scopes.house(session, channel.brand.brand_id)
            kept.append(
                await rereadings.advance(session, scope, made, found, Readings(newer), ears=worker.ears, now=NOW)
            )
    assert [one is None for one in kept] == [False, True]
    assert (await operation(worker.db, channel, made)).mentions == 1


async def test_it_can_be_called_off(worker: Worker, owner: asyncpg.Connection, channel: HouseChannel) -> None:
    await hear(worker.db, channel, said("a", "fine"))
    made = await start(worker.db, channel)
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await backfills.cancel(session, scope, made.id, now=NOW)
    assert await finish(worker) == 1
    assert await moods(owner) == {"a": "neutral"}


async def test_a_channel_is_read_anew_by_one_operation_at_a_time(worker: Worker, channel: HouseChannel) -> None:
    await start(worker.db, channel)
    with pytest.raises(Conflict):
        await start(worker.db, channel)


async def test_a_turn_of_an_operation_that_is_not_there_is_the_last(worker: Worker, channel: HouseChannel) -> None:
    nobody = Turn(
        Queue.OPERATION, new_uuid(), channel.brand.brand_id, channel.id, "reading", 0, datetime.now(UTC), NOW
    )  # fmt: skip
    assert (await rereading.act(worker, nobody)).wait is None
