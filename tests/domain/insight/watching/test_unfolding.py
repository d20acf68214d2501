"""An alert opens once, follows up, and closes itself."""

from datetime import UTC, datetime, timedelta

from shared.domain.insight.watching.findings import Driver, DriverKind, Finding
from shared.domain.insight.watching.unfolding import APART, CALM, LONGEST, Course, Turn, unfold
from shared.models.enums import AlertKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def finding(weight: float = 4.0, *phrases: str) -> Finding:
    drivers = tuple(Driver(DriverKind.PHRASE, phrase) for phrase in phrases)
    return Finding(
        AlertKind.VOLUME_SPIKE, NOW - timedelta(hours=1), NOW, NOW - timedelta(hours=2), 40, weight, 10.0,
        drivers=drivers,
    )  # fmt: skip


def opened() -> Course:
    course, turn = unfold(None, finding(4.0, "recall"), goes_on=False, now=NOW)
    assert course is not None
    assert turn is Turn.OPENED
    return course


def test_a_finding_opens_one_alert() -> None:
    course, turn = unfold(opened(), finding(4.0, "recall"), goes_on=True, now=NOW + MINUTE)
    assert course is not None
    assert turn is None


def test_nothing_is_found_and_nothing_opens() -> None:
    assert unfold(None, None, goes_on=False, now=NOW) == (None, None)


def test_it_is_followed_up_when_it_has_doubled_and_not_again_at_once() -> None:
    later = NOW + APART
    course, turn = unfold(opened(), finding(8.0, "recall"), goes_on=True, now=later)
    assert turn is Turn.FOLLOWED
    assert unfold(course, finding(16.0, "recall"), goes_on=True, now=later + MINUTE)[1] is None
    assert unfold(course, finding(16.0, "recall"), goes_on=True, now=later + APART)[1] is Turn.FOLLOWED


def test_it_is_followed_up_when_something_new_drives_it() -> None:
    course, turn = unfold(opened(), finding(4.0, "lawsuit", "recall"), goes_on=True, now=NOW + APART)
    assert turn is Turn.FOLLOWED
    assert unfold(course, finding(4.0, "recall", "lawsuit"), goes_on=True, now=NOW + 3 * APART)[1] is None


def test_it_is_not_followed_up_within_half_an_hour() -> None:
    assert unfold(opened(), finding(20.0, "lawsuit"), goes_on=True, now=NOW + APART - MINUTE)[1] is None


def test_it_closes_after_an_hour_of_calm() -> None:
    course, turn = unfold(opened(), None, goes_on=False, now=NOW + MINUTE)
    assert turn is None
    assert unfold(course, None, goes_on=False, now=NOW + MINUTE + CALM) == (None, Turn.CLOSED)


def test_calm_begins_anew_when_it_goes_on() -> None:
    course, _ = unfold(opened(), None, goes_on=False, now=NOW + MINUTE)
    course, _ = unfold(course, None, goes_on=True, now=NOW + CALM / 2)
    course, turn = unfold(course, None, goes_on=False, now=NOW + MINUTE + CALM)
    assert course is not None
    assert turn is None


def test_what_lasts_for_a_week_is_how_things_are_now() -> None:
    assert unfold(opened(), finding(), goes_on=True, now=NOW + LONGEST) == (None, Turn.CLOSED)


def test_while_it_is_snoozed_nothing_opens_and_nothing_is_followed_up() -> None:
    assert unfold(None, finding(), goes_on=False, now=NOW, snoozed=True) == (None, None)
    assert unfold(opened(), finding(50.0, "war"), goes_on=True, now=NOW + 2 * APART, snoozed=True)[1] is None


def test_what_is_open_closes_while_it_is_snoozed() -> None:
    course, _ = unfold(opened(), None, goes_on=False, now=NOW, snoozed=True)
    assert unfold(course, None, goes_on=False, now=NOW + CALM, snoozed=True) == (None, Turn.CLOSED)


def test_a_course_is_read_as_it_was_written() -> None:
    course, _ = unfold(opened(), None, goes_on=False, now=NOW + MINUTE)
    assert course is not None
    assert Course.read(course.shown(), opened_at=course.opened_at, since=course.since) == course
