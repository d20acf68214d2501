"""What stands out: authors, sources, topics, intents, counted; phrases that rise, read."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contract import Author, Counted, Deleted, Heard
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.insight import tops
from shared.domain.insight.tops import Top
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.readings import Readings
from shared.domain.listening.record import record
from shared.errors import Invalid
from shared.models.enums import AuthorKind, MentionKind, Network, TopKind
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.insight.test_metrics import LATER, local, said
from tests.domain.listening import words

DAY = {"since": local(11, 22), "until": local(11, 23)}


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def hear(db: Database, channel: HouseChannel, *heard: Heard) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        part = HeardPart(channel.id, channel.channel.network, str(channel.id), list(heard))
        await record(session, scope, [part], now=LATER, readings=Readings(words.read))


async def ask(db: Database, brand: HouseBrand, what: TopKind, **more: Any) -> Top:
    async with db.reading() as session:
        scope = await scopes.house(session, brand.brand_id)
        return await tops.of(session, scope, what=what, now=LATER, **{**DAY, **more})


def of_day(n: int, day: int = 22, text: str = "x", author: str = "a", **more: Any) -> Any:
    return said(f"{day}-{n}", local(11, day, 10) + timedelta(minutes=n), text=text, author=Author(author), **more)


async def test_authors_come_by_how_much_they_said_beside_the_time_before(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    lea = Author("lea", handle="@lea", name="Léa")
    await hear(
        worker_db, channel,
        *(said(f"l{n}", local(11, 22, 9 + n), author=lea, text="good" if n else "bad") for n in range(3)),
        Counted("l0", local(11, 22, 20), likes=3, shares=2),
        of_day(1, author="tom"), of_day(2, author="gone"), Deleted("22-2", local(11, 22, 23)),
        of_day(3, author="us", kind=MentionKind.POST, author_kind=AuthorKind.BRAND),
        of_day(1, day=21, author="tom"), of_day(2, day=21, author="tom"),
    )  # fmt: skip
    found = await ask(app_db, brand, TopKind.AUTHORS)
    first, second = found.items
    assert (first.value, first.name, first.mentions, first.share, first.engagement) == ("@lea", "Léa", 3, 0.75, 5)
    assert (first.previous, first.change) == (0, None)
    assert first.net_sentiment == pytest.approx(1 / 3)
    assert (second.value, second.name, second.mentions, second.previous, second.change) == ("tom", None, 1, 2, -0.5)
    assert first.id is not None
    assert (found.mentions, found.previous, found.sampled) == (4, 2, False)


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://www.Example.org/a?b=https://other.test", "example.org"),
        ("http://user:word@blog.example.org:8080/x", "blog.example.org"),
        ("https://example.org", "example.org"),
        ("mailto:a@example.org", "generic"),
        (None, "generic"),
    ],
)
async def test_a_source_is_the_host_of_the_own_address_or_else_the_network(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel, url: str | None, source: str
) -> None:
    await hear(worker_db, channel, of_day(1, url=url))
    found = await ask(app_db, brand, TopKind.SOURCES)
    assert [(one.value, one.mentions, one.id) for one in found.items] == [(source, 1, None)]


async def test_topics_and_intents_count_a_mention_for_each_that_it_has(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(
        worker_db, channel, of_day(1, text="why bad delivery"), of_day(2, text="why"), of_day(3, text=""),
        of_day(1, day=21, text="why"),
    )  # fmt: skip
    intents = await ask(app_db, brand, TopKind.INTENTS)
    assert ("question", 2, 1) in {(one.value, one.mentions, one.previous) for one in intents.items}
    assert intents.mentions == 3
    topics = await ask(app_db, brand, TopKind.TOPICS)
    assert topics.items
    assert all(one.share == one.mentions / 3 for one in topics.items)


async def test_no_more_are_given_than_asked_for(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(worker_db, channel, *(of_day(n, author=f"u{n // 2}") for n in range(9)))
    found = await ask(app_db, brand, TopKind.AUTHORS, first=2)
    assert [one.mentions for one in found.items] == [2, 2]
    assert [one.value for one in (await ask(app_db, brand, TopKind.AUTHORS)).items][-1] == "u4"


async def test_filters_and_words_narrow_what_is_counted_before_too(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(
        worker_db, channel, of_day(1, text="bier"), of_day(2, text="thee", author="b"),
        of_day(1, day=21, text="bier"), of_day(2, day=21, text="thee"),
    )  # fmt: skip
    found = await ask(app_db, brand, TopKind.AUTHORS, where=MentionFilter(search="bier"))
    assert [(one.value, one.mentions, one.share, one.previous) for one in found.items] == [("a", 1, 1.0, 1)]
    nothing = await ask(app_db, brand, TopKind.AUTHORS, where=MentionFilter(networks=(Network.MASTODON,)))
    assert (nothing.items, nothing.mentions) == ([], 0)


async def test_phrases_rise_that_stand_in_more_mentions_than_before(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    often = "the delivery was late again"
    await hear(
        worker_db, channel,
        *(of_day(n, day=21, text=often, author=f"u{n}") for n in range(10)),
        *(of_day(n, text=often, author=f"u{n}") for n in range(10)),
        *(of_day(20 + n, text="a glass splinter in my jar", author=f"v{n}") for n in range(6)),
        Counted("22-20", local(11, 22, 20), likes=7),
        *(of_day(30 + n, text="one voice shouting", author="loud") for n in range(6)),
    )  # fmt: skip
    found = await ask(app_db, brand, TopKind.PHRASES)
    risen = {one.value: one for one in found.items}
    assert "glass splinter" in risen
    one = risen["glass splinter"]
    assert (one.mentions, one.previous, one.change, one.engagement, one.net_sentiment) == (6, 0, None, 7, None)
    assert one.score is not None
    assert one.score > 1
    assert not {name for name in risen if "shouting" in name}
    usual = [one for name, one in risen.items() if "delivery" in name]
    assert all(found.items.index(other) > found.items.index(one) for other in usual)
    assert (found.mentions, found.previous, found.sampled) == (22, 10, False)


async def test_where_there_is_more_than_is_read_the_answer_says_so(
    app_db: Database, worker_db: Database, brand: HouseBrand, channel: HouseChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tops, "MOST_TEXTS", 4)
    await hear(worker_db, channel, *(of_day(n, text="glass splinter", author=f"u{n}") for n in range(6)))
    found = await ask(app_db, brand, TopKind.PHRASES)
    assert (found.sampled, found.mentions) == (True, 4)
    assert [one.mentions for one in found.items] == [4]


@pytest.mark.parametrize("what", list(TopKind))
async def test_of_nothing_there_is_no_top(app_db: Database, brand: HouseBrand, what: TopKind) -> None:
    found = await ask(app_db, brand, what)
    assert (found.items, found.mentions, found.previous, found.sampled) == ([], 0, 0, False)
    assert found.definition


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"first": 0}, "limit_out_of_range"),
        ({"first": 101}, "limit_out_of_range"),
        ({"since": local(11, 23)}, "empty_range"),
        ({"since": local(7, 1)}, "range_too_long"),
    ],
    ids=["none", "too many", "no time", "too long"],
)
async def test_what_cant_be_answered_is_refused(
    app_db: Database, brand: HouseBrand, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await ask(app_db, brand, TopKind.PHRASES, **more)
    assert [one.code for one in refused.value.problems] == [code]
