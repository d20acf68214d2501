"""Figures: the kept sums, the counting behind filters, and null where nobody looked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.contract import Author, Counted, Deleted, Heard, Said
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.domain.insight import metrics
from shared.domain.insight.metrics import Series
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.readings import Readings
from shared.domain.listening.record import record
from shared.errors import Invalid
from shared.ids import Prefix, typeid
from shared.models.enums import AuthorKind, Dimension, Intent, Interval, MentionKind, MetricKey, Network, Sentiment
from tests.conftest import NOW, House, HouseBrand, HouseChannel
from tests.domain.listening import words

BRUSSELS = ZoneInfo("Europe/Brussels")
LATER = NOW + timedelta(days=30)  # channels of these tests are connected at NOW, 20 November 2026, 13:00 in Brussels


def local(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=BRUSSELS).astimezone(UTC)


def said(id_: str, at: datetime, **more: Any) -> Said:
    given: dict[str, Any] = {"kind": MentionKind.COMMENT, "stamp": at, "published_at": at, "text": "x", **more}
    return Said(id_, **given)


async def hear(db: Database, channel: HouseChannel, *heard: Heard) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        part = HeardPart(channel.id, channel.channel.network, str(channel.id), list(heard))
        await record(session, scope, [part], now=LATER, readings=Readings(words.read))


async def ask(db: Database, brand: HouseBrand, since: datetime, until: datetime, **more: Any) -> list[Series]:
    given: dict[str, Any] = {"keys": [MetricKey.MENTIONS], "interval": Interval.DAY, "now": LATER, **more}
    async with db.reading() as session:
        scope = await scopes.house(session, brand.brand_id)
        return await metrics.series(session, scope, since=since, until=until, **given)


def values(series: Series) -> list[float | None]:
    return [point.value for point in series.points]


def by_dimension(found: Sequence[Series]) -> dict[str | None, list[float | None]]:
    return {series.dimensions[0].value: values(series) for series in found}


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def test_nothing_observed_is_null_and_nothing_said_is_zero(
    app_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    (series,) = await ask(app_db, brand, local(11, 18), local(11, 23))
    assert values(series) == [None, None, 0, 0, 0]
    assert [point.complete for point in series.points] == [False, False, False, True, True]
    assert (series.unit, series.fresh_at) == ("mentions", LATER)
    assert series.definition


async def test_what_is_backfilled_has_a_value_and_is_not_complete(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(worker_db, channel, said("old", local(11, 18, 12)))
    (series,) = await ask(app_db, brand, local(11, 18), local(11, 20))
    assert [(point.value, point.complete) for point in series.points] == [(1, False), (None, False)]


async def test_time_that_has_not_come_is_not_complete(
    app_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    (series,) = await ask(app_db, brand, local(11, 22), local(11, 25), now=local(11, 23, 12))
    assert [(point.value, point.complete) for point in series.points] == [(0, True), (0, False), (None, False)]


async def test_a_mention_counts_on_the_brands_own_day(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(
        worker_db,
        channel,
        said("before midnight", local(11, 25) - timedelta(minutes=1)),
        said("midnight", local(11, 25)),
        said("gone", local(11, 25, 3)),
        Deleted("gone", local(11, 25, 4)),
    )
    (series,) = await ask(app_db, brand, local(11, 24), local(11, 26))
    assert values(series) == [1, 1]


async def test_our_own_posts_count_under_posts(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(
        worker_db,
        channel,
        said("own", local(11, 25, 1), kind=MentionKind.POST, author_kind=AuthorKind.BRAND),
        said("theirs", local(11, 25, 2), kind=MentionKind.POST),
    )
    found = await ask(app_db, brand, local(11, 25), local(11, 26), keys=[MetricKey.MENTIONS, MetricKey.POSTS])
    assert [(series.key, values(series)) for series in found] == [(MetricKey.MENTIONS, [1]), (MetricKey.POSTS, [1])]


async def test_each_dimension_and_each_way_of_counting_agree(
    app_db: Database, worker_db: Database, house: House, brand: HouseBrand, channel: HouseChannel
) -> None:
    second = await house.channel(brand, Network.SANDBOX, base_url="http://127.0.0.1:9", external_id="acme",
                                 credentials={"access_token": "t"})  # fmt: skip
    await hear(
        worker_db,
        channel,
        said("1", local(11, 25, 1), language="fr", author=Author("a")),
        said("2", local(11, 25, 5), language="nl", author=Author("b"), kind=MentionKind.REVIEW),
        said("3", local(11, 26, 5), language="fr", author=Author("a")),
        Counted("1", local(11, 27), likes=2, replies=1),
    )
    await hear(worker_db, second, said("4", local(11, 26, 7), author=Author("c")))
    span = (local(11, 25), local(11, 27))

    async def grouped(dimension: Dimension, **more: Any) -> dict[str | None, list[float | None]]:
        return by_dimension(await ask(app_db, brand, *span, group_by=[dimension], **more))

    assert await grouped(Dimension.NETWORK) == {"generic": [2, 1], "sandbox": [0, 1]}
    assert await grouped(Dimension.KIND) == {"comment": [1, 2], "review": [1, 0]}
    assert await grouped(Dimension.CHANNEL) == {
        typeid(Prefix.CHANNEL, channel.id): [2, 1],
        typeid(Prefix.CHANNEL, second.id): [0, 1],
    }
    assert await grouped(Dimension.LANGUAGE) == {"fr": [1, 1], "nl": [1, 0], None: [0, 1]}
    assert await grouped(Dimension.NETWORK, where=MentionFilter(languages=("fr",))) == {
        "generic": [1, 1],
        "sandbox": [0, 0],
    }
    assert await grouped(Dimension.KIND, where=MentionFilter(kinds=(MentionKind.REVIEW,))) == {"review": [1, 0]}
    assert await grouped(Dimension.CHANNEL, where=MentionFilter(networks=(Network.SANDBOX,))) == {
        typeid(Prefix.CHANNEL, second.id): [0, 1]
    }
    (authors,) = await ask(app_db, brand, *span, keys=[MetricKey.AUTHORS])
    assert values(authors) == [2, 2]
    (engagement,) = await ask(app_db, brand, *span, keys=[MetricKey.ENGAGEMENT])
    assert values(engagement) == [3, 0]
    (week,) = await ask(app_db, brand, *span, interval=Interval.WEEK)
    assert values(week) == [4]
    (hours,) = await ask(app_db, brand, *span, interval=Interval.HOUR)
    assert [n for n, value in enumerate(values(hours)) if value] == [1, 5, 29, 31]


async def test_reach_is_the_sum_of_what_is_known_of_it(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    by_many = Author("a", followers=900)
    await hear(
        worker_db,
        channel,
        said("1", local(11, 25, 1), author=by_many),
        said("2", local(11, 25, 2), author=Author("b", followers=50)),
        said("3", local(11, 25, 3), author=Author("c")),
        said("own", local(11, 25, 4), kind=MentionKind.POST, author_kind=AuthorKind.BRAND, author=by_many),
        said("gone", local(11, 25, 5), author=by_many),
        said("next day", local(11, 26, 5)),
        Counted("2", local(11, 27), views=7),
        Deleted("gone", local(11, 27)),
    )
    (reach,) = await ask(app_db, brand, local(11, 25), local(11, 27), keys=[MetricKey.REACH])
    assert values(reach) == [907, 0]
    assert reach.unit == "people"


async def test_words_can_be_counted(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    long_ago = datetime(2025, 3, 3, 12, tzinfo=UTC)
    await hear(
        worker_db, channel, said("1", long_ago, text="levering", language="nl"), said("2", long_ago, text="anders")
    )
    (series,) = await ask(
        app_db, brand, long_ago, long_ago + timedelta(hours=3), where=MentionFilter(search="levering")
    )
    assert values(series) == [1]


async def test_a_range_that_cuts_a_day_counts_only_what_lies_in_it(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    heard = [said(str(n), local(11, 25) + timedelta(hours=n)) for n in range(72)]
    await hear(worker_db, channel, *heard)
    (series,) = await ask(app_db, brand, local(11, 25, 6), local(11, 27, 20))
    assert values(series) == [18, 24, 20]
    (inside,) = await ask(app_db, brand, local(11, 25, 6), local(11, 25, 9))
    assert values(inside) == [3]


async def test_long_ranges_are_for_the_kept_sums(app_db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    span = (local(1, 1), local(1, 1) + timedelta(days=730))
    (series,) = await ask(app_db, brand, *span, interval=Interval.MONTH)
    assert len(series.points) == 24
    for more in (
        {"group_by": [Dimension.LANGUAGE]},
        {"where": MentionFilter(languages=("fr",))},
        {"keys": [MetricKey.AUTHORS]},
    ):
        with pytest.raises(Invalid) as caught:
            await ask(app_db, brand, *span, interval=Interval.MONTH, **more)
        assert [problem.code for problem in caught.value.problems] == ["range_too_long"]
    ninety = (local(8, 1), datetime(2026, 10, 30, tzinfo=BRUSSELS).astimezone(UTC))
    assert await ask(app_db, brand, *ninety, keys=[MetricKey.AUTHORS])


async def test_a_channel_stops_counting_as_observed_when_it_is_removed(
    app_db: Database, owner_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    async with owner_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await channels.remove(session, scope, channel.id, now=local(11, 25, 12))
    (series,) = await ask(app_db, brand, local(11, 24), local(11, 27))
    assert [(point.value, point.complete) for point in series.points] == [(0, True), (0, False), (None, False)]


_DAY: list[Heard] = [
    said("good", local(11, 25, 1), text="good", language="fr"),
    said("better", local(11, 25, 2), text="good merci", language="fr"),
    said("bad", local(11, 25, 3), text="bad why", language="nl"),
    said("neither", local(11, 25, 4), text="hello", language="nl"),
    said("nothing to read", local(11, 25, 5), text=None),
    said("own", local(11, 25, 6), text="bad", kind=MentionKind.POST, author_kind=AuthorKind.BRAND),
    said("gone", local(11, 25, 7), text="bad"),
    Deleted("gone", local(11, 25, 8)),
]


async def _net(db: Database, brand: HouseBrand, **more: Any) -> list[Series]:
    return await ask(db, brand, local(11, 25), local(11, 26), keys=[MetricKey.NET_SENTIMENT], **more)


async def test_net_sentiment_is_of_what_was_read_and_is_not_our_own(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(worker_db, channel, *_DAY)
    (series,) = await _net(app_db, brand)
    assert (series.unit, values(series)) == ("share", [0.25])
    (point,) = series.points
    assert [point.low, point.high] == pytest.approx([-0.5515, 0.8848], abs=1e-4)


@pytest.mark.parametrize("how", ["days", "hours", "mentions"])
async def test_net_sentiment_is_the_same_however_it_is_counted(
    how: str, app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(worker_db, channel, *_DAY)
    ways: dict[str, dict[str, Any]] = {
        "days": {"interval": Interval.WEEK},
        "hours": {"interval": Interval.HOUR},
        "mentions": {"where": MentionFilter(since=local(11, 25))},
    }
    (series,) = await _net(app_db, brand, **ways[how])
    told = [point.value for point in series.points if point.value is not None]
    assert told == ([1, 1, -1, 0] if how == "hours" else [0.25])


async def test_net_sentiment_of_nothing_is_unknown(app_db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    (series,) = await _net(app_db, brand)
    assert [(point.value, point.low, point.high) for point in series.points] == [(None, None, None)]


async def test_mentions_are_counted_by_mood_and_by_each_of_their_intents(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(worker_db, channel, *_DAY)
    day = local(11, 25), local(11, 26)
    moods = await ask(app_db, brand, *day, group_by=[Dimension.SENTIMENT])
    intents = await ask(app_db, brand, *day, group_by=[Dimension.INTENT])
    assert by_dimension(moods) == {"positive": [2], "neutral": [1], "negative": [1], None: [1]}
    assert by_dimension(intents) == {"thanks": [1], "criticism": [1], "question": [1], None: [3]}


async def test_only_mentions_of_a_mood_or_an_intent_are_counted(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(worker_db, channel, *_DAY)
    day = local(11, 25), local(11, 26)
    (glad,) = await ask(app_db, brand, *day, where=MentionFilter(sentiments=(Sentiment.POSITIVE,)))
    (asking,) = await ask(app_db, brand, *day, where=MentionFilter(intents=(Intent.QUESTION, Intent.PRAISE)))
    assert (values(glad), values(asking)) == ([2], [1])
