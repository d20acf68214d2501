"""A share of few is worth little, and says so."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.insight.points import net_sentiment

_COUNTS = st.integers(0, 10_000)


@given(positive=_COUNTS, neutral=_COUNTS, negative=_COUNTS)
def test_a_share_lies_within_its_bounds(positive: int, neutral: int, negative: int) -> None:
    found = net_sentiment(positive, neutral, negative)
    if found is None:
        assert positive + neutral + negative == 0
        return
    value, low, high = found
    assert -1 <= low <= value <= high <= 1
    assert low < high


@given(positive=_COUNTS, neutral=_COUNTS, negative=_COUNTS.filter(bool))
def test_what_is_turned_around_is_mirrored(positive: int, neutral: int, negative: int) -> None:
    value, low, high = net_sentiment(positive, neutral, negative) or (math.nan,) * 3
    assert list(net_sentiment(negative, neutral, positive) or ()) == pytest.approx([-value, -high, -low])


def test_ten_times_as_many_are_known_three_times_as_well() -> None:
    _, low, high = net_sentiment(300, 400, 300) or (0, 0, 0)
    _, lower, higher = net_sentiment(30, 40, 30) or (0, 0, 0)
    assert (higher - lower) / (high - low) == pytest.approx(math.sqrt(10), rel=0.01)


def test_the_interval_is_that_of_the_published_formula() -> None:
    # Of 50 pairs 12 go one way and 4 the other: (13 - 5) / 52, and 1.96 times the root of (18/52 - (8/52)^2) / 52.
    assert list(net_sentiment(12, 34, 4) or ()) == pytest.approx([0.16, -0.000502, 0.308194], abs=1e-6)
