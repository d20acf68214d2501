"""Turns: in rounds over brands, as the lanes have room, each in one pair of hands."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.db import Database
from shared.domain import turns
from shared.domain.turns import Queue, Taken, Turn
from tests.conftest import TestDatabase

LEASE = timedelta(minutes=1)
BIG, SMALL = uuid4(), uuid4()


@pytest.fixture
async def eyes(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.worker_url)
    yield connection
    await connection.close()


async def due(
    eyes: asyncpg.Connection, brand: UUID, count: int, *, lane: str = "host", seconds: float = 60
) -> list[UUID]:
    """So many channels, due since so many seconds and a little."""
    ids = [uuid4() for _ in range(count)]
    for number, id_ in enumerate(ids):
        await eyes.execute(
            "INSERT INTO due_poll (channel_id, brand_id, lane, due_at, failures)"
            " VALUES ($1, $2, $3, clock_timestamp() - make_interval(secs => $4), 0)",
            id_, brand, lane, seconds - number / 1000,
        )  # fmt: skip
    return ids


async def claim(db: Database, limit: int = 100, taken: Taken | None = None) -> list[Turn]:
    async with db.session() as session:
        return await turns.claim(session, Queue.POLL, limit=limit, lease=LEASE, taken=taken or Taken(100))


async def test_a_brands_second_turn_comes_after_anothers_first(worker_db: Database, eyes: asyncpg.Connection) -> None:
    many = await due(eyes, BIG, 1000, seconds=600)
    [one] = await due(eyes, SMALL, 1, seconds=1)

    claimed = await claim(worker_db, 3)

    assert {turn.id for turn in claimed} == {many[0], many[1], one}


async def test_what_a_brand_has_in_hand_counts_as_its_turns(worker_db: Database, eyes: asyncpg.Connection) -> None:
    await due(eyes, BIG, 5, seconds=600)
    few = await due(eyes, SMALL, 2, seconds=1)

    claimed = await claim(worker_db, 2, Taken(100, {BIG: 7}))

    assert {turn.id for turn in claimed} == set(few)


async def test_a_lane_gives_no_more_than_it_has_room_for(worker_db: Database, eyes: asyncpg.Connection) -> None:
    for lane in ("slow", "quick", "full"):
        await due(eyes, BIG, 10, lane=lane)

    claimed = await claim(worker_db, taken=Taken(4, rooms={"slow": 1, "full": 0}))

    found = [turn.lane for turn in claimed]
    assert {lane: found.count(lane) for lane in ("slow", "quick", "full")} == {"slow": 1, "quick": 4, "full": 0}


async def test_a_turn_is_in_one_pair_of_hands(worker_db: Database, eyes: asyncpg.Connection) -> None:
    await due(eyes, BIG, 5)

    assert len(await claim(worker_db)) == 5
    assert await claim(worker_db) == []


async def test_a_claim_that_is_over_gives_nothing_back(worker_db: Database, eyes: asyncpg.Connection) -> None:
    await due(eyes, BIG, 1)
    [lost] = await claim(worker_db)
    await eyes.execute("UPDATE due_poll SET leased_until = clock_timestamp() - interval '1 second'")
    [held] = await claim(worker_db)

    async with worker_db.session() as session:
        await turns.again(session, lost, wait=timedelta(0))
        await turns.end(session, lost)

    assert await eyes.fetchval("SELECT leased_until FROM due_poll") == held.leased_until
