"""Rules of recurrence: a part of RFC 5545's RRULE, with an end. Pure: days in, days out."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from dateutil.rrule import rrulestr

from shared.domain.publishing.planning.wallclock import wrong

MOST = 1000
LONGEST = timedelta(days=3653)
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL")
_TOO_LONG = "a recurrence goes on for ten years at most, and for 1,000 occurrences"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was checked. `until` is the last day; `text` is the rule as it is kept."""

    text: str
    count: int | None
    until: date | None


def read(text: str) -> Rule:
    """The rule that a person wrote. Raises Invalid at `rule`, saying which part is wrong."""
    parts = _parts(text.strip().upper().removeprefix("RRULE:"))
    frequency = parts.get("FREQ")
    if frequency not in _FREQUENCIES:
        raise _bad(f"FREQ is one of {', '.join(_FREQUENCIES)}")
    interval = _number(parts, "INTERVAL", 1, 366) if "INTERVAL" in parts else 1
    if "BYDAY" in parts:
        _check_days(parts["BYDAY"], frequency, "BYMONTHDAY" in parts)
    if "BYMONTHDAY" in parts:
        _check_month_days(parts["BYMONTHDAY"], frequency)
    # Such a rule may have no day at all, and the library would look for the first one up to the year 9999.
    if frequency == "DAILY" and interval > 1 and parts.keys() & {"BYDAY", "BYMONTHDAY"}:
        raise _bad("with FREQ=DAILY, BYDAY and BYMONTHDAY go with INTERVAL=1 only; FREQ=WEEKLY may be what you mean")
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise wrong("no_end", "say when it ends: either COUNT=… or UNTIL=…, one of the two", "rule")
    count = _number(parts, "COUNT", 1, MOST) if "COUNT" in parts else None
    until = _until(parts["UNTIL"]) if "UNTIL" in parts else None
    return Rule(";".join(f"{name}={parts[name]}" for name in _KNOWN if name in parts), count, until)


def require_days(rule: Rule, starts_on: date) -> None:
    """Raise Invalid unless the rule has days from its start on, and comes to its end within ten years."""
    found = days(rule.text, starts_on)
    if not found:
        raise wrong(
            "no_occurrence", "by this rule nothing ever happens: look at its days, its start and its end", "rule"
        )
    too_late = rule.until is not None and rule.until - starts_on > LONGEST
    if too_late or len(found) > MOST or (rule.count is not None and len(found) < rule.count):
        raise wrong("too_long", _TOO_LONG, "rule")


@lru_cache(maxsize=256)
def days(text: str, starts_on: date) -> tuple[date, ...]:
    """Every day of a rule that `read` has checked, in order: none before its start, or ten years after it."""
    last = datetime.combine(starts_on, time()) + LONGEST
    found: list[date] = []
    moment: datetime
    for moment in rrulestr(text, dtstart=datetime.combine(starts_on, time())):
        if moment > last or len(found) > MOST:
            break
        found.append(moment.date())
    return tuple(found)


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in filter(None, text.split(";")):
        name, _, value = part.partition("=")
        if name not in _KNOWN:
            raise _bad(f"{name[:40]!r} is not understood here; known are {', '.join(_KNOWN)}")
        if name in parts or not value:
            raise _bad(f"{name} is there twice, or says nothing")
        parts[name] = value
    return parts


def _number(parts: dict[str, str], name: str, least: int, most: int) -> int:
    value = parts[name]
    if not (value.isascii() and value.isdigit() and len(value) <= 6 and least <= int(value) <= most):
        raise _bad(f"{name} is a number from {least} to {most}")
    parts[name] = str(int(value))
    return int(value)


def _check_days(value: str, frequency: str, by_month_day: bool) -> None:
    if len({len(day) > 2 for day in value.split(",")}) > 1:
        # The library takes each of the two for a limit on the other, and finds no day at all.
        raise _bad("BYDAY counts either all of its days (1MO,-1FR) or none (MO,FR)")
    for day in value.split(","):
        place, name = day[:-2], day[-2:]
        if name not in _WEEKDAYS:
            raise _bad(f"BYDAY lists days such as MO,WE; {day[:10]!r} is none")
        if not place:
            continue
        if frequency != "MONTHLY" or by_month_day:
            raise _bad("BYDAY counts days (2TU, -1FR) only with FREQ=MONTHLY and without BYMONTHDAY")
        if place.lstrip("+-") not in {"1", "2", "3", "4", "5"} or len(place) > 2:
            raise _bad(f"BYDAY counts from 1 to 5, or from -1 to -5; {day[:10]!r} does not")


def _check_month_days(value: str, frequency: str) -> None:
    if frequency == "WEEKLY":
        raise _bad("BYMONTHDAY does not go with FREQ=WEEKLY")
    for day in value.split(","):
        digits = day.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 2 and 1 <= int(digits) <= 31):
            raise _bad(f"BYMONTHDAY lists days from 1 to 31, or -1 to -31; {day[:10]!r} is none")


def _until(value: str) -> date:
    try:
        if len(value) == 8 and value.isascii() and value.isdigit():
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _bad("UNTIL is the last day, written as 20261231")


def _bad(message: str) -> Exception:
    return wrong("bad_rule", message, "rule")
