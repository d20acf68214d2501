"""The scalars of our own: a moment, and a day."""

from datetime import UTC, date, datetime

import strawberry
from strawberry.schema.config import StrawberryConfig

from shared.contract import read_moment


def _write(value: datetime) -> datetime:
    """In UTC; the answer's JSON writes it as RFC 3339."""
    return value.astimezone(UTC)


def _read(value: object) -> datetime:
    if not isinstance(value, str):
        raise TypeError("a moment is text such as 2026-12-01T09:00:00Z")
    return read_moment(value)


def _read_day(value: object) -> date:
    if not isinstance(value, str):
        raise TypeError("a day is text such as 2026-12-01")
    return date.fromisoformat(value)


CONFIG = StrawberryConfig(
    scalar_map={
        datetime: strawberry.scalar(
            name="DateTime", description="A moment, RFC 3339 in UTC.", serialize=_write, parse_value=_read
        ),
        date: strawberry.scalar(
            name="Date", description="A day, as 2026-12-01.", serialize=date.isoformat, parse_value=_read_day
        ),
    }
)
