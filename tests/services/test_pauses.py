"""How long to wait before asking again."""

from datetime import timedelta

import pytest

from services import pauses

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("said", "kept"), [(timedelta(days=3650), DAY), (-DAY, SECOND), (timedelta(0), SECOND), (HOUR, HOUR)]
)
def test_a_wait_that_is_asked_for_lasts_between_a_second_and_a_day(said: timedelta, kept: timedelta) -> None:
    assert pauses.asked(said) == kept


def test_a_pause_grows_with_the_failures_up_to_its_longest() -> None:
    for failures, expected in ((1, 10), (2, 20), (5, 160), (50, 3600), (10_000, 3600)):
        pause = pauses.growing(timedelta(seconds=10), failures).total_seconds()
        assert 0.8 * expected <= pause <= 1.2 * expected
