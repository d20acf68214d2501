"""Share of voice: the sums of what queries matched, kept by day, say what counting says, whatever happened before."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import pairwise
from uuid import UUID

import asyncpg
import pytest

from shared.analysis.reading import Text
from shared.contract import Deleted
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import brands
from shared.domain.brands.brands import BrandChanges
from shared.domain.insight import points, reads, voices
from shared.domain.listening import corrections, mentions, queries, recall_pages, recalls
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.corrections import Said as SaidOtherwise
from shared.domain.listening.ears import Ears
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.merge import MentionState
from shared.domain.listening.queries import QueryChanges
from shared.domain.listening.readings import Readings, take_anew
from shared.domain.listening.record import record, rewrite
from shared.domain.page import PageRequest
from shared.errors import Invalid
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import AuthorKind, Dimension, Interval, MentionKind, MetricKey, Sentiment
from tests.conftest import NOW, House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.insight.test_by_query import listen, save
from tests.domain.insight.test_metrics import LATER, ask, by_dimension, local, said, values
from tests.domain.listening import words
from tests.domain.listening.test_pages import CURSORS

Step = Callable[[], Awaitable[None]]
ZONES = ("Europe/Brussels", "Asia/Kolkata", "America/New_York")
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


class Life:
    """A brand to which things happen in an order drawn from a seed."""

    def __init__(self, db: Database, brand: HouseBrand, channels: list[HouseChannel], seed: int) -> None:
        self.db, self.brand, self.channels, self.dice = db, brand, channels, random.Random(seed)
        self.queries: list[UUID] = []
        self.stamp = NOW

    async def step(self) -> None:
        steps: list[Step] = [self.hear, self.hear, self.hear, self.save, self.change, self.forget, self.recall]
        await self.dice.choice([*steps, self.correct, self.move, self.read_anew])()

    async def hear(self) -> None:
        """New ones, others edited, filed elsewhere in time or deleted; with ears or without."""
        self.stamp += timedelta(minutes=1)
        heard = [
            Deleted(str(n), self.stamp)
            if self.dice.random() < 0.15
            else said(
                str(n),
                local(11, self.dice.randint(21, 23), self.dice.choice([0, 5, 12, 23])),
                stamp=self.stamp,
                edited_at=self.stamp,
                text=" ".join(self.dice.sample(["bier", "koffie", "thee", "good", "bad"], 2)),
                kind=self.dice.choice([MentionKind.COMMENT, MentionKind.POST]),
                author_kind=self.dice.choice([AuthorKind.UNKNOWN, AuthorKind.BRAND]),
            )
            for n in self.dice.sample(range(12), 4)
        ]
        channel = self.dice.choice(self.channels)
        async with self.db.session() as session:
            scope = await scopes.house(session, self.brand.brand_id)
            part = HeardPart(channel.id, channel.channel.network, str(channel.id), heard)
            ears = Ears() if self.dice.random() < 0.7 else None
            readings = Readings(words.read) if self.dice.random() < 0.8 else None
            await record(session, scope, [part], now=LATER, readings=readings, ears=ears)

    async def read_anew(self) -> None:
        """Another model reads some of them, mostly the same."""
        (reading,) = words.read([Text(self.dice.choice(["good", "x"]))])
        async with self.db.session() as session:
            scope = await scopes.house(session, self.brand.brand_id)
            found = await mentions.search(session, scope, page=PageRequest(20), cursors=CURSORS)
            keys = [one.key for one in found.items if self.dice.random() < 0.5]

            def change(state: MentionState) -> None:
                take_anew(state, replace(reading, model="more-words"))

            await rewrite(session, scope, keys, change, now=LATER, ears=Ears())

    async def save(self) -> None:
        self.queries.append(await save(self.db, self.brand, self._expression()))

    async def change(self) -> None:
        if self.queries:
            async with self.db.session() as session:
                scope = await scopes.house(session, self.brand.brand_id)
                changes = QueryChanges(expression=self._expression())
                await queries.change(
                    session, scope, self.dice.choice(self.queries), changes=changes, now=NOW, if_version=None
                )

    async def forget(self) -> None:
        if self.queries:
            async with self.db.session() as session:
                scope = await scopes.house(session, self.brand.brand_id)
                await queries.delete(session, scope, self.queries.pop(self.dice.randrange(len(self.queries))))

    async def recall(self) -> None:
        if self.queries:
            async with self.db.session() as session:
                scope = await scopes.house(session, self.brand.brand_id)
                one = self.dice.choice(self.queries)
                operation = await recalls.start(session, scope, one, since=recall_pages.ALL_TIME, now=LATER)
            more: recalls.Step | None = recalls.Step.PAGE
            while more is not None:
                async with self.db.session() as session:
                    scope = await scopes.house(session, self.brand.brand_id)
                    more = await recalls.go_on(session, scope, operation.id, now=LATER)

    async def correct(self) -> None:
        async with self.db.session() as session:
            scope = await scopes.house(session, self.brand.brand_id)
            found = await mentions.search(session, scope, page=PageRequest(20, None), cursors=CURSORS)
            if found.items:
                other = SaidOtherwise(sentiment=self.dice.choice(list(Sentiment)))
                one = self.dice.choice(found.items)
                await corrections.correct(session, scope, one.id, said=other, ears=Ears(), now=LATER)

    async def move(self) -> None:
        """The brand's days begin elsewhere."""
        async with self.db.session() as session:
            scope = await scopes.house(session, self.brand.brand_id)
            changes = BrandChanges(timezone=self.dice.choice(ZONES))
            await brands.update(session, scope, changes=changes, if_version=None)

    def _expression(self) -> str:
        return self.dice.choice(["bier", "koffie", "bier OR thee", "koffie AND bier", "sentiment:negative OR thee"])

    async def recounted(self) -> list[str]:
        async with self.db.reading() as session:
            await scopes.house(session, self.brand.brand_id)
            brand = await session.get(Brand, self.brand.brand_id)
            assert brand is not None
            days = (session, brand.brand_id, brand.zone, local(11, 1), local(12, 1))
            return [*await voices.recount(*days), *await reads.recount(*days)]


@pytest.mark.parametrize("seed", range(8))
async def test_the_sums_are_exact_whatever_happened(
    worker_db: Database, house: House, brand: HouseBrand, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalls, "_PAGE", 5)
    life = Life(worker_db, brand, [await house.channel(brand), await house.channel(brand)], seed)
    for _ in range(25):
        await life.step()
        assert await life.recounted() == []


async def test_an_upgrade_counts_what_is_matched_so_far(
    worker_db: Database, house: House, brand: HouseBrand, database: TestDatabase
) -> None:
    life = Life(worker_db, brand, [await house.channel(brand)], seed=3)
    for _ in range(25):
        await life.step()
    filling = import_module("shared.migrations.versions.0021_voice").FILLING
    owner = await asyncpg.connect(database.owner_url)
    async with owner.transaction():
        await owner.execute("SELECT parvis.scope($1)", str(brand.brand_id))
        kept = [await owner.fetch(query) for query in _KEPT]
        await owner.execute("DELETE FROM rollup_query_day; DELETE FROM rollup_reading_day")
        for statement in filling:
            await owner.execute(statement)
        assert [await owner.fetch(query) for query in _KEPT] == kept
    await owner.close()
    assert all(kept)


_KEPT = (
    "SELECT * FROM rollup_query_day WHERE mentions + posts > 0 ORDER BY query_id, channel_id, day",
    "SELECT * FROM rollup_reading_day WHERE mentions > 0 ORDER BY channel_id, kind, day, read_by",
)


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def test_two_years_by_query_are_what_the_mentions_say(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await save(worker_db, brand, "bier")
    await save(worker_db, brand, "koffie")
    await listen(worker_db, channel, "bier", "bier en koffie", "bier", "water")
    asked = {"group_by": [Dimension.QUERY], "keys": [MetricKey.MENTIONS, MetricKey.POSTS, MetricKey.SHARE_OF_VOICE]}
    kept = await ask(app_db, brand, LONG_AGO, local(11, 24), **asked)
    counted = await ask(
        app_db, brand, local(11, 1) + timedelta(minutes=5), local(11, 24), interval=Interval.HOUR, **asked
    )
    for long, short in zip(kept, counted, strict=True):
        assert (long.key, long.dimensions) == (short.key, short.dimensions)
        if long.key is not MetricKey.SHARE_OF_VOICE:
            assert sum(v or 0 for v in values(long)) == sum(v or 0 for v in values(short))


async def test_a_share_is_of_the_mentions_that_any_query_matched(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    beer, coffee = [await save(worker_db, brand, word) for word in ("bier", "koffie")]
    await listen(worker_db, channel, "bier", "bier en koffie", "bier", "water", "bier")  # by turns on two days
    wanted = {typeid(Prefix.QUERY, beer): [1, 1], typeid(Prefix.QUERY, coffee): [0, 1]}
    for since in (LONG_AGO, local(11, 1)):
        found = await ask(
            app_db, brand, since, local(11, 23), group_by=[Dimension.QUERY], keys=[MetricKey.SHARE_OF_VOICE]
        )
        assert {id_: line[-2:] for id_, line in by_dimension(found).items()} == wanted
        assert {v for line in by_dimension(found).values() for v in line[:-2]} == {None}


@pytest.mark.parametrize("interval", [Interval.DAY, Interval.HOUR])
async def test_of_the_queries_that_are_asked_for_the_share_is_of_what_they_matched(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel, interval: Interval
) -> None:
    beer, coffee, tea = [await save(worker_db, brand, word) for word in ("bier", "koffie", "thee")]
    await listen(worker_db, channel, "bier", "thee", "koffie", "thee")
    found = await ask(
        app_db, brand, local(11, 21), local(11, 22), keys=[MetricKey.SHARE_OF_VOICE], interval=interval,
        group_by=[Dimension.QUERY], where=MentionFilter(query_ids=(beer, coffee)),
    )  # fmt: skip
    assert {id_: [v for v in line if v is not None] for id_, line in by_dimension(found).items()} == {
        typeid(Prefix.QUERY, beer): [0.5],
        typeid(Prefix.QUERY, coffee): [0.5],
    }
    assert typeid(Prefix.QUERY, tea) not in by_dimension(found)


@pytest.mark.parametrize("by", [[], [Dimension.NETWORK], [Dimension.QUERY, Dimension.CHANNEL]], ids=str)
async def test_a_share_of_voice_is_by_query(app_db: Database, brand: HouseBrand, by: list[Dimension]) -> None:
    with pytest.raises(Invalid) as refused:
        await ask(app_db, brand, local(11, 21), local(11, 22), keys=[MetricKey.SHARE_OF_VOICE], group_by=by)
    assert [(one.code, one.path) for one in refused.value.problems] == [("needs_query", ("group_by",))]


async def test_moods_are_answered_from_the_sums_beyond_ninety_days(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    async with worker_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        heard = [said(str(n), local(11, 21, 10), text=text) for n, text in enumerate(["good", "bad", "bad", "x", ""])]
        part = HeardPart(channel.id, channel.channel.network, str(channel.id), heard)
        await record(session, scope, [part], now=LATER, readings=Readings(words.read))
    kept, counted = [
        await ask(app_db, brand, since, local(11, 22), group_by=[Dimension.SENTIMENT], interval=interval)
        for since, interval in ((LONG_AGO, Interval.DAY), (local(11, 1), Interval.HOUR))
    ]
    told = [{one.dimensions[0].value: sum(v or 0 for v in values(one)) for one in found} for found in (kept, counted)]
    assert told[0] == told[1]
    assert told[0]["negative"] == 2


def test_the_bounds_of_a_share_are_wilsons() -> None:
    # Of 10 successes in 100: the interval from 0.0552 to 0.1744.
    found = points.share(10, 100)
    assert found is not None
    assert [round(one, 4) for one in found] == [0.1, 0.0552, 0.1744]


@pytest.mark.parametrize(("part", "whole"), [(0, 5), (5, 5), (1, 3)])
def test_a_share_lies_within_its_bounds(part: int, whole: int) -> None:
    found = points.share(part, whole)
    assert found is not None
    value, low, high = found
    assert all(a <= b for a, b in pairwise((0, low, value, high, 1)))
    assert low < high


def test_of_nothing_there_is_no_share() -> None:
    assert points.share(0, 0) is None


async def test_what_rests_on_readings_says_which_model_has_read_it(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    async with worker_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        heard = [said(str(n), local(11, 21, 10), text=text) for n, text in enumerate(["good", "bad", "x"])]
        part = HeardPart(channel.id, channel.channel.network, str(channel.id), heard)
        await record(session, scope, [part], now=LATER, readings=Readings(words.read))
        unread = HeardPart(channel.id, channel.channel.network, str(channel.id), [said("9", local(11, 21, 11))])
        await record(session, scope, [unread], now=LATER)
        first = (await mentions.search(session, scope, page=PageRequest(20), cursors=CURSORS)).items[-1]
        other = SaidOtherwise(sentiment=Sentiment.NEGATIVE)
        await corrections.correct(session, scope, first.id, said=other, ears=Ears(), now=LATER)
    wanted = [reads.Model(words.VERSION, 3, 1), reads.Model(None, 1, 0)]
    for since in (LONG_AGO, local(11, 21)):
        figures, plain = await ask(
            app_db, brand, since, local(11, 22), keys=[MetricKey.NET_SENTIMENT, MetricKey.MENTIONS]
        )
        assert (figures.models, plain.models) == (wanted, None)
    for by in (Dimension.SENTIMENT, Dimension.INTENT, Dimension.LANGUAGE):
        (*_, series) = await ask(app_db, brand, local(11, 21), local(11, 22), group_by=[by])
        assert series.models == wanted
    where = MentionFilter(sentiments=(Sentiment.POSITIVE,))
    (filtered,) = await ask(app_db, brand, local(11, 21), local(11, 22), where=where)
    assert filtered.models == wanted
    nobody = MentionFilter(channel_ids=())
    (series,) = await ask(app_db, brand, local(11, 21), local(11, 22), keys=[MetricKey.NET_SENTIMENT], where=nobody)
    assert series.models == []
