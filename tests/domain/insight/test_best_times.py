"""Best times come from the brand's own results, and few posts are believed little."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.insight.best_times import FEWEST, judge

BRUSSELS = ZoneInfo("Europe/Brussels")
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def results(
    weeks: int, effects: dict[tuple[int, int], float], *, noise: float = 0.5, seed: int = 1
) -> list[tuple[datetime, float]]:
    """Posts of so many weeks at these hours (UTC, from Monday), their results around 3 plus the hour's effect."""
    chance = random.Random(seed)
    return [
        (MONDAY + timedelta(weeks=week, days=day, hours=hour), chance.gauss(3 + effect, noise))
        for week in range(weeks)
        for (day, hour), effect in effects.items()
    ]


def test_the_hour_that_does_better_comes_first_in_the_brands_zone() -> None:
    found = judge(results(20, {(1, 9): 1.0, (3, 17): 0.0, (5, 12): -0.5}), BRUSSELS)
    assert found.enough
    assert (found.hours[0].weekday, found.hours[0].hour) == (1, 10)
    assert found.hours[0].low > 1


def test_a_single_lucky_post_does_not_beat_an_hour_that_is_good_again_and_again() -> None:
    steady = results(15, {(1, 9): 0.8, (3, 17): 0.0, (4, 17): -0.2})
    lucky = [(MONDAY + timedelta(days=6, hours=3), 4.2)]
    first = judge([*steady, *lucky], BRUSSELS).hours[0]
    assert (first.weekday, first.hour) == (1, 10)


def test_the_more_posts_the_narrower() -> None:
    effects = {(1, 9): 0.5, (3, 17): -0.5}
    few, many = (judge(results(weeks, effects), BRUSSELS).hours[0] for weeks in (5, 80))
    assert many.high - many.low < few.high - few.low


def test_too_few_posts_suggest_nothing() -> None:
    assert not judge(results(2, {(1, 9): 1.0, (2, 9): 0.0}), BRUSSELS).enough
    assert judge([], BRUSSELS).posts == 0
    assert FEWEST > 4


def test_the_true_effect_lies_within_the_interval_about_as_often_as_said() -> None:
    hits = total = 0
    chance = random.Random(7)
    for seed in range(60):
        effects = {(day, hour): chance.gauss(0, 0.4) for day in range(5) for hour in (8, 12, 17)}
        found = judge(results(6, effects, seed=seed), ZoneInfo("UTC"))
        usual = sum(effects.values()) / len(effects)
        for one in found.hours:
            truth = 2.718281828 ** (effects[one.weekday, one.hour] - usual)
            hits += one.low <= truth <= one.high
            total += 1
    assert hits / total == pytest.approx(0.9, abs=0.06)


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0, 12)), max_size=60))
def test_whatever_the_results_an_hour_is_between_its_own_mean_and_the_usual(told: list[tuple[int, float]]) -> None:
    found = judge([(MONDAY + timedelta(hours=at), value) for at, value in told], BRUSSELS)
    assert sum(one.posts for one in found.hours) == len(told) == found.posts
    assert all(one.low <= one.expected <= one.high for one in found.hours)
