"""When things happen again: a recurrence's occurrences and a slot's, by the wall clock. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import assert_never

from shared.domain.publishing.planning import rules, wallclock
from shared.models.enums import BlackoutPolicy, Weekday
from shared.models.planning import Recurrence, Slot

_DAY = timedelta(days=1)
_FURTHEST_MOVE = 60
WEEKDAYS = {weekday: number for number, weekday in enumerate(Weekday)}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a series: the day that the rule names, the wall clock that it comes to, and its moment."""

    on: date
    local: datetime
    zone: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """The brand's days of silence, as ranges with both ends included."""

    ranges: tuple[tuple[date, date], ...] = ()

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and any(first <= day <= last for first, last in self.ranges)


def occurrences(recurrence: Recurrence, silence: Silence, since: date, until: date) -> list[Occurrence]:
    """A recurrence's occurrences whose day by the rule lies in [since, until], in order.

    A day that its zone does not have, or that a person skipped, has none. A day of silence is left out, or moves to the
    next day that is none; where an occurrence is there already, the two are one.
    """
    named = rules.days(recurrence.rule, recurrence.starts_on)
    return list(_placed(recurrence, named, silence, since, until))


def _placed(
    recurrence: Recurrence, named: Sequence[date], silence: Silence, since: date, until: date
) -> Iterator[Occurrence]:
    at, zone = time.fromisoformat(recurrence.local_time), recurrence.timezone
    skipped = frozenset(recurrence.skipped)
    moved: set[date] = set()
    # What moved here from before `since` is looked at, too, so that the same days come out of every range.
    for on in islice(named, bisect_left(named, named_since(recurrence, since)), None):
        if on > until:
            return
        if on in skipped or wallclock.is_lost(on, zone):
            continue
        day = _day_for(on, recurrence.blackouts, silence, zone)
        if day is None or (day != on and (day in moved or _is_named(day, named))):
            continue
        moved.add(day)
        if on >= since:
            local = datetime.combine(day, at)
            yield Occurrence(on, local, zone, wallclock.moment(local, zone))


def named_since(recurrence: Recurrence, since: date) -> date:
    """The first day of the rule whose occurrence may come to `since`: only where silence moves it is that another."""
    return since - _DAY * _FURTHEST_MOVE if recurrence.blackouts is BlackoutPolicy.MOVE else since


def _is_named(day: date, named: Sequence[date]) -> bool:
    place = bisect_left(named, day)
    return place < len(named) and named[place] == day


def _day_for(on: date, policy: BlackoutPolicy, silence: Silence, zone: str) -> date | None:
    if on not in silence:
        return on
    match policy:
        case BlackoutPolicy.SKIP:
            return None
        case BlackoutPolicy.MOVE:
            following = (on + _DAY * n for n in range(1, _FURTHEST_MOVE + 1))
            return next((d for d in following if d not in silence and not wallclock.is_lost(d, zone)), None)
        case _:
            assert_never(policy)


def slot_occurrences(slot: Slot, zone: str, silence: Silence, since: date, until: date) -> Iterator[Occurrence]:
    """A slot's occurrences on the days in [since, until], in order; none on a day of silence or one that is lost."""
    at = time.fromisoformat(slot.local_time)
    day = since + _DAY * ((WEEKDAYS[slot.weekday] - since.weekday()) % 7)
    while day <= until:
        if day not in silence and not wallclock.is_lost(day, zone):
            local = datetime.combine(day, at)
            yield Occurrence(day, local, zone, wallclock.moment(local, zone))
        day += _DAY * 7


def suits(slot: Slot, channel_ids: Collection[object]) -> bool:
    """Whether a post on these channels may go into the slot."""
    return not slot.channel_ids or set(channel_ids) <= set(slot.channel_ids)


def meets(slot: Slot, channel_ids: Iterable[object]) -> bool:
    """Whether a post on these channels speaks on one of the slot's."""
    return not slot.channel_ids or not set(slot.channel_ids).isdisjoint(channel_ids)
