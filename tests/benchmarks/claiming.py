"""`python -m tests.benchmarks.claiming URL COUNT FILE`: claims what is due as a scheduler does, until it has so many.

Each claim is handed to a sender, which notes when it got it and does nothing else: what is measured is how late a post
gets into its sender's hands, and not how long networks take.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from services import serving
from shared.db import Database
from shared.domain.publishing.sending import due, outgoing
from shared.domain.publishing.sending.due import Claim

BATCH = 200
_LOOK_SECONDS = 0.25
_AFTERWARDS_SECONDS = 1.0
_LEASE = timedelta(seconds=60)


async def main(url: str, count: int, file: Path) -> None:
    """Claim until there are `count`, look once more, and write (id, lateness in seconds) of each."""
    db, senders = Database(url, name="claiming", size=2), asyncio.Queue[Claim]()
    await db.open()
    serving.settle_memory()
    file.with_suffix(".ready").touch()
    sending = asyncio.create_task(_send(senders, count))
    claiming = Claiming(db, senders)
    try:
        while not sending.done():
            await asyncio.sleep(await claiming.round())
        await asyncio.sleep(_AFTERWARDS_SECONDS)
        await claiming.round()
        taken = await sending
        taken += [_taken(senders.get_nowait()) for _ in range(senders.qsize())]
        file.with_suffix(".part").write_bytes(orjson.dumps(taken))
        file.with_suffix(".part").rename(file)
    finally:
        await db.close()


class Claiming:
    """Goes on after the brand that had its turn last, as the scheduler's send loop does."""

    def __init__(self, db: Database, senders: "asyncio.Queue[Claim]") -> None:
        self._db, self._senders, self._after = db, senders, due.BEFORE_ALL

    async def round(self) -> float:
        """Claim a batch and hand it over once it is committed; how long to wait for the next."""
        now = datetime.now(UTC)
        async with self._db.session() as session:
            claims = await outgoing.claim_due(session, now=now, limit=BATCH, lease=_LEASE, after=self._after)
            begins_again = not claims and self._after != due.BEFORE_ALL
            self._after = due.turn_after(claims)
            upcoming = None if claims or begins_again else await due.next_at(session)
        for claim in claims:
            self._senders.put_nowait(claim)
        if claims or begins_again:
            return 0.0
        if upcoming is None:
            return _LOOK_SECONDS
        return min(max((upcoming - datetime.now(UTC)).total_seconds(), 0.005), _LOOK_SECONDS)


async def _send(senders: "asyncio.Queue[Claim]", count: int) -> list[tuple[str, float]]:
    return [_taken(await senders.get()) for _ in range(count)]


def _taken(claim: Claim) -> tuple[str, float]:
    return str(claim.outgoing_id), time.time() - claim.due_at.timestamp()


if __name__ == "__main__":
    serving.run(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
