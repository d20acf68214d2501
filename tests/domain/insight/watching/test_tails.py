"""Tails of counts: against sums of probabilities, and against themselves."""

from math import exp, lgamma, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.insight.watching.tails import Expected

MEANS = st.floats(0.01, 3000)
SPREADS = st.floats(0.005, 4)


def probability(count: int, mean: float, spread: float) -> float:
    size = 1 / spread
    ways = lgamma(count + size) - lgamma(size) - lgamma(count + 1)
    return exp(ways + size * log(size / (size + mean)) + count * log(mean / (size + mean)))


@pytest.mark.parametrize("spread", [0.01, 0.1, 1.0])
@pytest.mark.parametrize(("mean", "count"), [(0.05, 1), (0.3, 3), (6.0, 14), (80.0, 160), (900.0, 1300)])
def test_the_chance_of_as_many_is_the_sum_over_all_fewer_taken_from_one(mean: float, count: int, spread: float) -> None:
    fewer = sum(probability(n, mean, spread) for n in range(count))
    assert Expected(mean, spread).at_least(count) == pytest.approx(1 - fewer, abs=1e-9)


def test_without_a_spread_it_is_poissons() -> None:
    fewer = sum(exp(-4.0) * 4.0**n / exp(lgamma(n + 1)) for n in range(10))
    assert Expected(4.0, 0.0).at_least(10) == pytest.approx(1 - fewer, rel=0.01)


@given(MEANS, SPREADS, st.integers(0, 6000))
def test_as_many_and_fewer_make_one(mean: float, spread: float, count: int) -> None:
    expected = Expected(mean, spread)
    assert expected.at_least(count) + expected.at_most(count - 1) == pytest.approx(1, abs=1e-7)


@given(MEANS, SPREADS, st.floats(1e-6, 0.5))
def test_the_least_unlikely_count_is_the_first_that_is_unlikely(mean: float, spread: float, chance: float) -> None:
    expected = Expected(mean, spread)
    count = expected.least_unlikely(chance)
    assert expected.at_least(count) <= chance
    assert count == int(mean) or expected.at_least(count - 1) > chance


def test_a_wider_spread_makes_much_less_surprising() -> None:
    assert Expected(100, 0.3).at_least(180) > 100 * Expected(100, 0.01).at_least(180)


def test_what_usually_comes_lies_around_the_mean() -> None:
    low, high = Expected(50, 0.05).usual()
    assert 20 < low < 50 < high < 90
