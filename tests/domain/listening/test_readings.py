"""What is read of a text stands with it, goes with it, and yields to a person."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from shared.analysis.reading import Reading, Text
from shared.contract import Deleted
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import corrections, queries, record
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.corrections import Said
from shared.domain.listening.ears import Ears
from shared.domain.listening.readings import Readings
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import new_uuid
from shared.models.enums import AuthorKind, Intent, MentionKind, Sentiment
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening import words
from tests.domain.listening.test_record import T0, at, hear, one, said

_READ = (
    "SELECT id, language, said_language, sentiment, sentiment_score, intents, urgency, offence, topics, read_by,"
    " corrected, version FROM mention WHERE external_id = 'a'"
)
_INDEXED = "SELECT language FROM mention_search"


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def correct(db: Database, channel: HouseChannel, id_: Any, **more: Any) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await corrections.correct(session, scope, id_, said=Said(**more), ears=Ears(), now=T0)


async def test_a_text_is_read_when_it_is_recorded(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad why", kind=MentionKind.REVIEW))
    row = await one(database, _READ)
    assert (row["sentiment"], row["sentiment_score"], row["intents"]) == ("negative", 0.75, ["criticism", "question"])
    assert (row["urgency"], row["offence"], row["topics"], row["read_by"]) == (0.25, 0, ["bad", "why"], words.VERSION)


async def test_what_has_no_text_is_not_read(worker_db: Database, channel: HouseChannel, database: TestDatabase) -> None:
    await hear(worker_db, channel, said("a", None, language="nl"))
    row = await one(database, _READ)
    assert (row["sentiment"], row["intents"], row["topics"], row["read_by"], row["language"]) == (None,) * 4 + ("nl",)


async def test_the_model_says_the_language_and_the_search_follows(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "merci pour tout cela", language="nl"))
    row = await one(database, _READ)
    assert (row["language"], row["said_language"]) == ("fr", "nl")
    assert (await one(database, _INDEXED))["language"] == "fr"


async def test_of_a_short_text_the_network_knows_the_language_better(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "merci", language="nl"))
    assert (await one(database, _READ))["language"] == "nl"


async def test_a_short_text_of_which_nobody_is_sure_has_no_language(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    def unsure(batch: Any) -> list[Reading]:
        return [replace(reading, language_score=0.5) for reading in words.read(batch)]

    await hear(worker_db, channel, said("a", "merci"), reader=unsure)
    assert (await one(database, _READ))["language"] is None


def test_a_text_is_read_with_the_languages_of_its_brand() -> None:
    asked: list[Text] = []

    def asking(batch: Any) -> list[Reading]:
        asked.extend(batch)
        return words.read(batch)

    Readings(asking, home=["fr", "nl"]).of([Text("merci")])
    assert [text.home for text in asked] == [("fr", "nl")]


async def test_where_the_model_knows_no_language_the_networks_word_stands(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    def unsure(batch: Any) -> list[Reading]:
        return words.read([Text(text.text) for text in batch])

    await hear(worker_db, channel, said("a", "hello", language="nl-BE"), reader=unsure)
    assert (await one(database, _READ))["language"] == "nl-BE"


async def test_an_edited_text_is_read_again(worker_db: Database, channel: HouseChannel, database: TestDatabase) -> None:
    await hear(worker_db, channel, said("a", "bad"))
    await hear(worker_db, channel, said("a", "good", stamp=1, edited_at=at(1)))
    assert (await one(database, _READ))["sentiment"] == "positive"


async def test_what_nobody_reads_anew_loses_the_reading_of_its_old_text(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad"))
    await hear(worker_db, channel, said("a", "good", stamp=1, edited_at=at(1)), reader=None)
    row = await one(database, _READ)
    assert (row["sentiment"], row["read_by"]) == (None, None)


async def test_a_deleted_mention_loses_what_was_read_and_corrected(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad"))
    await correct(worker_db, channel, (await one(database, _READ))["id"], sentiment=Sentiment.POSITIVE)
    await hear(worker_db, channel, Deleted("a", at(2)))
    row = await one(database, _READ)
    assert (row["sentiment"], row["intents"], row["urgency"], row["offence"], row["topics"], row["read_by"]) == (
        None,
    ) * 6
    assert row["corrected"] == []


async def test_phrases_are_kept_as_they_are_written(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", 'a,"b\\{c} NULL'))
    assert (await one(database, _READ))["topics"] == ['a,"b\\{c}', "NULL"]


async def test_a_text_is_read_once_however_often_it_comes(worker_db: Database, channel: HouseChannel) -> None:
    asked: list[Text] = []

    def counting(batch: Any) -> list[Reading]:
        asked.extend(batch)
        return words.read(batch)

    readings = Readings(counting)
    readings.ahead([Text("good"), Text("good"), Text("bad")])
    readings.ahead([Text("bad")])
    assert (asked, [r.sentiment for r in readings.of([Text("bad"), Text("good")])]) == (
        [Text("good"), Text("bad")],
        ["negative", "positive"],
    )


async def test_a_persons_word_outlasts_every_edit(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad why", language="en"))
    id_ = (await one(database, _READ))["id"]
    await correct(worker_db, channel, id_, sentiment=Sentiment.NEUTRAL, intents=(Intent.THANKS,), language="de")
    await hear(worker_db, channel, said("a", "good merci", stamp=1, edited_at=at(1)))
    row = await one(database, _READ)
    assert (row["sentiment"], row["sentiment_score"], row["intents"], row["language"]) == (
        "neutral", None, ["thanks"], "de",
    )  # fmt: skip
    assert row["topics"] == ["good", "merci"]
    assert (await one(database, _INDEXED))["language"] == "de"


async def test_a_correction_moves_the_sums_at_once(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad"))
    sums = "SELECT positive, neutral, negative FROM {}"
    assert (await one(database, sums.format("rollup_day")))[:] == (0, 0, 1)
    await correct(worker_db, channel, (await one(database, _READ))["id"], sentiment=Sentiment.POSITIVE)
    assert (await one(database, sums.format("rollup_day")))[:] == (1, 0, 0)
    assert (await one(database, sums.format("rollup_hour")))[:] == (1, 0, 0)


async def test_a_correction_is_a_change_that_is_told(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad"))
    before = await one(database, _READ)
    await correct(worker_db, channel, before["id"], sentiment=Sentiment.POSITIVE)
    told = await one(database, "SELECT type, thing_id, version FROM event ORDER BY id DESC LIMIT 1")
    assert told[:] == ("mention.changed", before["id"], before["version"] + 1)
    assert (await one(database, _READ))["version"] == before["version"] + 1


async def test_every_word_is_kept_with_what_it_replaced_and_the_latest_stands(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad"))
    id_ = (await one(database, _READ))["id"]
    await correct(worker_db, channel, id_, sentiment=Sentiment.POSITIVE)
    await correct(worker_db, channel, id_, sentiment=Sentiment.NEUTRAL)
    connection = await asyncpg.connect(database.owner_url)
    kept = await connection.fetch("SELECT field, value, replaced FROM correction ORDER BY id")
    await connection.close()
    assert [tuple(row) for row in kept] == [
        ("sentiment", ["positive"], ["negative"]),
        ("sentiment", ["neutral"], ["positive"]),
    ]
    assert (await one(database, _READ))["sentiment"] == "neutral"


async def test_no_intent_at_all_is_a_correction_too(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad"))
    await correct(worker_db, channel, (await one(database, _READ))["id"], intents=())
    assert (await one(database, _READ))["intents"] == []


@pytest.mark.parametrize("wrong", [{}, {"language": "Dutch"}, {"language": "NL"}, {"language": ""}])
async def test_a_correction_must_say_something_that_can_be(
    wrong: dict[str, Any], worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad"))
    before = await one(database, _READ)
    with pytest.raises(Invalid):
        await correct(worker_db, channel, before["id"], **wrong)
    assert await one(database, _READ) == before


async def test_what_is_deleted_can_not_be_corrected(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "bad"), Deleted("a", at(1)))
    with pytest.raises(Conflict):
        await correct(worker_db, channel, (await one(database, _READ))["id"], sentiment=Sentiment.POSITIVE)


async def test_a_mention_that_is_not_there_can_not_be_corrected(worker_db: Database, channel: HouseChannel) -> None:
    with pytest.raises(NotFound):
        await correct(worker_db, channel, new_uuid(), sentiment=Sentiment.POSITIVE)


async def test_our_own_posts_have_a_mood_that_is_counted_nowhere(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    own = said("a", "good", kind=MentionKind.POST, author_kind=AuthorKind.BRAND)
    await hear(worker_db, channel, own)
    assert (await one(database, "SELECT mentions, posts, positive FROM rollup_day"))[:] == (0, 1, 0)


async def test_a_post_of_ours_that_is_tied_leaves_the_moods(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "good", kind=MentionKind.POST))
    async with worker_db.session() as session:
        scope: Scope = await scopes.house(session, channel.brand.brand_id)
        await record.claim_own(
            session, scope, network=channel.channel.network, space=str(channel.id), external_id="a",
            variant_id=new_uuid(), now=T0 + timedelta(minutes=1),
        )  # fmt: skip
    assert (await one(database, "SELECT mentions, posts, positive FROM rollup_day"))[:] == (0, 1, 0)


async def test_a_correction_is_matched_anew(worker_db: Database, channel: HouseChannel, database: TestDatabase) -> None:
    async def save(expression: str) -> None:
        async with worker_db.session() as session:
            scope = await scopes.house(session, channel.brand.brand_id)
            draft = queries.QueryDraft(name=expression, expression=expression)
            await queries.create(session, scope, draft=draft, now=T0)

    async def matched() -> set[str]:
        connection = await asyncpg.connect(database.owner_url)
        rows = await connection.fetch("SELECT q.name FROM match m JOIN saved_query q ON q.id = m.query_id")
        await connection.close()
        return {row["name"] for row in rows}

    for expression in ("sentiment:negative", "intent:thanks", "lang:de"):
        await save(expression)
    async with worker_db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        part = HeardPart(channel.id, channel.channel.network, str(channel.id), [said("a", "bad")])
        await record.record(session, scope, [part], now=T0, readings=Readings(words.read), ears=Ears())
    assert await matched() == {"sentiment:negative"}

    id_ = (await one(database, _READ))["id"]
    await correct(worker_db, channel, id_, sentiment=Sentiment.POSITIVE, intents=(Intent.THANKS,), language="de")

    assert await matched() == {"intent:thanks", "lang:de"}
