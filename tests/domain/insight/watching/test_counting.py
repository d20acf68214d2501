"""Spikes and silence, held against what is usual."""

from datetime import datetime, timedelta

import pytest

from shared.domain.insight.watching import counting
from shared.domain.insight.watching.counting import Counted, Told
from shared.domain.insight.watching.learning import fit
from shared.domain.insight.watching.rhythm import HOUR, Hour, Rhythm
from shared.domain.insight.watching.sensitivity import CARES
from shared.models.enums import AlertSensitivity
from tests.domain.insight.watching.weeks import BRUSSELS, after, shape, weeks

CARE = CARES[AlertSensitivity.MEDIUM]
PAST = weeks(8, 240)
NOON = after(PAST) + timedelta(hours=12)
RHYTHM = fit(PAST, BRUSSELS, after(PAST))


def counted(hours: list[int], *, hour: int | None = None, quarter: int | None = None, now: datetime = NOON) -> Counted:
    """The past, then these hours, the last of which has just ended."""
    more = [Hour(now - (len(hours) - n) * HOUR, count) for n, count in enumerate(hours)]
    before = [one for one in PAST if one.at < more[0].at] if more else PAST
    filled = [
        Hour(at, round(10 * shape(at.astimezone(BRUSSELS))))
        for at in (before[-1].at + n * HOUR for n in range(1, 400))
        if more and at < more[0].at
    ]
    last = hours[-1] if hours else 0
    return Counted(
        now, [*before, *filled, *more], last if hour is None else hour, last // 4 if quarter is None else quarter
    )


def usual(now: datetime = NOON, count: int = 12) -> list[int]:
    return [round(10 * shape((now - n * HOUR).astimezone(BRUSSELS))) for n in range(count, 0, -1)]


def test_a_usual_day_has_no_spike() -> None:
    assert counting.spike(RHYTHM, counted(usual()), CARE) is None


def test_five_times_the_usual_is_a_spike_that_says_what_was_expected() -> None:
    found = counting.spike(RHYTHM, counted([*usual()[:-1], 100], quarter=25), CARE)
    assert found is not None
    assert found.expected is not None
    assert found.seen > 4 * found.expected
    assert found.low is not None
    assert found.low <= found.expected <= (found.high or 0) < found.seen
    assert (found.chance or 1) < 1e-4


def test_a_spike_began_with_the_first_hour_that_was_too_much() -> None:
    found = counting.spike(RHYTHM, counted([*usual()[:-3], 90, 100, 110]), CARE)
    assert found is not None
    assert found.since == NOON - 3 * HOUR


def test_a_burst_is_found_within_the_quarter_in_which_it_comes() -> None:
    found = counting.spike(RHYTHM, counted(usual(), hour=70, quarter=60), CARE)
    assert found is not None
    assert found.length <= 1


def test_slow_growth_that_no_hour_shows_is_found_in_a_longer_window() -> None:
    slow = [round(3.1 * count) + 1 for count in usual(count=24)]
    found = counting.spike(RHYTHM, counted(slow), CARE)
    assert found is not None
    assert found.length >= 6


def test_less_than_the_fewest_is_no_spike_however_unlikely() -> None:
    small = weeks(8, 1)
    rhythm = fit(small, BRUSSELS, after(small))
    now = after(small)
    seen = Counted(now, [*small[:-1], Hour(small[-1].at, CARE.fewest - 1)], CARE.fewest - 1, CARE.fewest - 1)
    assert counting.spike(rhythm, seen, CARE) is None
    assert counting.spike(rhythm, seen, CARES[AlertSensitivity.HIGH]) is not None


def test_hours_that_were_spoken_of_are_not_spoken_of_again() -> None:
    storm = [*usual(count=24)[:-8], 150, 150, 150, 150, *usual(count=4)]
    told = Told(NOON - 8 * HOUR, NOON - 4 * HOUR)
    assert counting.spike(RHYTHM, counted(storm), CARE) is not None
    assert counting.spike(RHYTHM, counted(storm), CARE, told) is None


def test_a_spike_goes_on_while_there_is_plainly_more_than_usual_and_no_longer() -> None:
    assert counting.goes_on(RHYTHM, counted([*usual()[:-1], 45]), 0.25)
    assert not counting.goes_on(RHYTHM, counted(usual()), 0.25)


def test_what_an_own_post_brings_is_no_spike() -> None:
    rhythm = Rhythm(
        BRUSSELS, RHYTHM.level, RHYTHM.sureness, RHYTHM.factors, RHYTHM.doubts, 200.0, RHYTHM.clumps, RHYTHM.spreads
    )  # fmt: skip
    hours = counted([*usual()[:-1], 85], quarter=20)
    posted = [Hour(h.at, h.count, 1 if h.at == NOON - HOUR else 0) for h in hours.hours]
    assert counting.spike(rhythm, hours, CARE) is not None
    assert counting.spike(rhythm, Counted(NOON, posted, 85, 20), CARE) is None


def test_a_day_without_a_word_is_silence_and_began_after_the_last_one() -> None:
    found = counting.silence(RHYTHM, counted([0] * 14), CARE)
    assert found is not None
    assert found.since == NOON - 14 * HOUR
    assert (found.expected or 0) > 30


@pytest.mark.parametrize("hours", [1, 2])
def test_a_quiet_hour_is_no_silence(hours: int) -> None:
    assert counting.silence(RHYTHM, counted([*usual()[:-hours], *[0] * hours]), CARE) is None


def test_a_quiet_night_is_no_silence() -> None:
    dawn = NOON - timedelta(hours=6)
    assert counting.silence(RHYTHM, counted([*usual(dawn)[:-7], *[0] * 7], now=dawn), CARE) is None


def test_hours_that_nobody_watched_are_no_silence() -> None:
    hours = counted([0] * 14)
    unseen = [Hour(h.at, h.count, h.posts, usual=h.at < NOON - 14 * HOUR) for h in hours.hours]
    assert counting.silence(RHYTHM, Counted(NOON, unseen, 0, 0), CARE) is None


def test_a_small_brand_is_silent_only_after_days() -> None:
    small = weeks(8, 5)
    rhythm = fit(small, BRUSSELS, after(small))
    for days, is_silent in ((1, False), (7, True)):
        quiet = [Hour(after(small) + n * HOUR, 0) for n in range(days * 24)]
        now = after(small) + timedelta(days=days)
        assert (counting.silence(rhythm, Counted(now, [*small, *quiet], 0, 0), CARE) is not None) is is_silent


def test_silence_is_over_when_people_speak_again() -> None:
    assert not counting.speaks_again(RHYTHM, counted([0] * 14))
    assert counting.speaks_again(RHYTHM, counted([*[0] * 10, 15, 20, 18]))
