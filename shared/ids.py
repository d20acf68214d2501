"""TypeIDs outside, uuids inside.

A TypeID is `prefix_suffix`, the suffix being the 128 bits of a UUIDv7 in 26 letters of Crockford's base32,
lower case (github.com/jetify-com/typeid, specification 0.3).
"""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import uuid_utils

from shared.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_AT_ONCE = 128


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
    CONSENT = "consent"
    ARRIVAL = "arr"
    MENTION = "men"
    CORRECTION = "cor"
    THREAD = "thr"
    IDENTITY = "idn"
    POST = "post"
    CAMPAIGN = "camp"
    VARIANT = "var"
    MEDIA = "med"
    SLOT = "slot"
    RECURRENCE = "rec"
    BLACKOUT = "blk"
    CALENDAR_FEED = "cal"
    OUTGOING = "out"
    ATTEMPT = "att"
    ALERT_RULE = "arule"
    ALERT = "alrt"
    EVENT = "evt"
    NOTIFICATION = "ntf"
    WEBHOOK_ENDPOINT = "whe"
    WEBHOOK_DELIVERY = "whd"
    OPERATION = "op"
    QUERY = "qry"
    VIEW = "view"
    APPROVAL = "appr"
    HOLD = "hold"
    APPROVAL_LINK = "link"


def new_uuid() -> UUID:
    """A UUIDv7: sorts by the moment it was made."""
    return UUID(int=uuid_utils.uuid7().int)


def typeid(prefix: Prefix, value: UUID) -> str:
    """The public form of an id."""
    n = value.int
    # Two letters at a time: 13 look-ups rather than 26. The top pair holds 8 bits, the first letter 3 of them.
    return f"{prefix.value}_" + "".join([_PAIRS[(n >> shift) & 1023] for shift in range(120, -1, -10)])


def typeids(prefix: Prefix, values: Sequence[UUID | None]) -> list[str]:
    """The public forms of many ids, for a fifth of the time; that of None means nothing.

    All ids stand in one large number, each in a lane of 256 bits: a few shifts of it pull every five bits apart into a
    byte of their own, and one table turns the bytes into letters.
    """
    if len(values) > _AT_ONCE:
        return typeids(prefix, values[:_AT_ONCE]) + typeids(prefix, values[_AT_ONCE:])
    n = int.from_bytes(_HALF_A_LANE.join([_NOTHING if value is None else value.bytes for value in values]))
    for keep, move, by in _SPREAD:
        n = n & keep | (n & move) << by
    letters = n.to_bytes(32 * len(values)).translate(_LETTERS).decode("ascii")
    head = f"{prefix.value}_"
    return [head + letters[at : at + 26] for at in range(6, len(letters), 32)]


def _everywhere(lane: int, low: int, high: int) -> int:
    """The bits from `low` up to `high` of every lane of this width."""
    return int.from_bytes((((1 << high) - (1 << low)).to_bytes(lane // 8)) * (_AT_ONCE * 256 // lane))


_HALF_A_LANE = _NOTHING = bytes(16)
_LETTERS = _ALPHABET.encode() * 8
# A lane's letters are halved until one is left: 32 of 5 bits, 16, 8, 4, 2. What is kept stays, the rest moves up.
_SPREAD = [
    (_everywhere(lane, 0, 5 * lane // 16), _everywhere(lane, 5 * lane // 16, 5 * lane // 8), 3 * lane // 16)
    for lane in (256, 128, 64, 32, 16)
]


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
