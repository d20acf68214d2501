"""What waits, and since when: right in each queue, and as cheap with many settled arrivals behind it as with none."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event, text

from shared.db import Database
from shared.domain import waiting
from shared.domain.waiting import Queue, Waiting
from tests.conftest import HouseBrand, TestDatabase

ARRIVALS = """
INSERT INTO arrival (id, hook_id, key, network, source, unattributed, headers, body, stamp, received_at, state,
                     claimed_until, claims, settled_at, problems, ignored, mention_keys)
SELECT uuidv7(), $1, gen_random_uuid()::text, 'generic', 'webhook', false, '{}', 'x', now(), now() - $2::interval,
       $3::text, now() + $4::interval, 0, CASE WHEN $3::text <> 'received' THEN now() END, '[]', '[]', '{}'
  FROM generate_series(1, $5)
"""


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


async def arrive(
    owner: "asyncpg.Connection[Any]", count: int = 1, *, state: str = "received", minutes: float = 0,
    held: timedelta | None = None,
) -> None:  # fmt: skip
    await owner.execute(ARRIVALS, uuid.uuid4(), timedelta(minutes=minutes), state, held, count)


async def look(worker_db: Database) -> Waiting:
    async with worker_db.reading() as session:
        return await waiting.look(session)


async def queue(worker_db: Database, name: str) -> Queue:
    found: Queue = next(one for one in (await look(worker_db)).queues if one.name == name)
    return found


async def test_an_empty_house_waits_for_nothing(worker_db: Database, database: TestDatabase) -> None:
    found = await look(worker_db)
    assert {(one.length, one.oldest) for one in found.queues} == {(0, 0.0)}
    assert found.shelved == {"dead": 0, "unreadable": 0}


async def test_arrivals_that_are_free_and_those_in_hand_are_told_apart(
    worker_db: Database, owner: "asyncpg.Connection[Any]"
) -> None:
    await arrive(owner, 3, minutes=2)
    await arrive(owner, 2, minutes=5, held=timedelta(minutes=1))
    await arrive(owner, 1, minutes=9, held=timedelta(minutes=-1))

    free, held = await queue(worker_db, "arrivals"), await queue(worker_db, "arrivals_claimed")
    assert (free.length, held.length) == (4, 2)
    assert 9 * 60 <= free.oldest < 10 * 60
    assert 5 * 60 <= held.oldest < 6 * 60


async def test_arrivals_that_nobody_could_settle_are_counted_by_state(
    worker_db: Database, owner: "asyncpg.Connection[Any]"
) -> None:
    for state, count in (("dead", 2), ("unreadable", 3), ("settled", 4), ("ignored", 5)):
        await arrive(owner, count, state=state)
    assert (await look(worker_db)).shelved == {"dead": 2, "unreadable": 3}


async def test_only_what_is_due_waits_to_be_polled_and_sent(
    worker_db: Database, owner: "asyncpg.Connection[Any]", brand: HouseBrand
) -> None:
    for minutes, failures in ((-3, 1), (3, 0)):
        at = timedelta(minutes=minutes)
        await owner.execute(
            "INSERT INTO due_poll (channel_id, brand_id, due_at, failures) VALUES (uuidv7(), $1, now() + $2, $3)",
            brand.brand_id, at, failures,
        )  # fmt: skip
        await owner.execute(
            "INSERT INTO due_outgoing (outgoing_id, brand_id, lane, due_at, fence)"
            " VALUES (uuidv7(), $1, 'x', now() + $2, 0)",
            brand.brand_id, at,
        )  # fmt: skip

    found = await look(worker_db)
    lengths = {one.name: one.length for one in found.queues}
    assert (lengths["polls"], lengths["outgoing"], found.failing_polls) == (1, 1, 1)
    assert 180 <= (await queue(worker_db, "polls")).oldest < 240


async def test_an_events_age_is_that_of_its_id(
    worker_db: Database, owner: "asyncpg.Connection[Any]", brand: HouseBrand
) -> None:
    for age in (timedelta(minutes=-4), timedelta(0)):
        await owner.execute(
            "INSERT INTO event_queue (brand_id, event_id) VALUES ($1, uuidv7($2::interval))", brand.brand_id, age
        )
    events = await queue(worker_db, "events")
    assert events.length == 2
    assert 240 <= events.oldest < 300


async def test_no_question_reads_what_is_settled(worker_db: Database, owner: "asyncpg.Connection[Any]") -> None:
    await arrive(owner, 30_000, state="settled")
    await arrive(owner, 20, minutes=1)
    await owner.execute("ANALYZE arrival")
    asked: list[str] = []
    event.listen(worker_db.engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    await look(worker_db)

    about = [question for question in asked if "FROM arrival" in question]
    async with worker_db.reading() as session:
        plans = ["\n".join((await session.execute(text(f"EXPLAIN {question}"))).scalars()) for question in about]
    assert ["ix_arrival_waiting" in plans[0], "ix_arrival_shelved" in plans[1]] == [True, True]
    assert [plan for plan in plans if "Seq Scan on arrival" in plan] == []
