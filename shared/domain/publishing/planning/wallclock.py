"""Wall-clock time in a zone, and the moment that it is.

What a person means is the wall clock; the moment is worked out from it by the rules of the zone that are installed now.
Time that a change of the clocks skips moves forward by what is skipped; time that comes twice is the first of the two.
"""

import hashlib
import re
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from shared import zones
from shared.errors import Invalid, Problem

_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?\Z", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)
_DAY = timedelta(days=1)


def moment(local: datetime, zone: str) -> datetime:
    """The moment, in UTC, of naive wall-clock time in a zone. Raises OverflowError at the ends of the calendar."""
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


# A calendar asks it of the same few days for each of its slots and recurrences.
@lru_cache(maxsize=20_000)
def is_lost(day: date, zone: str) -> bool:
    """Whether a zone has no such day: Samoa went from 29 to 31 December 2011."""
    start = datetime.combine(day, time())
    return moment(start, zone) == moment(start + _DAY, zone)


def read_local(value: str, *path: str | int) -> datetime:
    """Naive wall-clock time. Raises Invalid at `path`."""
    try:
        if _LOCAL.match(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise wrong("invalid_time", f"{value!r} is not wall-clock time; write it as 2026-12-01T10:00", *path)


def read_time(value: str, *path: str | int) -> time:
    """A time of day, to the minute. Raises Invalid at `path`."""
    if not _TIME.match(value):
        raise wrong("invalid_time", f"{value[:40]!r} is not a time of day; write it as 10:00", *path)
    return time.fromisoformat(value)


def require_zone(zone: str, *path: str | int) -> str:
    """The zone, if its rules are installed. Raises Invalid at `path`."""
    if zone not in zones.known():
        raise wrong("unknown_timezone", f"{zone[:64]!r} is not a time zone; write one such as Europe/Brussels", *path)
    return zone


def written(local: datetime) -> str:
    """Wall-clock time as it is kept: to the minute, or the second where it has one."""
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def wrong(code: str, message: str, *path: str | int) -> Invalid:
    return Invalid([Problem(code, message, path)])


def rules_digest() -> str:
    """A digest of the rules of every zone as they are installed now: another one, and moments may have moved."""
    found = hashlib.sha256()
    for zone in sorted(available_timezones()):
        found.update(f"{zone}\n".encode())
        for rules in _rules(zone):
            found.update(hashlib.sha256(rules).digest())
    return found.hexdigest()[:32]


def read_rules_again() -> None:
    """Forget what is known of zones, so that rules which were installed meanwhile hold in this process too."""
    ZoneInfo.clear_cache()
    zones.known.cache_clear()
    is_lost.cache_clear()


def _rules(zone: str) -> Iterator[bytes]:
    """The file of a zone's rules, from where it would be loaded."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, zone)
        if path.is_file():
            yield path.read_bytes()
            return
    with_package = resources.files("tzdata").joinpath("zoneinfo", *zone.split("/"))
    if with_package.is_file():
        yield with_package.read_bytes()
