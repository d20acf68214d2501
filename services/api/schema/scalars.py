"""The one scalar of our own: a moment."""

from datetime import UTC, datetime

import strawberry
from strawberry.schema.config import StrawberryConfig


def _write(value: datetime) -> datetime:
    """In UTC; the answer's JSON writes it as RFC 3339."""
    return value.astimezone(UTC)


def _read(value: object) -> datetime:
    if not isinstance(value, str):
        raise TypeError("a moment is text such as 2026-12-01T09:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("a moment is text such as 2026-12-01T09:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset, as in 2026-12-01T09:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this moment is out of range") from None


CONFIG = StrawberryConfig(
    scalar_map={
        datetime: strawberry.scalar(
            name="DateTime", description="A moment, RFC 3339 in UTC.", serialize=_write, parse_value=_read
        )
    }
)
