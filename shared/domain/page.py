"""Pages of a list, and the cursors between them."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson

from shared.errors import Invalid, Problem
from shared.vault import Vault

T = TypeVar("T")
Position = list[Any]

MOST = 100


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many, and from where. Raises Invalid (`limit_out_of_range`) outside 1..100: a page is never clamped."""

    limit: int = 20
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST:
            raise Invalid(
                [Problem("limit_out_of_range", f"a page holds 1 to {MOST}, not {self.limit}", ("limit",))],
                code="limit_out_of_range",
            )


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, whether more follows, and how to say where each thing in it stands."""

    items: list[T]
    has_more: bool
    cursor_of: Callable[[T], str]

    @property
    def next_cursor(self) -> str | None:
        """Where the next page starts; None on the last one."""
        return self.cursor_of(self.items[-1]) if self.has_more and self.items else None

    @classmethod
    def cut(cls, found: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> "Page[T]":
        """The page of `limit` from a read that asked for one more."""
        return cls(list(found[:limit]), len(found) > limit, cursor_of)


class Cursors:
    """Positions as opaque, signed text, bound to the brand, the list and its filter."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def encode(self, brand_id: UUID, kind: str, filter_digest: str, position: Position) -> str:
        """The text of a position in one list of one brand (or of an organization, where the list is its)."""
        place = orjson.dumps(position)
        signature = self._vault.sign(self._message(brand_id, kind, filter_digest, place))
        return base64.urlsafe_b64encode(place).rstrip(b"=").decode() + "." + signature

    def decode(self, brand_id: UUID, kind: str, filter_digest: str, cursor: str) -> Position:
        """The position behind `cursor`. Raises Invalid (`bad_cursor`) for another list's, or one that isn't ours."""
        head, _, signature = cursor.partition(".")
        try:
            place = base64.urlsafe_b64decode(head.encode() + b"=" * (-len(head) % 4))
        except (binascii.Error, ValueError):
            raise _bad_cursor() from None
        if not signature.isascii() or not self._vault.is_signed(
            self._message(brand_id, kind, filter_digest, place), signature
        ):
            raise _bad_cursor()
        position: Position = orjson.loads(place)
        return position

    @staticmethod
    def _message(brand_id: UUID, kind: str, filter_digest: str, place: bytes) -> bytes:
        return b"\x00".join([b"cursor", brand_id.bytes, kind.encode(), filter_digest.encode(), place])


def digest(*parts: object) -> str:
    """A short digest of a filter: the same words, the same digest."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _bad_cursor() -> Invalid:
    return Invalid(
        [Problem("bad_cursor", "this cursor is not of this list and filter; start from the first page", ("cursor",))],
        code="bad_cursor",
    )
