"""How an enumeration is kept."""

from enum import StrEnum

from sqlalchemy import Enum as SqlEnum


def string_enum(kind: type[StrEnum]) -> SqlEnum:
    """A text column that holds the enumeration's values, checked in Python and not by a native type."""
    return SqlEnum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda k: [m.value for m in k],
    )
