"""What the fast model doubts is read deep: the newest first, once, of the text that stands, and against no person."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from shared.analysis.deep import Mood
from shared.analysis.reading import Text
from shared.contract import Counted, Deleted
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.insight import reads, rollups
from shared.domain.listening import corrections, deepenings, doubts, record
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.corrections import Said
from shared.domain.listening.deepenings import Look, Read, Settled
from shared.domain.listening.doubts import Cascade
from shared.domain.listening.ears import Ears
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.readings import Readings
from shared.models.enums import Network, Sentiment
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening import words
from tests.domain.listening.test_record import T0, at, one, said

LEASE = timedelta(minutes=1)
ZONE = ZoneInfo("Europe/Brussels")
_MOOD = (
    "SELECT sentiment, sentiment_score, deep_by, fast_sentiment, fast_score, read_by, version FROM mention"
    " WHERE external_id = 'a'"
)
_WAITING = "SELECT count(*) FROM deepening"
_DUE = "SELECT count(*) FROM due_deepening"


def glad(batch: Sequence[Text]) -> list[Mood | None]:
    """A deep reader who finds the good in everything but what is bad."""
    return [
        Mood("negative", 0.97, (0.97, 0.02, 0.01))
        if "bad" in (text.text or "")
        else Mood("positive", 0.91, (0, 0.09, 0.91))
        for text in batch
    ]


CASCADE = Cascade(glad, "deep-1", lambda language, score: score < 0.7)


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def hear(
    db: Database, channel: HouseChannel, *heard: Any, cascade: Cascade | None = CASCADE, now: Any = T0
) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        part = HeardPart(channel.id, Network.GENERIC, str(channel.id), heard)
        await record.record(session, scope, [part], now=now, readings=Readings(words.read), cascade=cascade)


async def claim(db: Database) -> Look | None:
    async with db.session() as session:
        return await deepenings.claim(session, lease=LEASE)


async def read(db: Database, look: Look, *, limit: int = 9, now: Any = T0) -> list[Read]:
    async with db.session() as session:
        scope = await scopes.house(session, look.brand_id)
        taken = await deepenings.take(session, scope, limit=limit, now=now)
    return [Read(waiting, glad([waiting.text])[0] if waiting.text else None) for waiting in taken.waiting]


async def settle(db: Database, look: Look, found: Sequence[Read], version: str = "deep-1") -> Settled | None:
    async with db.session() as session:
        scope = await scopes.house(session, look.brand_id)
        return await deepenings.settle(session, scope, look, found, version, ears=Ears(), now=T0)


async def turn(db: Database, **more: Any) -> Settled | None:
    look = await claim(db)
    assert look is not None
    return await settle(db, look, await read(db, look, **more))


async def correct(db: Database, channel: HouseChannel, id_: Any, sentiment: Sentiment) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await corrections.correct(session, scope, id_, said=Said(sentiment=sentiment), ears=Ears(), now=T0)


async def test_a_mood_that_the_fast_model_doubts_is_read_deep_and_both_are_kept(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    assert await turn(worker_db) == Settled(changed=1)
    row = await one(database, _MOOD)
    assert (row["sentiment"], row["sentiment_score"], row["deep_by"]) == ("positive", 0.91, "deep-1")
    assert (row["fast_sentiment"], row["fast_score"], row["read_by"]) == ("neutral", 0.5, words.VERSION)
    async with worker_db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        told = await reads.models(session, scope, ZONE, at(-60 * 48), at(60 * 48), MentionFilter())
        assert await reads.recount(session, channel.brand.brand_id, ZONE, at(-60 * 48), at(60 * 48)) == []
    assert told == [reads.Model(f"{words.VERSION} deep-1", 1, 0)]


async def test_what_the_fast_model_is_sure_of_does_not_wait(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "so very bad why"), said("b", None), Deleted("c", at(0)))
    assert (await one(database, _WAITING))[0] == 0
    assert await claim(worker_db) is None


@pytest.mark.parametrize("counted", [{"likes": 90, "shares": 10}, {"views": 10_000}], ids=["answers", "reach"])
async def test_what_is_far_reaching_is_read_deep_however_sure_the_fast_model_is(
    worker_db: Database, channel: HouseChannel, database: TestDatabase, counted: dict[str, int]
) -> None:
    await hear(worker_db, channel, said("a", "what a good bad day"))
    assert await claim(worker_db) is None
    await hear(worker_db, channel, Counted("a", at(1), **counted))
    assert await turn(worker_db) == Settled(changed=1)
    assert (await one(database, _MOOD))["sentiment"] == "negative"


async def test_without_a_cascade_nothing_waits(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"), cascade=None)
    assert (await one(database, _WAITING))[0] == (await one(database, _DUE))[0] == 0


async def test_a_label_that_changes_is_told_and_counted_and_one_that_stays_is_not(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"), said("b", "bad"))
    assert await turn(worker_db) == Settled(changed=1, same=1)
    assert (await one(database, "SELECT count(*) FROM event WHERE type = 'mention.changed'"))[0] == 1
    hour = await one(database, "SELECT positive, neutral, negative FROM rollup_hour")
    assert tuple(hour) == (1, 0, 1)
    async with worker_db.session() as session:
        await scopes.house(session, channel.brand.brand_id)
        assert await rollups.recount(session, channel.brand.brand_id, ZONE, at(-60 * 24 * 30), at(60 * 24)) == []


async def test_the_same_text_again_keeps_its_deep_reading_and_does_not_wait_again(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    await turn(worker_db)
    before = await one(database, _MOOD)
    await hear(worker_db, channel, said("a", "hm"), said("a", "hm", stamp=5))
    assert tuple(await one(database, _MOOD))[:-1] == tuple(before)[:-1]
    assert await claim(worker_db) is None


async def test_another_text_drops_the_deep_reading_and_waits_for_its_own(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    await turn(worker_db)
    await hear(worker_db, channel, said("a", "bad", stamp=1, edited_at=at(1)))
    row = await one(database, _MOOD)
    assert (row["sentiment"], row["deep_by"], row["fast_sentiment"], row["fast_score"]) == (
        "negative",
        None,
        None,
        None,
    )
    assert await turn(worker_db) == Settled(same=1)


async def test_an_earlier_text_that_comes_late_leaves_the_deep_reading(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm", stamp=1, edited_at=at(1)))
    await turn(worker_db)
    await hear(worker_db, channel, said("a", "bad"))
    assert (await one(database, _MOOD))["deep_by"] == "deep-1"
    assert await claim(worker_db) is None


async def test_a_text_that_changes_while_it_is_read_is_not_given_the_old_ones_mood_and_waits_on(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    look = await claim(worker_db)
    assert look is not None
    found = await read(worker_db, look)
    await hear(worker_db, channel, said("a", "bad", stamp=1, edited_at=at(1)), now=at(2))
    assert await settle(worker_db, look, found) == Settled(overtaken=1)
    assert (await one(database, _MOOD))["sentiment"] == "negative"
    assert await turn(worker_db) == Settled(same=1)


async def test_a_person_who_speaks_meanwhile_or_before_has_the_last_word(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    look = await claim(worker_db)
    assert look is not None
    found = await read(worker_db, look)
    await correct(worker_db, channel, (await one(database, "SELECT id FROM mention"))["id"], Sentiment.NEGATIVE)
    assert await settle(worker_db, look, found) == Settled(overtaken=1)
    row = await one(database, _MOOD)
    assert (row["sentiment"], row["sentiment_score"], row["deep_by"]) == ("negative", None, None)
    await hear(worker_db, channel, Counted("a", at(3), likes=500))
    assert await claim(worker_db) is None


async def test_a_correction_takes_the_place_of_a_deep_reading(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    await turn(worker_db)
    await correct(worker_db, channel, (await one(database, "SELECT id FROM mention"))["id"], Sentiment.NEGATIVE)
    row = await one(database, _MOOD)
    assert (row["sentiment"], row["deep_by"], row["fast_sentiment"]) == ("negative", None, None)


async def test_a_deleted_mention_that_waits_is_let_go(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    await hear(worker_db, channel, Deleted("a", at(2)))
    assert await turn(worker_db) == Settled(overtaken=1)
    assert (await one(database, _DUE))[0] == 0


async def test_a_worker_that_dies_with_a_turn_leaves_it_to_the_next_with_the_same_end(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    dead = await claim(worker_db)
    assert dead is not None
    found = await read(worker_db, dead)
    assert await claim(worker_db) is None
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("UPDATE due_deepening SET leased_until = now() - interval '1 s'")
    await connection.close()
    look = await claim(worker_db)
    assert look is not None
    assert await settle(worker_db, dead, found) is None
    assert await settle(worker_db, look, found) == Settled(changed=1)
    assert await settle(worker_db, look, found) is None


async def test_the_newest_are_read_first_and_the_brand_waits_for_another_turn_with_the_rest(
    worker_db: Database, channel: HouseChannel
) -> None:
    for number in range(3):
        await hear(worker_db, channel, said(f"m{number}", f"hm{number}"), now=at(number))
    texts = []
    for _ in range(3):
        look = await claim(worker_db)
        assert look is not None
        found = await read(worker_db, look, limit=1)
        texts += [one.waiting.text.text for one in found if one.waiting.text]
        await settle(worker_db, look, found)
    assert texts == ["hm2", "hm1", "hm0"]
    assert await claim(worker_db) is None


async def test_brands_take_turns(worker_db: Database, house: House, channel: HouseChannel) -> None:
    other = await house.channel(await house.brand())
    await hear(worker_db, channel, *(said(f"m{number}", "hm") for number in range(3)))
    await hear(worker_db, other, said("m", "hm"))
    brands = []
    for _ in range(4):
        look = await claim(worker_db)
        assert look is not None
        brands.append(look.brand_id)
        await settle(worker_db, look, await read(worker_db, look, limit=1))
    first, second = channel.brand.brand_id, other.brand.brand_id
    assert brands == [first, second, first, first]


async def test_what_waits_longer_than_a_day_is_let_go_and_counted(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"))
    look = await claim(worker_db)
    assert look is not None
    async with worker_db.session() as session:
        scope = await scopes.house(session, look.brand_id)
        taken = await deepenings.take(session, scope, limit=9, now=T0 + timedelta(days=1, seconds=1))
    assert (taken.waiting, taken.too_old) == ([], 1)
    assert await settle(worker_db, look, []) == Settled()
    assert (await one(database, _DUE))[0] == 0


async def test_over_its_bound_the_oldest_make_room_and_are_counted_once(
    worker_db: Database, channel: HouseChannel, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "MOST", 2)
    for number in range(5):
        await hear(worker_db, channel, said(f"m{number}", "hm"), now=at(number))
    look = await claim(worker_db)
    assert look is not None
    dropped = []
    for _ in range(2):
        async with worker_db.session() as session:
            scope = await scopes.house(session, look.brand_id)
            dropped.append((await deepenings.take(session, scope, limit=9, now=T0)).dropped)
    assert dropped == [3, 0]
    assert (await one(database, _WAITING))[0] == 2


async def test_what_waits_is_let_go_where_nobody_reads_deep_any_more(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "hm"), said("b", "hm"))
    look = await claim(worker_db)
    assert look is not None
    async with worker_db.session() as session:
        assert await deepenings.let_go(session, await scopes.house(session, look.brand_id), look) == 2
    assert (await one(database, _WAITING))[0] == (await one(database, _DUE))[0] == 0
