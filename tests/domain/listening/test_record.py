"""Recording: the same facts in any order, split and repeated in any way, end in the same state."""

import itertools
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from shared.contract import Author, Counted, Deleted, Heard, Hidden, MediaDraft, Reacted, Said
from shared.db import Database, driver
from shared.domain import scope as scopes
from shared.domain.insight import rollups
from shared.domain.listening import record, trees
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.ears import Ears
from shared.domain.listening.readings import Read, Readings
from shared.models import Post, Variant
from shared.models.enums import AuthorKind, MentionKind, Network
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening import words

T0 = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def said(id_: str, text: str | None = "hello", *, stamp: float = 0, **more: Any) -> Said:
    more.setdefault("kind", MentionKind.COMMENT)
    more.setdefault("published_at", at(-60))
    return Said(id_, stamp=at(stamp), text=text, **more)


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def hear(
    db: Database,
    channel: HouseChannel,
    *heard: Heard,
    now: datetime = T0,
    reader: Read | None = words.read,
    ears: Ears | None = None,
) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        part = HeardPart(channel.id, Network.GENERIC, str(channel.id), heard)
        readings = Readings(reader) if reader else None
        await record.record(session, scope, [part], now=now, readings=readings, ears=ears)


_VISIBLE = """
SELECT m.external_id, m.heard, m.kind, m.visibility, m.url, m.text, m.language, m.said_language, m.media, m.rating,
       m.author_kind, m.published_at, m.edited_at, m.deleted_at, m.hidden_at, m.version_stamp, m.version_digest,
       m.parent_external_id,
       p.external_id AS parent, m.likes, m.replies, m.shares, m.views, m.reach, m.sentiment,
       m.sentiment_score, m.intents, m.urgency, m.offence, m.topics, m.read_by, m.corrected, m.wording, m.is_copy,
       t.key AS thread, t.last_at,
       a.external_id AS author, a.name, a.handle, a.followers,
       (SELECT array_agg((e.text, e.edited_at) ORDER BY
           e.digest = m.version_digest AND e.edited_at IS NOT DISTINCT FROM m.edited_at,
           e.edited_at NULLS FIRST, e.stamp, e.digest)
          FROM edit e WHERE e.brand_id = m.brand_id AND e.mention_key = m.key) AS history,
       (SELECT array_agg(s.language) FROM mention_search s
         WHERE s.brand_id = m.brand_id AND s.mention_id = m.id) AS found
  FROM mention m LEFT JOIN mention p ON p.brand_id = m.brand_id AND p.id = m.parent_id
  LEFT JOIN thread t ON t.brand_id = m.brand_id AND t.id = m.thread_id
  LEFT JOIN identity a ON a.brand_id = m.brand_id AND a.id = m.author_id ORDER BY m.external_id
"""


async def state(database: TestDatabase, brand: HouseBrand) -> list[Any]:
    """All that a reader could see of the brand, and its sums."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        return await state_on(connection)
    finally:
        await connection.close()


async def state_on(connection: "asyncpg.Connection[Any]") -> list[Any]:
    """The same, where many are read in a row."""
    rows = [tuple(row) for row in await connection.fetch(_VISIBLE)]
    threads = await connection.fetch("SELECT key, last_at FROM thread ORDER BY key")
    days = await connection.fetch(
        "SELECT kind, day, mentions, posts, positive, neutral, negative FROM rollup_day"
        " WHERE mentions <> 0 OR posts <> 0 ORDER BY 1, 2"
    )
    hours = await connection.fetch(
        "SELECT hour, mentions, posts, positive, neutral, negative FROM rollup_hour"
        " WHERE mentions <> 0 OR posts <> 0 ORDER BY 1"
    )
    return [rows, *([tuple(r) for r in found] for found in (threads, days, hours))]


async def one(database: TestDatabase, sql: str) -> Any:
    connection = await asyncpg.connect(database.owner_url)
    try:
        return await connection.fetchrow(sql)
    finally:
        await connection.close()


async def test_a_mention_is_recorded_with_its_author(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "Bonjour", author=Author("u1", "lea", "Léa"), language="fr"))

    row = await one(database, "SELECT m.*, i.name FROM mention m JOIN identity i ON i.id = m.author_id")
    assert (row["text"], row["name"], row["language"], row["heard"]) == ("Bonjour", "Léa", "fr", True)


async def test_hearing_it_again_changes_nothing(
    worker_db: Database, channel: HouseChannel, database: TestDatabase, brand: HouseBrand
) -> None:
    await hear(worker_db, channel, said("a"))
    before = await state(database, brand)
    events = await one(database, "SELECT count(*) FROM event WHERE type LIKE 'mention%'")

    await hear(worker_db, channel, said("a"))

    assert await state(database, brand) == before
    assert await one(database, "SELECT count(*) FROM event WHERE type LIKE 'mention%'") == events


async def test_a_child_before_its_parent_is_linked_when_it_comes(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("child", parent_external_id="parent"))
    await hear(worker_db, channel, said("parent"))

    row = await one(
        database,
        "SELECT c.parent_id = p.id AS linked, c.thread_id = p.thread_id AS together"
        " FROM mention c, mention p WHERE c.external_id = 'child' AND p.external_id = 'parent'",
    )
    assert (row["linked"], row["together"]) == (True, True)


async def test_a_deletion_before_creation_wins(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, Deleted("a", at(5)))
    await hear(worker_db, channel, said("a", "secret", stamp=9))

    row = await one(database, "SELECT text, deleted_at, heard FROM mention")
    assert (row["text"], row["deleted_at"], row["heard"]) == (None, at(5), True)


async def test_a_deletion_blanks_the_history(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", "one"), said("a", "two", stamp=1, edited_at=at(1)))
    await hear(worker_db, channel, Deleted("a", at(5)))

    row = await one(database, "SELECT count(*) AS versions, count(text) AS texts FROM edit")
    assert (row["versions"], row["texts"]) == (2, 0)


async def test_u0000_and_lone_surrogates_are_made_storable(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a\x00", "x\x00y\ud800z", author=Author("u", name="n\x00")))

    row = await one(database, "SELECT m.text, i.name FROM mention m JOIN identity i ON i.id = m.author_id")
    assert (row["text"], row["name"]) == ("x\ufffdy\ufffdz", "n\ufffd")


async def test_an_id_of_a_thousand_characters_is_kept_whole(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    long = "é" * 1000
    await hear(worker_db, channel, said(long, author=Author(long, name="n" * 1000)), said("b", parent_external_id=long))

    row = await one(
        database, "SELECT external_id, parent_id IS NULL AS root FROM mention WHERE kind = 'comment' LIMIT 1"
    )
    assert row["external_id"] in {long, "b"}
    assert (await one(database, "SELECT count(*) FROM mention WHERE parent_id IS NOT NULL"))[0] == 1


async def test_a_mention_from_the_future_is_filed_under_its_delivery(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(worker_db, channel, said("a", published_at=at(60 * 24 * 365)))

    assert (await one(database, "SELECT published_at FROM mention"))[0] == T0


async def test_mentions_that_answer_each_other_end_in_one_thread(
    worker_db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
        await hear(worker_db, channel, said(name, parent_external_id=parent))

    row = await one(
        database,
        "SELECT count(DISTINCT thread_id) AS threads, count(*) FILTER (WHERE parent_id IS NULL) AS roots FROM mention",
    )
    assert (row["threads"], row["roots"]) == (1, 1)


HISTORY: list[Heard] = [
    said("post", "a post", kind=MentionKind.POST, author=Author("brand"), author_kind=AuthorKind.BRAND),
    said("c1", "first", parent_external_id="post", author=Author("lea", name="Lea"), url="https://x.test/c1"),
    said("c1", "first, edited", stamp=3, edited_at=at(2), parent_external_id="post", author=Author("lea", name="Léa")),
    said("c1", "first, edited twice", stamp=4, edited_at=at(4), author=Author("lea")),
    said("c1", "first", stamp=8, published_at=None),
    said("r1", "reply", parent_external_id="c1", published_at=at(-30), language="fr", rating=4.0),
    said(
        "r2",
        "reply to the reply",
        parent_external_id="r1",
        published_at=at(-20),
        media=(MediaDraft("https://x.test/i", "image"),),
    ),
    said("gone", "to be deleted", parent_external_id="c1"),
    said("gone", "edited first", stamp=2, edited_at=at(2)),
    Deleted("gone", at(6)),
    Deleted("gone", at(7)),
    Deleted("never heard", at(6)),
    Reacted("c1", "tom", "like", True, at(1)),
    Reacted("c1", "tom", "like", False, at(1)),
    Reacted("c1", "tom", "love", True, at(2)),
    Reacted("c1", "eva", "like", True, at(2)),
    Counted("r1", at(1), likes=3, views=10),
    Counted("r1", at(2), likes=4),
    Reacted("r1", "eva", "like", True, at(2)),
    Hidden("r2", True, at(1)),
    Hidden("r2", False, at(2)),
    said("x", "in a circle", parent_external_id="y"),
    said("y", "in a circle too", parent_external_id="x"),
    said("undated", "when?", published_at=None, stamp=5),
    said("undated", "when?", published_at=None, stamp=3),
]


@pytest.mark.parametrize("seed", range(12))
async def test_any_order_and_repetition_ends_the_same(
    seed: int, worker_db: Database, house: House, database: TestDatabase, brand: HouseBrand
) -> None:
    rng = random.Random(seed)
    first = await house.channel(brand, external_id="one")
    await hear(worker_db, first, *HISTORY)
    expected = await state(database, brand)
    connection = await asyncpg.connect(database.owner_url)
    for table in (
        "mention",
        "identity",
        "thread",
        "edit",
        "reaction",
        "rollup_day",
        "rollup_hour",
        "mention_search",
        "mention_bands",
    ):
        await connection.execute(f'TRUNCATE "{table}" CASCADE')
    await connection.close()

    shuffled = [*HISTORY, *rng.choices(HISTORY, k=10)]
    rng.shuffle(shuffled)
    for batch in _cut(shuffled, rng):
        await hear(worker_db, first, *batch)

    for now, then in zip(await state(database, brand), expected, strict=True):
        assert now == then


def _cut(heard: Sequence[Heard], rng: random.Random) -> list[list[Heard]]:
    batches: list[list[Heard]] = []
    rest = iter(heard)
    while batch := list(itertools.islice(rest, rng.randint(1, 6))):
        batches.append(batch)
    return batches


async def test_the_sums_equal_a_recount(worker_db: Database, channel: HouseChannel, brand: HouseBrand) -> None:
    await hear(worker_db, channel, *HISTORY)

    async with worker_db.session() as session:
        await scopes.house(session, brand.brand_id)
        zone = ZoneInfo("Europe/Brussels")
        assert await rollups.recount(session, brand.brand_id, zone, at(-60 * 24 * 30), at(60 * 24)) == []


async def test_days_are_counted_anew_when_the_brand_moves_to_another_zone(
    worker_db: Database, channel: HouseChannel, brand: HouseBrand
) -> None:
    await hear(worker_db, channel, *HISTORY)

    async with worker_db.session() as session:
        await scopes.house(session, brand.brand_id)
        zone = ZoneInfo("Pacific/Auckland")
        await rollups.rebuild(session, brand.brand_id, zone)
        assert await rollups.recount(session, brand.brand_id, zone, at(-60 * 24 * 30), at(60 * 24)) == []


async def test_another_brand_is_never_touched(
    worker_db: Database, house: House, channel: HouseChannel, database: TestDatabase
) -> None:
    other = await house.channel(await house.brand("Other"))
    await hear(worker_db, other, said("a", "theirs"))
    await hear(worker_db, channel, said("a", "ours"), Deleted("b", at(1)))

    row = await one(database, f"SELECT text FROM mention WHERE brand_id = '{uuid.UUID(str(other.brand.brand_id))}'")
    assert row["text"] == "theirs"


@pytest.mark.parametrize("told_first", [True, False])
async def test_our_own_post_is_tied_whichever_channel_told_of_it_and_whenever(
    told_first: bool, worker_db: Database, house: House, brand: HouseBrand, database: TestDatabase
) -> None:
    sender = await house.channel(brand, Network.FACEBOOK, external_id="1", credentials={"app_secret": "s"})
    hearer = await house.channel(brand, Network.FACEBOOK, external_id="2", credentials={"app_secret": "s"})
    post_id, variant_id = uuid.uuid4(), uuid.uuid4()

    async def told() -> None:
        async with worker_db.session() as session:
            scope = await scopes.house(session, brand.brand_id)
            part = HeardPart(hearer.id, Network.FACEBOOK, "", [said("1_7", kind=MentionKind.POST)])
            await record.record(session, scope, [part], now=T0)

    async def sent() -> None:
        async with worker_db.session() as session:
            scope = await scopes.house(session, brand.brand_id)
            session.add(Post(brand_id=brand.brand_id, id=post_id, text="ours", created_at=T0, updated_at=T0))
            await session.flush()
            session.add(
                Variant(
                    brand_id=brand.brand_id, id=variant_id, post_id=post_id, channel_id=sender.id, external_id="1_7"
                )
            )
            await session.flush()
            await record.claim_own(
                session, scope, network=Network.FACEBOOK, space="", external_id="1_7", variant_id=variant_id, now=T0
            )

    for step in (told, sent) if told_first else (sent, told):
        await step()

    row = await one(database, "SELECT variant_id, author_kind FROM mention")
    assert (row["variant_id"], row["author_kind"]) == (variant_id, "brand")
    assert (await one(database, "SELECT sum(posts), sum(mentions) FROM rollup_day"))[:] == (1, 0)


async def test_what_waits_for_its_parent_is_found_by_key_in_a_table_that_nobody_has_counted(
    worker_db: Database, channel: HouseChannel
) -> None:
    await hear(worker_db, channel, *[said(f"c{n}", parent_external_id=f"p{n % 50}") for n in range(300)])
    async with worker_db.session() as session:
        await scopes.house(session, channel.brand.brand_id)
        keys = [uuid.uuid4() for _ in range(500)]
        plan = await (await driver(session)).fetch(f"EXPLAIN {trees.WAITING}", channel.brand.brand_id, keys)
    assert any("Index Cond" in line[0] and "parent_key = ANY" in line[0] for line in plan)
