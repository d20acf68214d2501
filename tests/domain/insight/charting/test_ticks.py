"""Which buckets are named, and how."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.insight.charting.look import ChartLanguage
from shared.domain.insight.charting.words import WORDS
from shared.models.enums import Interval
from tests.domain.insight.charting.drawn import BRUSSELS, ENGLISH, MIDNIGHT, buckets, days


def test_days_are_named_by_the_clocks_of_the_zone() -> None:
    assert days(3).names(ENGLISH) == ["2 Nov 2026", "3 Nov 2026", "4 Nov 2026"]


def test_every_bucket_is_named_where_there_is_room() -> None:
    assert days(3).ticks(ENGLISH, 5) == {0: "2 Nov", 1: "3 Nov", 2: "4 Nov"}


def test_weeks_are_named_by_their_mondays() -> None:
    assert days(28).ticks(ENGLISH, 6) == {0: "2 Nov", 7: "9 Nov", 14: "16 Nov", 21: "23 Nov"}


def test_months_are_named_in_a_year_of_days() -> None:
    found = days(365).ticks(ENGLISH, 14)
    assert list(found.values())[:3] == ["Nov 2026", "Dec 2026", "Jan 2027"]
    assert found[29] == "Dec 2026"


@pytest.mark.parametrize("most", [2, 3, 5, 8, 20])
@pytest.mark.parametrize("interval", list(Interval), ids=[one.value for one in Interval])
def test_there_are_never_more_names_than_room(interval: Interval, most: int) -> None:
    span = {Interval.HOUR: 20, Interval.DAY: 700, Interval.WEEK: 4000, Interval.MONTH: 20000}[interval]
    found = buckets(MIDNIGHT + timedelta(hours=5), MIDNIGHT + timedelta(days=span), interval)
    assert 1 <= len(found.ticks(ENGLISH, most)) <= most


def test_an_hour_that_comes_twice_stands_there_twice() -> None:
    summer_ends = datetime(2026, 10, 25, tzinfo=UTC)
    found = buckets(summer_ends, summer_ends + timedelta(hours=3), Interval.HOUR, BRUSSELS)
    assert [name[-5:] for name in found.names(ENGLISH)] == ["02:00", "02:00", "03:00"]


@pytest.mark.parametrize(
    ("language", "name", "span"),
    [
        ("fr", "2 nov. 2026", "2 nov. 2026 – 8 nov. 2026"),
        ("nl", "2 nov 2026", "2 nov 2026 – 8 nov 2026"),
        ("de", "2. Nov. 2026", "2. Nov. 2026 – 8. Nov. 2026"),
        ("en", "2 Nov 2026", "2 Nov 2026 – 8 Nov 2026"),
    ],
)
def test_each_language_writes_days_its_own_way(language: str, name: str, span: str) -> None:
    words = WORDS[ChartLanguage(language)]
    assert days(7).names(words)[0] == name
    assert days(7).span(words) == span


def test_a_week_is_named_from_its_first_day_to_its_last() -> None:
    found = buckets(MIDNIGHT, MIDNIGHT + timedelta(days=14), Interval.WEEK)
    assert found.names(ENGLISH) == ["2 Nov – 8 Nov 2026", "9 Nov – 15 Nov 2026"]
