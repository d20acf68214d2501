"""Turns, ratios and the words for them."""

from pathlib import Path

import pytest

from tests.benchmarks.measuring import (
    P99,
    RATE,
    Measurement,
    Plan,
    Samples,
    Target,
    Unverified,
    in_turns,
    percentile,
    ratio,
    side,
    verify,
)


async def test_sides_take_turns_and_the_warm_up_does_not_count() -> None:
    order: list[str] = []

    def counted(name: str) -> Samples:
        order.append(name)
        return {RATE: float(len(order))}

    async def ours() -> Samples:
        return counted("A")

    async def theirs() -> Samples:
        return counted("B")

    found = await in_turns({"A": ours, "B": theirs}, rounds=2, warm_up=1)

    assert order == ["A", "B", "A", "B", "A", "B"]
    assert [it[RATE].samples for it in found] == [(3, 5), (4, 6)]


async def test_a_round_that_is_not_proved_ends_the_benchmark() -> None:
    async def wrong() -> Samples:
        verify(False, "a row is missing")
        return {RATE: 1.0}

    with pytest.raises(Unverified, match="a row is missing"):
        await in_turns({"A": wrong}, rounds=1)


def test_a_ratio_is_of_medians() -> None:
    sides = [
        side("A", [{RATE: 10.0}, {RATE: 90.0}, {RATE: 30.0}]),
        side("B", [{RATE: 60.0}, {RATE: 1.0}, {RATE: 70.0}]),
    ]
    assert ratio(sides, RATE, "A", "B") == 0.5


def test_a_measurement_tells_its_range() -> None:
    found = Measurement(P99, (8.0, 10.0, 13.0))
    assert (found.lowest, found.median, found.highest, found.spread) == (8, 10, 13, 0.5)


@pytest.mark.parametrize(
    ("value", "sign", "met"), [(0.45, "≥", True), (0.44, "≥", False), (0.2, "≤", True), (0.3, "≤", False)]
)
def test_a_target_is_met_or_missed(value: float, sign: str, met: bool) -> None:
    limit = 0.45 if sign == "≥" else 0.2
    assert Target("x", value, "≥" if sign == "≥" else "≤", limit).is_met is met


@pytest.mark.parametrize(("share", "found"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_samples(share: float, found: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == found


def test_a_plan_picks_by_its_form() -> None:
    assert [Plan(Path(), short=short).pick(10, 1) for short in (False, True)] == [10, 1]
