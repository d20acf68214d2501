"""What a store does, whatever it is made of. Nothing that was put is ever changed: it is read, and one day deleted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from shared.errors import ParvisError

FOLDER = "media"  # in the data folder


class Missing(ParvisError):
    """There is nothing under this key."""

    code = "media_missing"


class StoreAway(ParvisError):
    """The store does not answer, or has no room: try again later."""

    code = "media_store_away"


@dataclass(frozen=True, slots=True)
class Kept:
    """One file in the store, and when it came."""

    key: str
    at: datetime


class Store(Protocol):
    """Files by keys of two parts, `folder/name`. Every call may raise StoreAway."""

    async def put(self, key: str, path: Path, type_: str) -> None:
        """Keep the file at `path`, whole and for good before this returns. It is the store's: it may be gone then."""
        ...

    def read(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """`length` bytes from `start` on, in pieces. Raises Missing."""
        ...

    async def delete(self, key: str) -> None:
        """Let a file go; one that is not there is gone already."""
        ...

    def list_(self) -> AsyncIterator[Kept]:
        """Every file, in no order."""
        ...
