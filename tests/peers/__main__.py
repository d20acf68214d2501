"""`python -m tests.peers [names…]`: Parvis against real third-party servers, and a table of what it saw of them.

A peer that can't be installed here is skipped, with a sentence that says why.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests.peers.bluesky import Bluesky
from tests.peers.house import POLL_SECONDS, peer_house
from tests.peers.mastodon import MastodonMock
from tests.peers.peer import CannotInstall, Peer, Row
from tests.peers.websub import WebSub

PEERS: tuple[Peer, ...] = (Bluesky(), MastodonMock(), WebSub())
FOLDER = Path(__file__).parents[2] / ".parvis-peers"


def ready(peers: Sequence[Peer], console: Console) -> list[Peer]:
    """The peers that are installed now; about each of the others a sentence is said."""
    found = []
    for peer in peers:
        lack = peer.missing()
        if lack is None:
            try:
                peer.install(FOLDER / peer.name, console.print)
            except CannotInstall as error:
                lack = str(error)
        if lack is None:
            found.append(peer)
        else:
            console.print(f"{peer.name} is skipped: {lack}.")
    return found


async def run(peers: Sequence[Peer], console: Console) -> bool:
    """Run the peers against one house; whether everything was seen as it must."""
    good = True
    with tempfile.TemporaryDirectory(prefix="parvis-peers-", ignore_cleanup_errors=True) as place:
        async with peer_house(Path(place) / "house") as house:
            for peer in peers:
                rows: list[Row] = []
                async with contextlib.aclosing(peer.run(FOLDER / peer.name, house)) as told:
                    async for row in told:
                        console.print(f"  {'✓' if row.good else '✗'} {row.what}")
                        rows.append(row)
                console.print(table(peer, rows))
                good = good and bool(rows) and all(row.good for row in rows)
    return good


def table(peer: Peer, rows: Sequence[Row]) -> Table:
    """What was seen of a peer."""
    title = f"{peer.name}, {datetime.now(UTC):%Y-%m-%d}: {peer.what}; polled every {POLL_SECONDS:.0f} s"
    made = Table("what happened", "seen", "after", "note", title=title, title_justify="left")
    for row in rows:
        after = "" if row.seconds is None else f"{row.seconds:.1f} s"
        made.add_row(row.what, "yes" if row.good else "NO", after, row.note)
    return made


def main() -> None:
    """The entry point: exit code 1 where something was not seen as it must."""
    names = [peer.name for peer in PEERS]
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(names)}; none: all of them")
    given = parser.parse_args().names
    if unknown := sorted(set(given) - set(names)):
        parser.error(f"there is no peer {', '.join(unknown)}; there are {', '.join(names)}")
    console = Console(width=160, markup=False)  # what peers say may stand in brackets
    peers = ready([peer for peer in PEERS if not given or peer.name in given], console)
    if not peers:
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(0 if runner.run(run(peers, console)) else 1)


if __name__ == "__main__":
    main()
