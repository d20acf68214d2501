"""Every committed event gets its number once, in order, without a hole, whoever gives it."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.events import events, feed, sequencer
from shared.domain.events.events import NewEvent
from shared.domain.events.sequencer import Seat
from shared.ids import new_uuid
from shared.models import Event
from shared.models.enums import EventType
from tests.conftest import NOW, House, HouseBrand


def fact(version: int = 1, type: EventType = EventType.POST_CHANGED) -> NewEvent:
    return NewEvent(type, new_uuid(), version, {"status": "draft"})


async def happen(db: Database, brand: HouseBrand, *facts: NewEvent) -> None:
    async with db.session() as session:
        await scopes.house(session, brand.brand_id)
        await events.add(session, brand.brand_id, facts, now=NOW)


async def number(db: Database, limit: int = 1000, seat: Seat | None = None) -> list[UUID]:
    async with db.session() as session:
        return await sequencer.number(session, limit=limit, seat=seat)


async def read(db: Database, brand: HouseBrand, after: int = 0, *types: EventType) -> list[Event]:
    async with db.reading() as session:
        scope = await scopes.house(session, brand.brand_id)
        return await feed.after(session, scope, after=after, types=types)


async def test_an_event_has_no_number_before_the_sequencer_gives_it(worker_db: Database, brand: HouseBrand) -> None:
    await happen(worker_db, brand, fact())
    assert await read(worker_db, brand) == []


async def test_events_are_numbered_in_the_order_in_which_they_were_written(
    worker_db: Database, brand: HouseBrand
) -> None:
    await number(worker_db)
    before = await read(worker_db, brand)
    facts = [fact() for _ in range(5)]
    await happen(worker_db, brand, *facts)
    assert await number(worker_db) == [brand.brand_id]
    found = await read(worker_db, brand, len(before))
    assert [event.thing_id for event in found] == [one.thing_id for one in facts]
    assert [event.seq for event in found] == [len(before) + n for n in range(1, 6)]


async def test_a_small_limit_leaves_the_rest_for_the_next_round(worker_db: Database, brand: HouseBrand) -> None:
    await number(worker_db)
    last = len(await read(worker_db, brand))
    await happen(worker_db, brand, *[fact() for _ in range(3)])
    await number(worker_db, 2)
    assert len(await read(worker_db, brand, last)) == 2
    await number(worker_db, 2)
    assert len(await read(worker_db, brand, last)) == 3
    assert await number(worker_db, 2) == []


async def test_a_slow_transaction_gets_a_later_number_and_is_not_lost(worker_db: Database, brand: HouseBrand) -> None:
    await number(worker_db)
    last = len(await read(worker_db, brand))
    slow, fast = fact(), fact()
    async with worker_db.session() as session:
        await scopes.house(session, brand.brand_id)
        await events.add(session, brand.brand_id, [slow], now=NOW)
        await happen(worker_db, brand, fast)
        await number(worker_db)
        seen = await read(worker_db, brand, last)
        assert [event.thing_id for event in seen] == [fast.thing_id]
    await number(worker_db)
    assert [event.thing_id for event in await read(worker_db, brand, last + 1)] == [slow.thing_id]


async def test_two_sequencers_at_once_number_each_event_once(
    worker_db: Database, house: House, brand: HouseBrand
) -> None:
    other = await house.brand("Zee")
    for _ in range(20):
        await happen(worker_db, brand, fact(), fact())
        await happen(worker_db, other, fact())
    for _ in range(60):
        await asyncio.gather(*[number(worker_db, 3) for _ in range(3)])
    for one in (brand, other):
        seqs = [event.seq for event in await read(worker_db, one)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= 20
    async with worker_db.reading() as session:
        assert await sequencer.number(session, limit=1) == []


async def test_another_waits_until_the_lease_of_the_first_is_over(worker_db: Database, brand: HouseBrand) -> None:
    first = Seat(new_uuid(), timedelta(seconds=3))
    await happen(worker_db, brand, fact())
    assert await number(worker_db, seat=first) != []
    await happen(worker_db, brand, fact())
    second = Seat(new_uuid(), timedelta(seconds=0.5))
    assert await number(worker_db, seat=second) == []
    await asyncio.sleep(3)
    assert await number(worker_db, seat=second) == [brand.brand_id]


async def test_one_that_is_stopped_while_it_numbers_gives_the_others_way(
    worker_db: Database, brand: HouseBrand
) -> None:
    await happen(worker_db, brand, fact())
    async with worker_db.session() as stopped:
        assert await sequencer.number(stopped, limit=10, seat=Seat(new_uuid(), timedelta(0))) != []
        assert await number(worker_db) == []
        patience = await stopped.execute(text("SHOW idle_in_transaction_session_timeout"))
        assert patience.scalar_one() == "5s"
        await stopped.rollback()
    assert await number(worker_db) == [brand.brand_id]


async def test_types_choose_what_is_read(worker_db: Database, brand: HouseBrand) -> None:
    await number(worker_db)
    last = len(await read(worker_db, brand))
    await happen(worker_db, brand, fact(), fact(type=EventType.MENTION_RECORDED))
    await number(worker_db)
    found = await read(worker_db, brand, last, EventType.MENTION_RECORDED)
    assert [event.type for event in found] == [EventType.MENTION_RECORDED]


async def test_another_brand_sees_nothing(worker_db: Database, house: House, brand: HouseBrand) -> None:
    await happen(worker_db, brand, fact())
    await number(worker_db)
    other = await house.brand("Zee")
    await number(worker_db)
    mine = {event.id for event in await read(worker_db, brand)}
    assert mine.isdisjoint(event.id for event in await read(worker_db, other))
