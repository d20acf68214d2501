"""Asking networks: turns are claimed in rounds over brands and lanes, taken side by side, and given back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from services.ingest import fetching, looking_back, polling, recalling, rereading, upkeep
from services.ingest.handlers import Worker
from services.ingest.hands import LANE, After, Hands
from services.logins import Logins
from services.pauses import LONGEST, growing
from services.rounds import passes
from shared.domain import turns
from shared.domain.listening import recall_pages, rereadings
from shared.domain.turns import Queue, Turn
from shared.log import logger

_log = logger("ingest.asking")
_BATCH = 64
_GAP_SECONDS = 0.05  # between two looks: turns that end close together make room for one claim

Act = Callable[[Worker, Logins, Turn], Awaitable[After | None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is done in a turn of a queue, and how much of it a lane takes at once. None from `act`: it is settled."""

    queue: Queue
    act: Act
    room: int = LANE


async def _operate(worker: Worker, logins: Logins, turn: Turn) -> After:
    """Long work: of a network, or of our own."""
    if turn.lane == recall_pages.LANE:
        return await recalling.act(worker, turn)
    if turn.lane == rereadings.LANE:
        return await rereading.act(worker, turn)
    return await looking_back.act(worker, logins, turn)


# What keeps channels alive comes first. Looking back may take hours: it leaves half a lane to what is new.
KINDS = (
    Kind(Queue.UPKEEP, upkeep.act),
    Kind(Queue.POLL, polling.act),
    Kind(Queue.FETCH, fetching.act),
    Kind(Queue.OPERATION, _operate, room=LANE // 2),
)


class Asking:
    """What this process asks of networks, until it is told to stop."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._logins = Logins(worker.db, worker.vault, worker.http, worker.settings)
        self._hands = Hands()
        # A turn ends well within its lease, so that nobody else takes it while its call is still on the way.
        self._patience = worker.settings.lease_seconds * 0.75
        self._first_pause = timedelta(seconds=worker.settings.retry_first_seconds)

    @property
    def wake(self) -> asyncio.Event:
        return self._hands.wake

    async def round(self) -> float:
        """Claim what is due and begin it; how many seconds to wait before the next look, unless woken."""
        begun = 0
        await asyncio.sleep(_GAP_SECONDS)
        for kind in KINDS:
            limit = min(_BATCH, self._hands.free)
            if limit <= 0:
                break
            async with self._worker.db.session() as session:
                claimed = await turns.claim(
                    session, kind.queue, limit=limit, lease=self._worker.settings.lease,
                    taken=self._hands.taken(kind.room),
                )  # fmt: skip
            for turn in claimed:
                self._hands.begin(turn, self._take(kind, turn))
            begun += len(claimed)
        return 0.0 if begun else self._worker.settings.sweep_seconds

    async def finish(self, seconds: float) -> None:
        """Wait for what is in hand; what takes longer is broken off, but for logins that a network is just renewing."""
        until = asyncio.get_running_loop().time() + seconds
        await self._hands.finish(seconds / 2)
        await self._logins.finish(max(until - asyncio.get_running_loop().time(), 0.0))

    async def _take(self, kind: Kind, turn: Turn) -> None:
        after = await self._act(kind, turn)
        if after is None:
            return
        if after.told is not None:
            self._hands.slow_down(turn, min(after.told, LONGEST))
        elif not after.failures:
            self._hands.answered(turn)
        try:
            async with self._worker.db.session() as session:
                if after.wait is None:
                    await turns.end(session, turn)
                else:
                    await turns.again(session, turn, wait=after.wait, failures=after.failures, lane=after.lane)
        except Exception as error:
            # The lease ends by itself.
            _log.warning("turn.not_given_back", queue=turn.queue.value, error=type(error).__name__)

    async def _act(self, kind: Kind, turn: Turn) -> After | None:
        """Whatever goes wrong that nobody foresaw: the turn comes again, later each time."""
        failures = turn.failures + 1
        try:
            async with asyncio.timeout(self._patience):
                return await kind.act(self._worker, self._logins, turn)
        except TimeoutError:
            _log.warning("turn.broken_off", queue=turn.queue.value, channel=str(turn.channel_id), lane=turn.lane)
        except Exception as error:
            if passes(error):
                _log.warning("turn.waits", queue=turn.queue.value, error=type(error).__name__)
                return None  # the lease ends by itself
            _log.exception("turn.broke", queue=turn.queue.value, channel=str(turn.channel_id))
        return After(growing(self._first_pause, failures), failures)
