"""When a mail may come: quiet hours and digests, in a person's own local time, whatever its clocks do. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.models.enums import Digest

_DAY = timedelta(days=1)
_TURNS = 30  # windows that follow each other without a gap, more than a week of them


@dataclass(frozen=True, slots=True)
class Window:
    """Quiet from one time of day to another, on the days (1 Monday to 7) on which it begins.

    An end that is not later than the beginning is on the next day.
    """

    days: frozenset[int]
    begins: time
    ends: time


@dataclass(frozen=True, slots=True)
class Wishes:
    """When somebody wants mails. Without any they come at once."""

    zone: ZoneInfo
    quiet: Sequence[Window] = ()
    urgent_breaks_through: bool = False
    digest: Digest = Digest.NONE
    digest_time: time = time(8)
    digest_day: int = 1


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment of a local time. One that the clocks leave out comes as much later as they jump; of two, the first."""
    return datetime.combine(day, at, zone).replace(fold=0).astimezone(UTC)


def mail_due(now: datetime, wishes: Wishes, *, is_urgent: bool) -> datetime:
    """When what happened `now` may be mailed."""
    if is_urgent and wishes.urgent_breaks_through:
        return now
    due = next_digest(now, wishes)
    return quiet_until(due, wishes) or due


def next_digest(now: datetime, wishes: Wishes) -> datetime:
    """The next digest after `now`; `now` itself where there is none. An hourly one comes on the hour of the clock."""
    match wishes.digest:
        case Digest.NONE:
            return now
        case Digest.HOURLY:
            local = now.astimezone(wishes.zone)
            # By what the clock shows and not by UTC: some zones are half an hour off.
            begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            return now - begun + timedelta(hours=1)
        case Digest.DAILY:
            return next(moment for _, moment in _days(now, wishes) if moment > now)
        case Digest.WEEKLY:
            return next(m for day, m in _days(now, wishes) if m > now and day.isoweekday() == wishes.digest_day)


def _days(now: datetime, wishes: Wishes) -> Iterator[tuple[date, datetime]]:
    day = now.astimezone(wishes.zone).date() - _DAY
    while True:
        yield day, instant(day, wishes.digest_time, wishes.zone)
        day += _DAY


def quiet_until(moment: datetime, wishes: Wishes) -> datetime | None:
    """When the quiet hours end in which `moment` lies; None outside of them.

    One window that ends where the next begins is one quiet time. A week without any gap is none: `is_always_quiet`.
    """
    end = None
    for _ in range(_TURNS):
        found = _window_end(end or moment, wishes)
        if found is None:
            return end
        end = found
    return None


def is_always_quiet(wishes: Wishes, *, now: datetime) -> bool:
    """Whether the windows leave no moment of the week in which anything could come."""
    end = now
    for _ in range(_TURNS):
        found = _window_end(end, wishes)
        if found is None:
            return False
        end = found
    return True


def _window_end(moment: datetime, wishes: Wishes) -> datetime | None:
    today = moment.astimezone(wishes.zone).date()
    ends = []
    for day in (today - _DAY, today):
        for window in wishes.quiet:
            if day.isoweekday() not in window.days:
                continue
            last = day if window.ends > window.begins else day + _DAY
            begins, ends_at = instant(day, window.begins, wishes.zone), instant(last, window.ends, wishes.zone)
            if begins <= moment < ends_at:
                ends.append(ends_at)
    return max(ends, default=None)
