"""Buckets of a zone's own days, and what of them was observed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.insight.buckets import Observed, bounds, observed
from shared.errors import Invalid
from shared.models import Coverage
from shared.models.enums import CoverageKind, Interval

BRUSSELS = ZoneInfo("Europe/Brussels")
DAY = timedelta(days=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]  # year, month, day, …


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BRUSSELS).astimezone(UTC)  # type: ignore[arg-type, misc]  # as above


def hours(edges: list[datetime]) -> list[float]:
    return [(b - a) / timedelta(hours=1) for a, b in pairwise(edges)]


def test_the_days_on_which_the_clocks_change_have_23_and_25_hours() -> None:
    spring = bounds(local(2026, 3, 28), local(2026, 3, 31), Interval.DAY, BRUSSELS)
    autumn = bounds(local(2026, 10, 24), local(2026, 10, 27), Interval.DAY, BRUSSELS)
    assert hours(spring) == [24, 23, 24]
    assert hours(autumn) == [24, 25, 24]


def test_hours_go_on_through_both_changes() -> None:
    for day, expected in ((29, 23), (30, 24)):
        edges = bounds(local(2026, 3, day), local(2026, 3, day + 1), Interval.HOUR, BRUSSELS)
        assert hours(edges) == [1] * expected
    assert hours(bounds(local(2026, 10, 25), local(2026, 10, 26), Interval.HOUR, BRUSSELS)) == [1] * 25


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    weeks = bounds(local(2026, 11, 2), local(2026, 11, 23), Interval.WEEK, BRUSSELS)
    assert weeks == [local(2026, 11, day) for day in (2, 9, 16, 23)]
    months = bounds(local(2026, 11, 1), local(2027, 2, 1), Interval.MONTH, BRUSSELS)
    assert months == [local(2026, 11, 1), local(2026, 12, 1), local(2027, 1, 1), local(2027, 2, 1)]


def test_the_first_and_last_bucket_end_where_the_range_does() -> None:
    edges = bounds(local(2026, 11, 4, 15, 30), local(2026, 11, 6, 1), Interval.DAY, BRUSSELS)
    assert edges == [local(2026, 11, 4, 15, 30), local(2026, 11, 5), local(2026, 11, 6), local(2026, 11, 6, 1)]


def test_a_zone_that_skips_midnight_still_has_each_day_once() -> None:
    zone = ZoneInfo("America/Santiago")
    edges = bounds(utc(2026, 9, 1), utc(2026, 9, 12), Interval.DAY, zone)
    assert [edge.astimezone(zone).day for edge in edges[1:-1]] == list(range(1, 12))


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 # naive by contract
    st.timedeltas(timedelta(seconds=1), timedelta(days=40)),
    st.sampled_from(list(Interval)),
    st.sampled_from(["Europe/Brussels", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_buckets_cover_the_range_without_gap_or_overlap(
    since: datetime, length: timedelta, interval: Interval, zone: str
) -> None:
    edges = bounds(since, since + length, interval, ZoneInfo(zone))
    assert (edges[0], edges[-1]) == (since, since + length)
    assert all(a < b for a, b in pairwise(edges))


@pytest.mark.parametrize(
    ("since", "until"),
    [(utc(2026, 1, 2), utc(2026, 1, 1)), (utc(2026, 1, 1), utc(2026, 1, 1)), (utc(1000, 1, 1), utc(2026, 1, 1))],
)
def test_an_empty_or_endless_range_is_refused(since: datetime, until: datetime) -> None:
    with pytest.raises(Invalid):
        bounds(since, until, Interval.DAY, BRUSSELS)


def interval(kind: CoverageKind, start: int, end: int | None) -> Coverage:
    return Coverage(
        brand_id=uuid4(), channel_id=uuid4(), kind=kind, via="webhook",
        from_at=utc(2026, 1, start), to_at=utc(2026, 1, end) if end else None,
    )  # fmt: skip


def test_holes_are_cut_out_of_what_was_observed() -> None:
    found = observed(
        [
            interval(CoverageKind.OBSERVED, 1, 5),
            interval(CoverageKind.OBSERVED, 4, None),
            interval(CoverageKind.HOLE, 2, 3),
            interval(CoverageKind.HOLE, 8, None),
        ],
        now=utc(2026, 1, 10),
    )
    assert found.spans == ((utc(2026, 1, 1), utc(2026, 1, 2)), (utc(2026, 1, 3), utc(2026, 1, 8)))


def test_covering_is_seeing_all_of_it() -> None:
    spans = Observed(((utc(2026, 1, 1), utc(2026, 1, 2)), (utc(2026, 1, 3), utc(2026, 1, 8))))
    assert spans.covers(utc(2026, 1, 3), utc(2026, 1, 8))
    assert not spans.covers(utc(2026, 1, 1), utc(2026, 1, 4))


_MOMENTS = st.lists(st.integers(0, 40), min_size=2, max_size=12, unique=True).map(sorted)


def _at(hour: int) -> datetime:
    return utc(2026, 1, 1) + timedelta(hours=hour)


@given(_MOMENTS, _MOMENTS)
def test_a_watch_says_of_each_bucket_whether_any_or_all_of_it_was_seen(borders: list[int], moments: list[int]) -> None:
    spans = list(zip(borders[::2], borders[1::2], strict=False))
    watch = Observed(tuple((_at(a), _at(b)) for a, b in spans)).over([_at(moment) for moment in moments])
    for n, (start, end) in enumerate(pairwise(moments)):
        seen = [any(a <= hour < b for a, b in spans) for hour in range(start, end)]
        assert (watch.touched[n], watch.covered[n]) == (any(seen), all(seen))
