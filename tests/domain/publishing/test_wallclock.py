"""Wall-clock time and its moment, in every zone there is, at every change of the clocks there was and will be."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.publishing.planning import repeats, rules, wallclock
from shared.domain.publishing.planning.repeats import Silence
from shared.errors import Invalid
from shared.ids import new_uuid
from shared.models.enums import BlackoutPolicy, Weekday
from shared.models.planning import Recurrence, Slot
from tests.conftest import NOW

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
BRUSSELS = "Europe/Brussels"
DAY = timedelta(days=1)
any_zone = st.sampled_from(ZONES)
any_day = st.dates(date(1975, 1, 1), date(2060, 12, 31))
any_time = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def at(text: str, zone: str) -> str:
    return wallclock.moment(datetime.fromisoformat(text), zone).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("zone", "local", "moment"),
    [
        (BRUSSELS, "2027-03-28T01:59", "2027-03-28T00:59"),
        (BRUSSELS, "2027-03-28T02:30", "2027-03-28T01:30"),
        (BRUSSELS, "2027-03-28T03:00", "2027-03-28T01:00"),
        (BRUSSELS, "2026-10-25T02:30", "2026-10-25T00:30"),
        (BRUSSELS, "2026-10-25T03:00", "2026-10-25T02:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45"),
        ("Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45"),
        ("Asia/Kathmandu", "2026-12-01T10:00", "2026-12-01T04:15"),
        ("Pacific/Chatham", "2027-01-15T10:00", "2027-01-14T20:15"),
        ("Africa/Casablanca", "2026-12-01T10:00", "2026-12-01T09:00"),
        ("Africa/Casablanca", "2027-02-20T10:00", "2027-02-20T10:00"),
        ("Pacific/Apia", "2011-12-30T10:00", "2011-12-30T20:00"),
    ],
)
def test_wall_clock_time_has_one_moment(zone: str, local: str, moment: str) -> None:
    assert at(local, zone) == moment


@given(zone=any_zone, day=any_day, time_=any_time)
@settings(max_examples=400, deadline=None)
def test_the_moment_shows_the_wall_clock_that_was_meant_or_what_a_change_of_the_clocks_makes_of_it(
    zone: str, day: date, time_: time
) -> None:
    local = datetime.combine(day, time_)
    moment = wallclock.moment(local, zone)
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if shown != local:
        # The clocks skip it: it moves on by what is skipped, and by nothing else.
        skipped = shown - local
        before, after = moment - skipped - timedelta(seconds=1), moment
        offsets = [m.astimezone(ZoneInfo(zone)).utcoffset() for m in (before, after)]
        assert offsets[1] - offsets[0] == skipped  # type: ignore[operator]
        return
    # Of two moments that show it, it is the first.
    for back in range(1, 4 * 24):
        earlier = (moment - timedelta(minutes=15) * back).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert earlier != local


@given(zone=any_zone, start=any_day, time_=any_time)
@settings(max_examples=300, deadline=None)
def test_the_same_time_day_after_day_is_in_order_and_no_moment_comes_twice(zone: str, start: date, time_: time) -> None:
    days = [start + DAY * n for n in range(400)]
    moments = [wallclock.moment(datetime.combine(day, time_), zone) for day in days if not wallclock.is_lost(day, zone)]
    assert all(a < b for a, b in pairwise(moments))


def test_samoa_lost_one_day_and_kwajalein_another() -> None:
    for zone, lost in (("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))):
        around = [lost + DAY * n for n in range(-3, 4)]
        assert [day for day in around if wallclock.is_lost(day, zone)] == [lost]


@pytest.mark.parametrize("value", ["2026-12-01 10:00", "2026-13-01T10:00", "10:00", "2026-12-01T10:00Z", ""])
def test_what_is_no_wall_clock_time_is_refused_by_its_place(value: str) -> None:
    with pytest.raises(Invalid) as refused:
        wallclock.read_local(value, "local_time")
    assert refused.value.problems[0].path == ("local_time",)


# ---------------------------------------------------------------- rules, against counting by hand


def matches(parts: dict[str, str], start: date, day: date) -> bool:
    """Whether a day is one of the rule's, looked at by itself: the definition of RFC 5545, without its algorithm."""
    every, frequency = int(parts.get("INTERVAL", "1")), parts["FREQ"]
    weekdays = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    month_days = [int(one) for one in parts["BYMONTHDAY"].split(",")] if "BYMONTHDAY" in parts else []
    monday = day - DAY * day.weekday()
    period = {
        "DAILY": (day - start).days,
        "WEEKLY": (monday - (start - DAY * start.weekday())).days // 7,
        "MONTHLY": (day.year - start.year) * 12 + day.month - start.month,
        "YEARLY": day.year - start.year,
    }[frequency]
    if period % every:
        return False
    length = ((day.replace(day=28) + DAY * 4).replace(day=1) - DAY).day
    if month_days and day.day not in {n if n > 0 else length + 1 + n for n in month_days}:
        return False
    if weekdays:
        name = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day.weekday()]
        from_start, from_end = (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)
        return any(one[-2:] == name and (not one[:-2] or int(one[:-2]) in {from_start, from_end}) for one in weekdays)
    if month_days:
        return True
    return {
        "DAILY": True,
        "WEEKLY": day.weekday() == start.weekday(),
        "MONTHLY": day.day == start.day,
        "YEARLY": (day.month, day.day) == (start.month, start.day),
    }[frequency]


@st.composite
def any_rule(draw: st.DrawFn) -> dict[str, str]:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"FREQ": frequency}
    days = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
    month_days = st.integers(1, 31) | st.integers(-31, -1)
    by_month_day = frequency != "WEEKLY" and draw(st.booleans())
    if by_month_day:
        parts["BYMONTHDAY"] = ",".join(map(str, draw(st.lists(month_days, min_size=1, max_size=4, unique=True))))
    if draw(st.booleans()):
        place = st.sampled_from(["1", "2", "3", "4", "5", "-1", "-2", "-5"])
        is_counted = frequency == "MONTHLY" and not by_month_day and draw(st.booleans())
        named = st.builds(str.__add__, place, days) if is_counted else days
        parts["BYDAY"] = ",".join(draw(st.lists(named, min_size=1, max_size=4, unique=True)))
    if frequency != "DAILY" or parts.keys() == {"FREQ"}:
        parts["INTERVAL"] = str(draw(st.integers(1, 14)))
    return parts


@given(parts=any_rule(), start=st.dates(date(2020, 1, 1), date(2035, 12, 31)), length=st.integers(0, 1500))
@settings(max_examples=400, deadline=None)
def test_a_rule_has_exactly_the_days_that_are_found_by_looking_at_each(
    parts: dict[str, str], start: date, length: int
) -> None:
    until = start + DAY * length
    by_hand = [day for n in range(length + 1) if matches(parts, start, day := start + DAY * n)]
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    rule = rules.read(f"{text};UNTIL={until:%Y%m%d}")
    assert list(rules.days(rule.text, start)) == by_hand[:1001]
    if by_hand:
        count = min(len(by_hand), 7)
        counted = rules.read(f"RRULE:{text};COUNT={count}".lower())
        assert list(rules.days(counted.text, start)) == by_hand[:count]


@pytest.mark.parametrize(
    "text",
    [
        "", "FREQ=DAILY", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=SECONDLY;COUNT=2", "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=2;BYHOUR=3", "FREQ=DAILY;COUNT=2;COUNT=3", "FREQ=DAILY;INTERVAL=2;BYDAY=MO;COUNT=2",
        "FREQ=WEEKLY;BYMONTHDAY=3;COUNT=2", "FREQ=WEEKLY;BYDAY=1MO;COUNT=2", "FREQ=MONTHLY;BYDAY=6MO;COUNT=2",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=3;COUNT=2", "FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2", "FREQ=DAILY;COUNT=٣",
        "FREQ=MONTHLY;BYDAY=MO,2WE;COUNT=2",
        "FREQ=DAILY;UNTIL=2027-01-01", "FREQ=DAILY;UNTIL=20271301", "FREQ=DAILY;INTERVAL=9999999;COUNT=2",
    ],
)  # fmt: skip
def test_a_rule_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.read(text)
    assert refused.value.problems[0].path == ("rule",)


# ---------------------------------------------------------------- random calendars over all zones

any_silence = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 9)), max_size=5)


@given(
    zone=any_zone, start=any_day, time_=any_time, parts=any_rule(), silent=any_silence,
    policy=st.sampled_from(BlackoutPolicy), skipped=st.sets(st.integers(0, 200), max_size=5),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_of_a_recurrence_none_is_missed_none_comes_twice_and_the_order_is_kept(
    zone: str, start: date, time_: time, parts: dict[str, str], silent: list[tuple[int, int]],
    policy: BlackoutPolicy, skipped: set[int],
) -> None:  # fmt: skip
    text = rules.read(";".join(f"{k}={v}" for k, v in parts.items()) + f";UNTIL={start + DAY * 200:%Y%m%d}").text
    silence = Silence(tuple((start + DAY * a, start + DAY * (a + n)) for a, n in silent))
    one = Recurrence(
        brand_id=new_uuid(), template={}, rule=text, starts_on=start, local_time=time_.strftime("%H:%M"), timezone=zone,
        blackouts=policy, skipped=[start + DAY * n for n in skipped], created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    last = start + DAY * 200
    found = repeats.occurrences(one, silence, start, last)
    moments = [occurrence.at for occurrence in found]
    assert moments == sorted(set(moments))
    assert len({occurrence.on for occurrence in found}) == len(found)
    # Cut into pieces anywhere, the same come out.
    cut = start + DAY * 57
    assert repeats.occurrences(one, silence, start, cut) + repeats.occurrences(one, silence, cut + DAY, last) == found
    by_day = {occurrence.on: occurrence for occurrence in found}
    for day in rules.days(text, start):
        if day in one.skipped or wallclock.is_lost(day, zone):
            assert day not in by_day
        elif day not in silence:
            assert by_day[day].local == datetime.combine(day, time_)
        elif policy is BlackoutPolicy.SKIP:
            assert day not in by_day
    assert all(occurrence.local.date() not in silence for occurrence in found)


@given(zone=any_zone, start=any_day, time_=any_time, weekday=st.sampled_from(Weekday), silent=any_silence)
@settings(max_examples=200, deadline=None)
def test_of_a_slot_every_week_has_its_occurrence_but_for_days_of_silence_and_lost_ones(
    zone: str, start: date, time_: time, weekday: Weekday, silent: list[tuple[int, int]]
) -> None:
    silence = Silence(tuple((start + DAY * a, start + DAY * (a + n)) for a, n in silent))
    slot = Slot(brand_id=new_uuid(), weekday=weekday, local_time=time_.strftime("%H:%M"), created_at=NOW)
    found = list(repeats.slot_occurrences(slot, zone, silence, start, start + DAY * 200))
    expected = [
        day
        for day in (start + DAY * n for n in range(201))
        if day.weekday() == list(Weekday).index(weekday) and day not in silence and not wallclock.is_lost(day, zone)
    ]
    assert [occurrence.on for occurrence in found] == expected
    moments = [occurrence.at for occurrence in found]
    assert moments == sorted(set(moments))
    assert all(moment.tzinfo is UTC for moment in moments)
