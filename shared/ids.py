"""TypeIDs outside, uuids inside.

A TypeID is `prefix_suffix`, the suffix being the 128 bits of a UUIDv7 in 26 letters of Crockford's base32,
lower case (github.com/jetify-com/typeid, specification 0.3).
"""

from enum import StrEnum
from uuid import UUID

import uuid_utils

from shared.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]


class Prefix(StrEnum):
    """The prefixes of things that have an id; the word before the underscore."""

    ORGANIZATION = "org"
    USER = "user"
    TEAM = "team"
    API_KEY = "key"
    GRANT = "grant"
    BRAND = "brand"
    CHANNEL = "chan"
    APP = "app"
    HOOK = "hook"
    ARRIVAL = "arr"
    MENTION = "men"
    THREAD = "thr"
    IDENTITY = "idn"
    POST = "post"
    VARIANT = "var"
    OUTGOING = "out"
    ATTEMPT = "att"
    EVENT = "evt"
    OPERATION = "op"


def new_uuid() -> UUID:
    """A UUIDv7: sorts by the moment it was made."""
    return UUID(int=uuid_utils.uuid7().int)


def typeid(prefix: Prefix, value: UUID) -> str:
    """The public form of an id."""
    n = value.int
    # Two letters at a time: 13 look-ups rather than 26. The top pair holds 8 bits, the first letter 3 of them.
    return f"{prefix.value}_" + "".join([_PAIRS[(n >> shift) & 1023] for shift in range(120, -1, -10)])


def parse_typeid(prefix: Prefix, text: str) -> UUID:
    """The uuid of a public id of this prefix. Raises NotFound for anything malformed: it names nothing."""
    head, _, suffix = text.rpartition("_")
    if head != prefix.value or len(suffix) != 26 or suffix[0] > "7":
        raise NotFound(f"there is no {prefix.name.lower()} with the id {text[:60]!r}")
    n = 0
    for letter in suffix:
        value = _VALUES.get(letter)
        if value is None:
            raise NotFound(f"there is no {prefix.name.lower()} with the id {text[:60]!r}")
        n = n << 5 | value
    return UUID(int=n)


def prefix_of(text: str) -> Prefix:
    """The prefix of a public id. Raises NotFound where it is none of ours."""
    try:
        return Prefix(text.rpartition("_")[0])
    except ValueError:
        raise NotFound(f"there is nothing with the id {text[:60]!r}") from None
