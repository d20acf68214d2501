"""What a brand's people correct moves what is read for it later."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.analysis.calibration import LEAST
from shared.analysis.reading import Reading, Text
from shared.db import Database, driver
from shared.domain import scope as scopes
from shared.domain.brands import brands
from shared.domain.brands.brands import BrandChanges
from shared.domain.listening import calibrations, corrections
from shared.domain.listening.calibrations import Standing
from shared.domain.listening.corrections import Said
from shared.domain.listening.ears import Ears
from shared.models.enums import Intent, Sentiment
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening import words
from tests.domain.listening.test_record import T0, hear, one, said

MANY = 60
_INTENTS = ("criticism", "question", "praise", "request", "thanks")


def doubting(batch: Sequence[Text]) -> list[Reading]:
    """A reader that finds everything about as neutral as negative, and about as much a question as none."""
    return [
        replace(
            reading,
            sentiment="neutral",
            sentiment_chances=(0.38, 0.42, 0.2),
            intents=(),
            intent_scores=dict.fromkeys(_INTENTS, 0.05) | {"question": 0.28},
        )
        for reading in words.read(batch)
    ]


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def _hear(db: Database, channel: HouseChannel, *ids: str) -> None:
    await hear(db, channel, *(said(id_, f"the bus {id_}") for id_ in ids), reader=doubting)


async def _correct(db: Database, channel: HouseChannel, count: int, **more: Any) -> None:
    ids = [f"m{number}" for number in range(count)]
    await _hear(db, channel, *ids)
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        found = await (await driver(session)).fetch("SELECT id FROM mention WHERE external_id LIKE 'm%'")
        for row in found:
            await corrections.correct(session, scope, row["id"], said=Said(**more), ears=Ears(), now=T0)


async def _standing(db: Database, channel: HouseChannel) -> Standing:
    async with db.session() as session:
        return await calibrations.standing(session, await scopes.house(session, channel.brand.brand_id))


async def _read(database: TestDatabase) -> Any:
    return await one(database, "SELECT sentiment, intents, read_by FROM mention WHERE external_id = 'later'")


async def test_few_corrections_move_nothing(worker_db: Database, channel: HouseChannel, database: TestDatabase) -> None:
    await _correct(worker_db, channel, 3, sentiment=Sentiment.NEGATIVE)
    await _hear(worker_db, channel, "later")
    assert tuple(await _read(database)) == ("neutral", [], words.VERSION)
    assert (await _standing(worker_db, channel)).since is None


async def test_many_corrections_of_sentiment_move_later_readings(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await _correct(worker_db, channel, MANY, sentiment=Sentiment.NEGATIVE)
    await _hear(worker_db, channel, "later")
    row = await _read(database)
    assert row["sentiment"] == "negative"
    assert row["read_by"].startswith(f"{words.VERSION}+")
    found = await _standing(worker_db, channel)
    assert (found.sentiment_corrections, found.intent_corrections, found.since) == (MANY, 0, T0)
    assert found.sentiments[0].shift > 0.3 > found.sentiments[2].shift > found.sentiments[1].shift


async def test_many_corrections_of_intents_move_later_readings(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await _correct(worker_db, channel, MANY, intents=(Intent.QUESTION,))
    await _hear(worker_db, channel, "later")
    assert (await _read(database))["intents"] == ["question"]


async def test_what_was_read_before_stays_as_it_was_read(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await _hear(worker_db, channel, "later")
    await _correct(worker_db, channel, MANY, sentiment=Sentiment.NEGATIVE)
    await _hear(worker_db, channel, "later")
    assert tuple(await _read(database)) == ("neutral", [], words.VERSION)


async def test_a_word_taken_back_counts_as_it_stands(worker_db: Database, channel: HouseChannel) -> None:
    await _correct(worker_db, channel, MANY, sentiment=Sentiment.NEGATIVE)
    await _correct(worker_db, channel, MANY, sentiment=Sentiment.NEUTRAL)
    found = await _standing(worker_db, channel)
    assert found.sentiment_corrections == MANY >= LEAST
    assert {leaning.shift for leaning in found.sentiments} == {0.0}
    assert found.since is None


async def test_a_brand_that_does_not_learn_is_read_as_the_model_reads(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await _correct(worker_db, channel, MANY, sentiment=Sentiment.NEGATIVE)
    async with worker_db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await brands.update(session, scope, changes=BrandChanges(learns=False))
    await _hear(worker_db, channel, "later")
    assert tuple(await _read(database)) == ("neutral", [], words.VERSION)
    found = await _standing(worker_db, channel)
    assert not found.learns
    assert found.sentiments[0].shift > 0
