"""What this process is asking of networks at this moment: how much of one host, how much for one brand."""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.domain.turns import Taken, Turn

LANE = 4  # things at once of one network host
ALL = 128  # things at once in all
_TOLD = 2  # so many channels in a row told to slow down: the limit is the host's


@dataclass(frozen=True, slots=True)
class After:
    """What becomes of a turn: it comes again after `wait`, in `lane`; None: there is no further one.

    `told`: how long the network wants to be left alone, where it said so instead of an answer.
    """

    wait: timedelta | None
    failures: int = 0
    lane: str | None = None
    told: timedelta | None = None


class Hands:
    """Turns in hand, whatever kind they are, and the hosts that want to be left alone. `wake` is set when one ends."""

    def __init__(self) -> None:
        self._lanes: Counter[str] = Counter()
        self._brands: Counter[UUID] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: defaultdict[str, set[UUID]] = defaultdict(set)
        self._rests: dict[str, float] = {}
        self.wake = asyncio.Event()

    @property
    def free(self) -> int:
        """How many more turns fit in."""
        return ALL - len(self._tasks)

    def taken(self, room: int = LANE) -> Taken:
        """What a claim has to leave room for, where a lane holds `room` at most."""
        now = time.monotonic()
        self._rests = {lane: until for lane, until in self._rests.items() if until > now}
        rooms = {lane: room - held for lane, held in self._lanes.items()}
        rooms.update(dict.fromkeys(self._rests, 0))
        return Taken(room, dict(self._brands), rooms)

    def begin(self, turn: Turn, work: Coroutine[Any, Any, None]) -> None:
        """Take a turn in hand."""
        self._lanes[turn.lane] += 1
        self._brands[turn.brand_id] += 1
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._let_go(turn, done))

    def _let_go(self, turn: Turn, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # Subtracted from, a Counter forgets what comes to nothing.
        self._lanes -= Counter([turn.lane])
        self._brands -= Counter([turn.brand_id])
        self.wake.set()

    def answered(self, turn: Turn) -> None:
        """The host did what it was asked."""
        self._told.pop(turn.lane, None)

    def slow_down(self, turn: Turn, wait: timedelta) -> None:
        """The host says that it is asked too much.

        That is said to a channel, and holds for it alone. Two channels in a row hear it: then it is meant for all.
        """
        told = self._told[turn.lane]
        told.add(turn.channel_id)
        if len(told) >= _TOLD:
            self._rests[turn.lane] = max(
                self._rests.get(turn.lane, 0.0), time.monotonic() + wait.total_seconds()
            )  # fmt: skip
            del self._told[turn.lane]

    async def finish(self, seconds: float) -> None:
        """Wait for what is in hand. What takes longer is broken off: its turn comes again when its lease is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
