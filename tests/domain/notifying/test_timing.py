"""When mails may come: quiet hours and digests, whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.notifying.timing import Window, Wishes, is_always_quiet, mail_due, next_digest, quiet_until
from shared.models.enums import Digest

BRUSSELS = ZoneInfo("Europe/Brussels")
ALL_WEEK = frozenset(range(1, 8))
NIGHT = Window(ALL_WEEK, time(22), time(7))


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, *, zone: ZoneInfo = BRUSSELS) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=zone).astimezone(UTC)


def test_without_wishes_a_mail_is_due_at_once() -> None:
    now = local(2026, 11, 26, 23)
    assert mail_due(now, Wishes(BRUSSELS), is_urgent=False) == now


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ((2026, 11, 26, 21, 59), None),
        ((2026, 11, 26, 22, 0), (2026, 11, 27, 7)),
        ((2026, 11, 27, 6, 59), (2026, 11, 27, 7)),
        ((2026, 11, 27, 7, 0), None),
    ],
    ids=["before", "first", "last", "after"],
)
def test_a_night_is_quiet_from_its_first_moment_up_to_its_end(
    at: tuple[int, ...], until: tuple[int, ...] | None
) -> None:
    found = quiet_until(local(*at), Wishes(BRUSSELS, [NIGHT]))
    assert found == (local(*until) if until is not None else None)


def test_a_window_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = Window(frozenset({5}), time(22), time(7))
    wishes = Wishes(BRUSSELS, [friday_night])
    assert quiet_until(local(2026, 11, 28, 3), wishes) == local(2026, 11, 28, 7)
    assert quiet_until(local(2026, 11, 27, 3), wishes) is None
    assert quiet_until(local(2026, 11, 28, 23), wishes) is None


def test_windows_that_follow_each_other_are_one_quiet_time() -> None:
    weekend = Window(frozenset({6, 7}), time(0), time(0))
    friday = Window(frozenset({5}), time(18), time(0))
    assert quiet_until(local(2026, 11, 27, 20), Wishes(BRUSSELS, [friday, weekend])) == local(2026, 11, 30, 0)


def test_a_week_without_a_gap_is_said_to_be_always_quiet() -> None:
    never = Wishes(BRUSSELS, [Window(ALL_WEEK, time(8), time(8))])
    assert is_always_quiet(never, now=local(2026, 11, 26, 12))
    assert not is_always_quiet(Wishes(BRUSSELS, [NIGHT]), now=local(2026, 11, 26, 23))


def test_what_is_urgent_breaks_through_where_the_user_says_so_and_nowhere_else() -> None:
    now = local(2026, 11, 26, 23)
    wishes = Wishes(BRUSSELS, [NIGHT], urgent_breaks_through=True, digest=Digest.DAILY)
    assert mail_due(now, wishes, is_urgent=True) == now
    assert mail_due(now, wishes, is_urgent=False) == local(2026, 11, 27, 8)
    assert mail_due(now, Wishes(BRUSSELS, [NIGHT]), is_urgent=True) == local(2026, 11, 27, 7)


def test_a_digest_that_falls_into_quiet_hours_comes_when_they_end() -> None:
    wishes = Wishes(BRUSSELS, [NIGHT], digest=Digest.DAILY, digest_time=time(23))
    assert mail_due(local(2026, 11, 26, 12), wishes, is_urgent=False) == local(2026, 11, 27, 7)


@pytest.mark.parametrize(
    ("digest", "due"),
    [
        (Digest.HOURLY, (2026, 11, 26, 13, 0)),
        (Digest.DAILY, (2026, 11, 27, 8, 0)),
        (Digest.WEEKLY, (2026, 11, 30, 8, 0)),
    ],
)
def test_the_next_digest(digest: Digest, due: tuple[int, ...]) -> None:
    assert next_digest(local(2026, 11, 26, 12, 20), Wishes(BRUSSELS, digest=digest)) == local(*due)


def test_an_hourly_digest_comes_on_the_hour_of_a_clock_that_is_half_an_hour_off() -> None:
    delhi = ZoneInfo("Asia/Kolkata")
    assert next_digest(
        local(2026, 11, 26, 12, 20, zone=delhi), Wishes(delhi, digest=Digest.HOURLY)
    ) == local(2026, 11, 26, 13, zone=delhi)  # fmt: skip


def test_a_digest_at_a_time_that_the_clocks_leave_out_comes_an_hour_later_and_once() -> None:
    wishes = Wishes(BRUSSELS, digest=Digest.DAILY, digest_time=time(2, 30))
    first = next_digest(local(2026, 3, 28, 12), wishes)
    assert first == local(2026, 3, 29, 3, 30)
    assert next_digest(first, wishes) == local(2026, 3, 30, 2, 30)


def test_a_digest_at_a_time_that_comes_twice_comes_the_first_time_only() -> None:
    wishes = Wishes(BRUSSELS, digest=Digest.DAILY, digest_time=time(2, 30))
    first = next_digest(local(2026, 10, 24, 12), wishes)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_digest(first, wishes) == local(2026, 10, 26, 2, 30)


TIMES = st.times().map(lambda found: found.replace(second=0, microsecond=0))
WISHES = st.builds(
    Wishes,
    st.sampled_from(sorted(available_timezones())).map(ZoneInfo),
    st.lists(st.builds(Window, st.frozensets(st.integers(1, 7), min_size=1), TIMES, TIMES), max_size=3),
    digest=st.sampled_from(Digest),
    digest_time=TIMES,
    digest_day=st.integers(1, 7),
)
MOMENTS = st.integers(0, 3 * 366 * 24 * 60).map(lambda minutes: local(2025, 1, 1) + timedelta(minutes=minutes))


@given(MOMENTS, WISHES)
def test_a_mail_is_never_due_before_it_happened_nor_in_quiet_hours_nor_lost(now: datetime, wishes: Wishes) -> None:
    due = mail_due(now, wishes, is_urgent=False)
    assert now <= due <= now + timedelta(days=25)
    assert quiet_until(due, wishes) is None or is_always_quiet(wishes, now=due)
