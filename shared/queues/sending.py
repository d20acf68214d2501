"""Sending: tasks into a queue, and the bells that tell of them and of new events."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from uuid import UUID

from prometheus_client import Counter

from shared.ids import Prefix, typeid
from shared.log import logger
from shared.queues.connecting import AWAY, BELL, EVENTS, LETTER_SECONDS, WAITING, client
from shared.queues.ending import end, finish
from shared.queues.hearing import Listener
from shared.queues.tasks import INGEST, SCHEDULER, Task, to_wire

_log = logger("queues")

SENDING_SECONDS = 0.5  # the longest that a sender waits for Redis
SILENCE_SECONDS = 0.5  # after a failure, how long Redis is not asked again
RING_SECONDS = 0.05  # the shortest time between two rings of one bell by one process
TIMED_POLL_SECONDS = 1.0  # how often a subscription looks without having been told
_WAITING_MS = 2000

_sent = Counter("parvis_tasks_sent_total", "Tasks handed to Redis, by outcome.", ["task", "outcome"])


class Queues:
    """A process's hands on Redis: sends tasks, publishes and hears events. Never raises because Redis is away."""

    def __init__(self, redis_url: str) -> None:
        self._redis = client(redis_url, timeout=SENDING_SECONDS)
        self._listener = Listener(redis_url)
        self._is_up = True
        self._quiet_until = 0.0
        self._bells: dict[Task, asyncio.Task[None]] = {}
        self._again: set[Task] = set()
        self._is_closed = False

    async def send(self, task: Task) -> bool:
        """Hand a task over; False where Redis is away. A task without ids that already waits is not sent twice."""
        outcome = await self._try(lambda: self._enqueue(task))
        _sent.labels(task.name, "away" if outcome is None else "sent" if outcome else "waiting").inc()
        return outcome is not None

    def ring(self, task: Task) -> None:
        """Send in the background and at once, but not more often than every 50 ms; later rings become one."""
        if task in self._bells:
            self._again.add(task)
        elif not self._is_closed:
            self._bells[task] = asyncio.get_running_loop().create_task(self._ring(task))

    async def publish(self, brand_ids: Iterable[UUID]) -> None:
        """Tell every api that these brands have new events."""
        names = {EVENTS + typeid(Prefix.BRAND, brand_id) for brand_id in brand_ids}
        if names:
            await self._try(lambda: self._publish(names))

    async def subscription(self, brand_id: UUID) -> AsyncIterator[None]:
        """Yields at once, whenever the brand is published, and at least every second: look, there may be events."""
        with self._listener.listening(brand_id) as event:
            while True:
                yield
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), TIMED_POLL_SECONDS)
                event.clear()

    async def is_up(self) -> bool:
        """Whether Redis answers now."""
        self._quiet_until = 0.0
        return await self._try(self._ping) is not None

    async def lengths(self) -> dict[str, int] | None:
        """How many letters lie in each queue; None where Redis is away."""
        found: dict[str, int] = {}

        async def count() -> bool:
            async with self._redis.pipeline(transaction=False) as pipe:
                for queue in (INGEST, SCHEDULER):
                    pipe.zcard(queue)
                found.update(zip((INGEST, SCHEDULER), await pipe.execute(), strict=True))
            return True

        return found if await self._try(count) else None

    async def close(self) -> None:
        """Let the last rings go, then hang up for good: what is sent after that is lost as if Redis were away."""
        bells = list(self._bells.values())
        if bells:
            await asyncio.wait(bells, timeout=2 * SENDING_SECONDS)
            await end(bells)
        self._is_closed = True
        await self._listener.close()
        await finish(self._redis.aclose())

    async def _ring(self, task: Task) -> None:
        try:
            while True:
                self._again.discard(task)
                await self.send(task)
                await asyncio.sleep(RING_SECONDS)
                if task not in self._again:
                    return
        finally:
            # Nothing is awaited between the last look and this, so no ring slips in unseen.
            del self._bells[task]

    async def _enqueue(self, task: Task) -> bool:
        letter = to_wire(task)
        if not letter:
            # A bell that hangs already needs no second one. The receiver takes its mark down before it acts, so a ring
            # that comes while it acts hangs a new one. Letters that nobody fetched in time go, so queues stay small.
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.set(WAITING + task.name, b"1", nx=True, px=_WAITING_MS)
                pipe.zremrangebyscore(task.queue, 0, (time.time() - LETTER_SECONDS) * 1000)
                is_new, _ = await pipe.execute()
            if not is_new:
                return False
        await self._redis.enqueue_job(task.name, letter, _queue_name=task.queue)
        await self._redis.publish(BELL + task.queue, b"")
        return True

    async def _publish(self, names: set[str]) -> bool:
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.publish(name, b"")
            await pipe.execute()
        return True

    async def _ping(self) -> bool:
        await self._redis.ping()
        return True

    async def _try(self, work: Callable[[], Awaitable[bool]]) -> bool | None:
        """The outcome, or None where Redis is away; after a failure it is left alone for a moment."""
        if self._is_closed or time.monotonic() < self._quiet_until:
            return None
        try:
            async with asyncio.timeout(SENDING_SECONDS):
                outcome = await work()
        except AWAY as error:
            self._quiet_until = time.monotonic() + SILENCE_SECONDS
            if self._is_up:
                _log.warning("redis.away", error=type(error).__name__)
            self._is_up = False
            return None
        finally:
            if self._is_closed:  # meanwhile: it may just have connected, which the closing did not see
                await finish(self._redis.aclose())
        if not self._is_up:
            _log.info("redis.back")
        self._is_up = True
        return outcome
