"""Group commit: many deliveries share one INSERT and one fsync, and each is answered after it.

There is no timer. While one flusher commits, the next batch gathers. A second one helps where many wait, or where the
first takes long: two at a time with half a batch each would cost door and PostgreSQL a fifth more.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from random import uniform
from typing import Any, NamedTuple

import asyncpg
from prometheus_client import Counter, Gauge, Histogram

from services.ingest.storing import COMMIT_SECONDS, Away, Closed, Kept, NewArrival, connect, store
from shared.log import logger

_log = logger("ingest.group")

FLUSHERS = 2
BATCH_ROWS = 500
MANY_ROWS = 64  # waiting while one flusher commits: the second commits them beside it
LONG_SECONDS = 0.05  # of one commit: what comes after that does not wait for it
BATCH_BYTES = 16 * 1024 * 1024
RETRY_SECONDS = (0.1, 2.0)

# Classes of SQLSTATE that say nothing about the rows: connection, transaction of a read-only server, resources,
# an operator's hand, system, rights and missing tables. The network is asked to send again later.
_NOT_THE_ROWS = frozenset({"08", "25", "42", "53", "57", "58"})

_batches = Histogram(
    "parvis_door_batch_rows", "Deliveries in one commit.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, BATCH_ROWS)
)
_commits = Histogram(
    "parvis_door_commit_seconds",
    "Time of one group commit.",
    ["outcome"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0),
)
_committed = _commits.labels("committed")
_failed = _commits.labels("failed")
_waiting = Gauge("parvis_door_waiting", "Deliveries that wait for their commit.")
_connected = Gauge("parvis_door_connected", "Connections to PostgreSQL that can commit deliveries.")
_rows_refused = Counter("parvis_door_rows_refused_total", "Deliveries that PostgreSQL refused by themselves.")

# Gets what became of a delivery.
Told = Callable[[Kept | Away | Closed], None]

_NO_CONNECTION = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


class _Waiting(NamedTuple):
    row: NewArrival
    place: tuple[int, str]  # the hook's id as a number, which is hashed faster, and the key
    told: Told


class Group:
    """Takes arrivals and makes them durable together. `on_commit` is called after each commit that kept something."""

    def __init__(self, url: str, *, rows: int, size: int, on_commit: Callable[[], None]) -> None:
        self._url = url
        self._rows, self._size = rows, size
        self._on_commit = on_commit
        self._waiting: list[_Waiting] = []
        self._pending: dict[tuple[int, str], _Waiting] = {}
        self._repeats: dict[tuple[int, str], list[Told]] = {}
        self._pending_size = 0
        self._idle: list[asyncio.Future[None]] = []
        self._ready = 0
        self._began = 0.0  # when the newest commit did
        self._closing = False
        self._flushers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect; returns when the first connection stands, or when it is clear that none does for now."""
        loop = self._loop = asyncio.get_running_loop()
        _waiting.set_function(lambda: len(self._pending))
        _connected.set_function(lambda: self._ready)
        tried = [loop.create_future() for _ in range(FLUSHERS)]
        self._flushers = [loop.create_task(self._flush(first)) for first in tried]
        await asyncio.wait(tried)

    def take(self, row: NewArrival, told: Told) -> None:
        """Make the row durable. `told` hears of it, later and once: of the row, or of an earlier one with its key.

        Raises Away where it can't be taken now; then `told` hears nothing.
        """
        place = (row.hook_id.int, row.key)
        if place in self._pending:
            self._repeats.setdefault(place, []).append(told)
            return
        if not self._ready or self._closing:
            raise Away("PostgreSQL is away")
        if len(self._pending) >= self._rows or self._pending_size + len(row.body) > self._size:
            raise Away("too many deliveries wait for their commit")
        waiting = self._pending[place] = _Waiting(row, place, told)
        self._pending_size += len(row.body)
        self._waiting.append(waiting)
        if self._idle and self._calls(self._ready - len(self._idle)):
            self._idle.pop().set_result(None)

    async def add(self, row: NewArrival) -> Kept:
        """As `take`, for who can wait. Raises Away or Closed."""
        became: asyncio.Future[Kept] = self._loop.create_future()

        def told(outcome: Kept | Away | Closed) -> None:
            if became.done():  # its request was cut off
                return
            if isinstance(outcome, Kept):
                became.set_result(outcome)
            else:
                became.set_exception(outcome)

        self.take(row, told)
        return await became

    def _calls(self, awake: int) -> bool:
        """Whether what waits calls for a flusher, where so many others are awake and will look for themselves."""
        return not awake or len(self._waiting) >= MANY_ROWS or self._loop.time() - self._began > LONG_SECONDS

    @property
    def is_ready(self) -> bool:
        """Whether a delivery could be kept now."""
        return self._ready > 0 and not self._closing

    async def close(self) -> None:
        """Keep what was taken, then hang up."""
        self._closing = True
        self._wake()
        if self._flushers:
            _, late = await asyncio.wait(self._flushers, timeout=COMMIT_SECONDS)
            for flusher in late:
                flusher.cancel()
            await asyncio.gather(*self._flushers, return_exceptions=True)
        self._settle(list(self._pending.values()), "the door is closing")

    def _wake(self) -> None:
        for rest in self._idle:
            _set(rest)
        self._idle.clear()

    async def _flush(self, tried: asyncio.Future[None]) -> None:
        """One flusher: connects again whenever its connection is lost, ends when the group closes."""
        wait = RETRY_SECONDS[0]
        while not (self._closing and not self._waiting):
            try:
                connection, statement = await connect(self._url)
            except _NO_CONNECTION as error:
                _log.warning("door.no_connection", error=type(error).__name__)
                _set(tried)
                if self._closing:
                    return
                await asyncio.sleep(wait * uniform(0.8, 1.2))
                wait = min(wait * 2, RETRY_SECONDS[1])
                continue
            wait = RETRY_SECONDS[0]
            self._ready += 1
            _set(tried)
            try:
                await self._flush_over(connection, statement)
            finally:
                self._ready -= 1
                self._wake()  # one may rest because this one was awake
                connection.terminate()
                if not self._ready:
                    self._settle(self._take_all(), "PostgreSQL is away")

    async def _flush_over(self, connection: Any, statement: Any) -> None:
        """Commit batches over this connection until it is lost or the group closes."""
        connection.add_termination_listener(lambda _: self._wake())
        while not connection.is_closed():
            if self._waiting and (self._closing or self._calls(self._ready - len(self._idle) - 1)):
                if not await self._commit(connection, statement, self._take()):
                    return
            elif self._closing:
                return
            else:
                # Nothing is awaited between the look into the list and this, so no arrival is overlooked.
                rest = self._loop.create_future()
                self._idle.append(rest)
                await rest

    def _take_all(self) -> list[_Waiting]:
        batch, self._waiting = self._waiting, []
        return batch

    def _take(self) -> list[_Waiting]:
        size, count = 0, 0
        for waiting in self._waiting[:BATCH_ROWS]:
            size += len(waiting.row.body)
            if count and size > BATCH_BYTES:
                break
            count += 1
        if count == len(self._waiting):
            return self._take_all()
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _commit(self, connection: Any, statement: Any, batch: list[_Waiting]) -> bool:
        """Make a batch durable and answer it; False where the connection is not to be used again."""
        _batches.observe(len(batch))
        self._began = self._loop.time()
        began = time.perf_counter()
        try:
            found = await store(connection, statement, [waiting.row for waiting in batch])
        except Exception as error:
            _failed.observe(time.perf_counter() - began)
            return await self._after(error, connection, statement, batch)
        _committed.observe(time.perf_counter() - began)
        for waiting, kept in zip(batch, found, strict=True):
            self._settle_one(waiting, kept)
        if any(isinstance(kept, Kept) and not kept.duplicate for kept in found):
            self._on_commit()
        return True

    async def _after(self, error: Exception, connection: Any, statement: Any, batch: list[_Waiting]) -> bool:
        """After an error: away for all, or once again row by row, so that a bad one fails alone."""
        state = getattr(error, "sqlstate", None)
        lost = connection.is_closed() or isinstance(error, OSError | TimeoutError)
        if lost or (state is not None and state[:2] in _NOT_THE_ROWS):
            _log.warning("door.commit_failed", error=type(error).__name__, sqlstate=state, rows=len(batch))
            self._settle(batch, "PostgreSQL is away")
            return False
        if len(batch) > 1:
            for number, waiting in enumerate(batch):
                if not await self._commit(connection, statement, [waiting]):
                    self._settle(batch[number + 1 :], "PostgreSQL is away")
                    return False
            return True
        _rows_refused.inc()
        _log.error("door.row_refused", error=type(error).__name__, sqlstate=state, hook=str(batch[0].row.hook_id))
        self._settle(batch, "PostgreSQL refused the delivery")
        return True

    def _settle(self, batch: Sequence[_Waiting], why: str) -> None:
        for waiting in batch:
            self._settle_one(waiting, Away(why))

    def _settle_one(self, waiting: _Waiting, outcome: Kept | Away | Closed) -> None:
        row, place, told = waiting
        if self._pending.pop(place, None) is None:
            return
        self._pending_size -= len(row.body)
        _tell(told, outcome)
        if self._repeats:
            again = Kept(outcome.arrival_id, True) if isinstance(outcome, Kept) else outcome
            for repeat in self._repeats.pop(place, ()):
                _tell(repeat, again)


def _tell(told: Told, outcome: Kept | Away | Closed) -> None:
    try:
        told(outcome)
    except Exception:  # one that can't be answered leaves the others of its batch alone
        _log.exception("door.not_told")
