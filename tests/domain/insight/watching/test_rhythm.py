"""What an hour usually brings is learnt from the brand's own weeks."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.insight.watching.learning import fit
from shared.domain.insight.watching.rhythm import HOUR, Hour
from tests.domain.insight.watching.weeks import BEGINS, BRUSSELS, after, drawn, shape, weeks

MIDDAY, NIGHT = timedelta(hours=12), timedelta(hours=3)


def mean_at(hours: list[Hour], offset: timedelta) -> float:
    """What is expected of the hour that begins so long after the last one's end."""
    now = after(hours)
    return fit(hours, BRUSSELS, now).expect(now + offset, now + offset + HOUR, {}).mean


def test_day_and_night_of_a_large_brand_are_told_apart() -> None:
    hours = weeks(8, 2400)
    assert mean_at(hours, MIDDAY) == pytest.approx(200, rel=0.06)
    assert mean_at(hours, NIGHT) == pytest.approx(10, rel=0.15)


def test_a_weekend_is_not_a_working_day() -> None:
    hours = weeks(8, 2400)
    assert mean_at(hours, MIDDAY + timedelta(days=5)) == pytest.approx(100, rel=0.1)


def test_the_hours_are_those_of_the_brands_zone_across_a_change_of_the_clocks() -> None:
    hours = weeks(12, 2400)  # the last days of March are in them
    now = after(hours)
    local = (now + MIDDAY).astimezone(BRUSSELS)
    expected = fit(hours, BRUSSELS, now).expect(now + MIDDAY, now + MIDDAY + HOUR, {}).mean
    assert expected == pytest.approx(100 * shape(local), rel=0.15)


def test_a_small_brand_is_given_its_level_and_no_rhythm_that_it_did_not_show() -> None:
    hours = weeks(8, 2)
    now = after(hours)
    day = fit(hours, BRUSSELS, now).expect(now, now + timedelta(days=1), {})
    assert day.mean == pytest.approx(2, rel=0.4)
    by_hour = [fit(hours, BRUSSELS, now).expect(now + n * HOUR, now + (n + 1) * HOUR, {}).mean for n in range(24)]
    assert max(by_hour) < 0.3


def test_a_brand_of_which_nothing_is_known_may_bring_much() -> None:
    now = BEGINS
    low, high = fit([], BRUSSELS, now).expect(now + MIDDAY, now + MIDDAY + HOUR, {}).usual()
    assert (low, high >= 4) == (0, True)


def test_the_longer_it_is_known_the_narrower_it_is() -> None:
    widths = []
    for count in (1, 2, 8):
        hours = weeks(count, 240)
        now = after(hours)
        widths.append(fit(hours, BRUSSELS, now).expect(now + MIDDAY, now + MIDDAY + HOUR, {}).spread)
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("a_day", [20, 2000])
def test_an_earlier_spike_does_not_count_as_usual(a_day: float) -> None:
    calm = weeks(8, a_day)
    shaken = weeks(8, a_day, change=lambda number, mean: mean * 15 if 500 <= number < 530 else mean)
    # Thirty hours of fifteen times as much would add half of it, were they taken as they are.
    assert mean_at(shaken, MIDDAY) == pytest.approx(mean_at(calm, MIDDAY), rel=0.35)


def test_growth_is_followed() -> None:
    hours = weeks(8, 2400, change=lambda number, mean: mean * (1 + number / (8 * 168)))
    assert mean_at(hours, MIDDAY) == pytest.approx(400, rel=0.15)


def test_what_is_marked_as_unusual_teaches_nothing() -> None:
    calm = weeks(8, 240)
    marked = [replace(hour, count=5000, usual=False) if 600 <= n < 700 else hour for n, hour in enumerate(calm)]
    assert mean_at(marked, MIDDAY) == pytest.approx(mean_at(calm, MIDDAY), rel=0.1)


def test_what_a_post_of_the_brands_own_brings_is_expected_after_one() -> None:
    chance = random.Random(3)
    hours = weeks(8, 240)
    posted = {number for number in range(60, len(hours) - 24) if chance.random() < 0.03}
    for number in posted:
        hours[number] = replace(hours[number], posts=1)
        for age, part in enumerate((0.4, 0.3, 0.2, 0.1)):
            at = number + age
            hours[at] = replace(hours[at], count=hours[at].count + drawn(chance, 60 * part))
    now = after(hours)
    rhythm = fit(hours, BRUSSELS, now)
    start = now + MIDDAY
    with_post = rhythm.expect(start, start + HOUR, {start: 1}).mean
    assert rhythm.echo == pytest.approx(60, rel=0.35)
    assert with_post > 1.5 * rhythm.expect(start, start + HOUR, {}).mean


def test_a_part_of_an_hour_is_awaited_in_part() -> None:
    hours = weeks(8, 2400)
    now = after(hours)
    rhythm = fit(hours, BRUSSELS, now)
    whole = rhythm.expect(now + MIDDAY, now + MIDDAY + HOUR, {}).mean
    assert rhythm.expect(now + MIDDAY, now + MIDDAY + HOUR / 4, {}).mean == pytest.approx(whole / 4)
    straddling = rhythm.expect(now + MIDDAY + HOUR / 2, now + MIDDAY + HOUR * 1.5, {}).mean
    assert straddling == pytest.approx(whole, rel=0.15)
