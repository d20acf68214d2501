"""Values from outside, typed when they are first touched: each function gives a usable value or None."""

import math
from datetime import UTC, datetime, timedelta

from shared.contract import storable

MAX_ID = 1000  # characters
MAX_NAME = 500
MAX_URL = 4000
_BELIEVED = timedelta(days=1)


def identifier(value: object) -> str | None:
    """An id, which networks write as text or as a number."""
    if type(value) is int:
        value = str(value) if abs(value) < 10**40 else None
    if not isinstance(value, str) or not value or len(value) > MAX_ID:
        return None
    return storable(value)


def words(value: object) -> str | None:
    """Text as PostgreSQL takes it."""
    return storable(value) if isinstance(value, str) else None


def name(value: object) -> str | None:
    """A name or handle, cut to what a column and its index take."""
    return storable(value[:MAX_NAME]) if isinstance(value, str) and value else None


def web_address(value: object) -> str | None:
    """An http(s) or relative address; never `javascript:` and the like, since a frontend will link to it."""
    if not isinstance(value, str) or not value or len(value) > MAX_URL:
        return None
    scheme, colon, _ = value.partition(":")
    if colon and scheme.lower() not in {"http", "https"} and "/" not in scheme:
        return None
    return storable(value)


def number(value: object) -> float | None:
    """A finite number."""
    if type(value) is not int and type(value) is not float:
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def counter(value: object) -> int | None:
    """How many there are of something, as far as a column takes it: some networks write -1 where they don't tell."""
    return value if type(value) is int and 0 <= value < 2**31 else None


def unix_time(value: object) -> datetime | None:
    """Seconds since 1970, or milliseconds where they are too many to be seconds (after the year 5138).

    What lies before 2001 is no time that a social network could have meant.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    found = number(value)
    if found is None or found < 1e9:
        return None
    try:
        return datetime.fromtimestamp(found / 1000 if found > 1e11 else found, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def believed(told: datetime | None, received_at: datetime) -> datetime:
    """When an event happened by its network's clock; when we got it, where that says nothing, or is a day ahead.

    A stamp that is years away would stand above whatever is said later.
    """
    return received_at if told is None or told > received_at + _BELIEVED else told


def rfc3339(value: str) -> datetime:
    """A time with its zone, in UTC. Raises ValueError with the reason."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        try:
            found = datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValueError("is not a time such as 2026-11-22T09:30:00Z") from None
    if found.tzinfo is None:
        raise ValueError("needs a zone, such as Z or +01:00")
    if not 1970 <= found.year <= 9998:
        raise ValueError("is not a time between 1970 and 9998")
    if found.tzinfo is UTC:
        return found
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the calendar") from None
