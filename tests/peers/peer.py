"""What a peer is: somebody else's real server, and what has to be seen of it in Parvis."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from tests.peers.house import PeerHouse

Say = Callable[[str], None]


class CannotInstall(Exception):
    """The peer can't be installed here; the text is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened on the peer, and what Parvis made of it.

    `seconds` is how long it took to be seen.
    """

    what: str
    good: bool
    seconds: float | None
    note: str = ""


class Peer(Protocol):
    """A real server of one network. Another is a file beside this one, and a line in `__main__`."""

    name: ClassVar[str]
    what: ClassVar[str]

    def missing(self) -> str | None:
        """What this machine lacks to install it, as a sentence; None where it can be."""
        ...

    def install(self, folder: Path, say: Say) -> None:
        """Install it into a folder of its own, unless it is there already. Raises CannotInstall."""
        ...

    def run(self, folder: Path, house: PeerHouse) -> AsyncGenerator[Row, None]:
        """Start it, connect the example brand, and do on it what people do."""
        ...
