"""Copies as they are recorded: the same in whatever order mentions come, change and go."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import asyncpg
import pytest

from shared.contract import Deleted, Heard
from shared.db import Database
from shared.models.enums import AuthorKind
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening.test_record import at, hear, said

Eyes: TypeAlias = "asyncpg.Connection[Any]"

LONG = "The 7.12 train from Ghent to Brussels is late again this morning and nobody says why it is late"
NEAR = "The 7.12 train from Ghent to Brussels is late again this morning and nobody knows why it is late"
OTHER = "I have never had a better coffee than the one which they serve in the little bar on the corner"
DAY = 60 * 24
_COPIES_OF = """
SELECT m.external_id, (SELECT o.external_id FROM mention o WHERE o.brand_id = m.brand_id AND o.cluster = m.cluster
   AND NOT o.is_copy AND (o.published_at, o.key) <= (m.published_at, m.key)
   ORDER BY o.published_at DESC, o.key DESC LIMIT 1) AS original
  FROM mention m WHERE m.is_copy ORDER BY 1
"""


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
async def eyes(database: TestDatabase) -> AsyncIterator[Eyes]:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("SET synchronous_commit = off")
    yield connection
    await connection.close()


async def copies(eyes: Eyes) -> dict[str, str]:
    return dict(await eyes.fetch(_COPIES_OF))


def post(id_: str, text: str, minutes: float, **more: Any) -> Heard:
    return said(id_, text, published_at=at(minutes), **more)


async def test_a_copy_is_linked_to_what_came_before_it(worker_db: Database, channel: HouseChannel, eyes: Eyes) -> None:
    await hear(
        worker_db, channel, post("a", LONG, -9), post("b", f"RT @a: {LONG.upper()} 😡", -5), post("c", OTHER, -4)
    )
    assert await copies(eyes) == {"b": "a"}


async def test_a_near_copy_is_linked_as_well(worker_db: Database, channel: HouseChannel, eyes: Eyes) -> None:
    await hear(worker_db, channel, post("a", LONG, -9))
    await hear(worker_db, channel, post("b", NEAR, -5))
    assert await copies(eyes) == {"b": "a"}


async def test_an_original_that_comes_late_takes_its_copies(
    worker_db: Database, channel: HouseChannel, eyes: Eyes
) -> None:
    await hear(worker_db, channel, post("b", LONG, -9), post("c", NEAR, -5))
    await hear(worker_db, channel, post("a", LONG, -20))
    assert await copies(eyes) == {"b": "a", "c": "a"}


async def test_the_next_takes_over_from_an_original_that_is_deleted(
    worker_db: Database, channel: HouseChannel, eyes: Eyes
) -> None:
    await hear(worker_db, channel, post("a", LONG, -9), post("b", NEAR, -5), post("c", LONG, -3))
    await hear(worker_db, channel, Deleted("a", at(1)))
    assert await copies(eyes) == {"c": "b"}


async def test_an_edit_ends_a_likeness(worker_db: Database, channel: HouseChannel, eyes: Eyes) -> None:
    await hear(worker_db, channel, post("a", LONG, -9), post("b", LONG, -5))
    await hear(worker_db, channel, post("b", OTHER, -5, stamp=1, edited_at=at(1)))
    assert await copies(eyes) == {}


async def test_an_edit_begins_a_likeness(worker_db: Database, channel: HouseChannel, eyes: Eyes) -> None:
    await hear(worker_db, channel, post("a", LONG, -9), post("b", OTHER, -5))
    await hear(worker_db, channel, post("b", NEAR, -5, stamp=1, edited_at=at(1)))
    assert await copies(eyes) == {"b": "a"}


async def test_after_two_weeks_of_silence_the_same_is_an_original_again(
    worker_db: Database, channel: HouseChannel, eyes: Eyes
) -> None:
    times = {"a": -60 * DAY, "b": -50 * DAY, "c": -37 * DAY, "d": -22 * DAY, "e": -21 * DAY}
    await hear(worker_db, channel, *(post(id_, LONG, minutes) for id_, minutes in times.items()))
    assert await copies(eyes) == {"b": "a", "c": "a", "e": "d"}


async def test_what_the_brand_says_is_no_copy_and_has_none(
    worker_db: Database, channel: HouseChannel, eyes: Eyes
) -> None:
    answers = [post(id_, LONG, minutes, author_kind=AuthorKind.BRAND) for id_, minutes in (("a", -9), ("b", -8))]
    await hear(worker_db, channel, *answers, post("c", LONG, -7))
    assert await copies(eyes) == {}


async def test_short_texts_are_copies_only_where_their_words_are_equal(
    worker_db: Database, channel: HouseChannel, eyes: Eyes
) -> None:
    await hear(worker_db, channel, post("a", "Super service", -9), post("b", "super service!!!", -8))
    await hear(
        worker_db, channel, post("c", "super service vraiment", -7), post("d", "😡😡", -6), post("e", "😡😡", -5)
    )
    assert await copies(eyes) == {"b": "a"}


async def test_nothing_is_kept_of_a_deleted_texts_words(worker_db: Database, channel: HouseChannel, eyes: Eyes) -> None:
    await hear(worker_db, channel, post("a", LONG, -9), post("b", OTHER, -8))
    await hear(worker_db, channel, Deleted("a", at(1)))
    assert await eyes.fetchval("SELECT count(*) FROM mention_bands") == 1
    kept = "SELECT wording IS NULL AND cluster IS NULL FROM mention WHERE external_id = 'a'"
    assert await eyes.fetchval(kept)


async def test_a_time_that_is_corrected_makes_another_the_original(
    worker_db: Database, channel: HouseChannel, eyes: Eyes
) -> None:
    await hear(worker_db, channel, post("a", LONG, -9), post("b", LONG, -5))
    await hear(worker_db, channel, post("a", LONG, -2, stamp=1))
    assert await copies(eyes) == {"a": "b"}


_WORDS = LONG.split()


def _dressed(chance: random.Random, text: str) -> str:
    words = text.split()
    for _ in range(chance.randrange(4)):
        words[chance.randrange(len(words))] = chance.choice(["soon", "never", "always", "train", "here"])
    return " ".join(words)


def _history(chance: random.Random) -> list[Heard]:
    """Copies and near copies of a few texts, over some weeks, edited and deleted here and there."""
    heard: list[Heard] = []
    for number in range(40):
        id_, minutes = f"m{number:02}", -chance.choice([5, 5, DAY, 10 * DAY, 16 * DAY, 31 * DAY]) - chance.randrange(9)
        text = _dressed(chance, chance.choice([LONG, LONG, OTHER, "Merci pour tout", "merci à tous"]))
        heard.append(post(id_, text, minutes))
        if chance.random() < 0.2:
            edited = _dressed(chance, chance.choice([LONG, OTHER]))
            heard.append(post(id_, edited, minutes, stamp=2, edited_at=at(2)))
        if chance.random() < 0.15:
            heard.append(Deleted(id_, at(3)))
    return heard


async def _told(
    db: Database, eyes: Eyes, channel: HouseChannel, batches: Sequence[Sequence[Heard]]
) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    tables = ("mention", "thread", "edit", "rollup_day", "rollup_hour", "mention_search", "mention_bands", "event")
    await eyes.execute(";".join(f'DELETE FROM "{table}"' for table in tables))
    for batch in batches:
        await hear(db, channel, *batch)
    wordings = await eyes.fetch("SELECT wording, leader, uses FROM mention_bands ORDER BY 1")
    return await copies(eyes), [tuple(row) for row in wordings]


@pytest.mark.parametrize("seed", range(6))
async def test_the_order_of_arrival_makes_no_difference(
    seed: int, worker_db: Database, channel: HouseChannel, eyes: Eyes
) -> None:
    chance = random.Random(seed)
    heard = _history(chance)
    expected = await _told(worker_db, eyes, channel, [heard])
    for _ in range(3):
        shuffled = chance.sample([*heard, *chance.sample(heard, 5)], len(heard) + 5)
        size = chance.choice([1, 4, 15])
        batches = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
        assert await _told(worker_db, eyes, channel, batches) == expected


_WRONG = """
SELECT m.external_id FROM mention m WHERE m.cluster IS NOT NULL AND m.is_copy <> EXISTS (SELECT FROM mention p
  WHERE p.brand_id = m.brand_id AND p.cluster = m.cluster AND p.published_at >= m.published_at - $1::interval
    AND (p.published_at, p.key) < (m.published_at, m.key))
UNION ALL SELECT b.wording::text FROM mention_bands b WHERE b.uses <> (SELECT count(*) FROM mention m
  WHERE m.brand_id = b.brand_id AND m.wording = b.wording)
UNION ALL SELECT m.external_id FROM mention m JOIN mention_bands b ON b.brand_id = m.brand_id AND b.wording = m.wording
  WHERE m.cluster IS DISTINCT FROM b.cluster
"""


@pytest.mark.parametrize("seed", range(6, 10))
async def test_a_recount_agrees_after_every_batch(
    seed: int, worker_db: Database, channel: HouseChannel, eyes: Eyes
) -> None:
    chance = random.Random(seed)
    heard = chance.sample(history := _history(chance), len(history))
    for start in range(0, len(heard), 7):
        await hear(worker_db, channel, *heard[start : start + 7])
        assert await eyes.fetch(_WRONG, timedelta(days=14)) == []


async def test_another_brands_copies_are_none_of_ours(
    worker_db: Database, house: House, channel: HouseChannel, eyes: Eyes
) -> None:
    other = await house.channel(await house.brand())
    await hear(worker_db, channel, post("a", LONG, -9))
    await hear(worker_db, other, post("b", LONG, -5), post("c", NEAR, -4))
    assert await copies(eyes) == {"c": "b"}
