"""Letters and bells over Redis, behind which nothing is kept: PostgreSQL is the truth, this is the doorbell.

Tasks go through arq, events through pub/sub. Losing any of it costs at most a sweep's wait (a second), so nothing here
raises because Redis is away: a sender counts and goes on, a receiver comes back by itself.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from random import uniform
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import arq.connections
import arq.constants
import arq.jobs
import arq.worker
import orjson
from arq.connections import ArqRedis
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.ids import Prefix, typeid
from shared.log import bound_contextvars, logger

_log = logger("queues")

INGEST = "parvis:ingest"
SCHEDULER = "parvis:scheduler"
_EVENTS = "parvis:events:"
_WAITING = "parvis:waiting:"

SENDING_SECONDS = 0.5  # the longest that a sender waits for Redis
SILENCE_SECONDS = 0.5  # after a failure, how long Redis is not asked again
RECEIVING_SECONDS = 5.0  # the longest that a receiver waits for Redis
POLL_SECONDS = 0.02  # how often a receiver looks into its queue
RING_SECONDS = 0.05  # the shortest time between two rings of one bell by one process
TIMED_POLL_SECONDS = 1.0  # how often a subscription looks without having been told
JOB_SECONDS = 60  # the longest that a handler may take
LETTER_SECONDS = 600  # how long a letter that nobody fetches is kept
_WAITING_MS = 2000

_AWAY = (RedisError, OSError, TimeoutError)

_sent = Counter("parvis_tasks_sent_total", "Tasks handed to Redis, by outcome.", ["task", "outcome"])
_run = Counter("parvis_tasks_run_total", "Tasks taken from Redis, by outcome.", ["task", "outcome"])

# arq has no setting for its keys' names. They stand under ours, so that a shared Redis shows which keys are whose.
for _module in (arq.constants, arq.connections, arq.jobs, arq.worker):
    for _name in ("job_key_prefix", "in_progress_key_prefix", "result_key_prefix", "retry_key_prefix", "abort_jobs_ss"):
        if hasattr(_module, _name):
            setattr(_module, _name, "parvis:" + getattr(_module, _name))


# ---------------------------------------------------------------- tasks


@dataclass(frozen=True, slots=True)
class Task:
    """A letter: ids only, and its version in its name on the wire, so that two releases can share a queue."""

    name: ClassVar[str]
    queue: ClassVar[str]


@dataclass(frozen=True, slots=True)
class SettleArrivals(Task):
    """Arrivals wait. From the door to the ingest worker."""

    name: ClassVar[str] = "SettleArrivals.v1"
    queue: ClassVar[str] = INGEST


@dataclass(frozen=True, slots=True)
class PollChannel(Task):
    """A channel is due to be polled. From the scheduler to the ingest worker."""

    channel_id: UUID
    brand_id: UUID
    name: ClassVar[str] = "PollChannel.v1"
    queue: ClassVar[str] = INGEST


@dataclass(frozen=True, slots=True)
class SendOutgoing(Task):
    """Something is due to be sent. From the api to the scheduler."""

    name: ClassVar[str] = "SendOutgoing.v1"
    queue: ClassVar[str] = SCHEDULER


@dataclass(frozen=True, slots=True)
class DeliverWebhooks(Task):
    """Outgoing webhooks wait. To the scheduler."""

    name: ClassVar[str] = "DeliverWebhooks.v1"
    queue: ClassVar[str] = SCHEDULER


T = TypeVar("T", bound=Task)
Handler = Callable[[Any], Awaitable[None]]


def _to_wire(task: Task) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(task).items()}


def _from_wire(kind: type[T], letter: Mapping[str, str]) -> T:
    return kind(**{field.name: UUID(letter[field.name]) for field in fields(kind)})


def _redis(url: str, *, timeout: float) -> ArqRedis:
    """A client that gives up after `timeout` seconds and speaks JSON; it connects when it is first used."""
    client: ArqRedis = ArqRedis.from_url(url, socket_timeout=timeout, socket_connect_timeout=min(timeout, 2.0))
    client.job_serializer = orjson.dumps
    client.job_deserializer = orjson.loads
    client.expires_extra_ms = LETTER_SECONDS * 1000
    return client


# ---------------------------------------------------------------- sending


class Queues:
    """A process's hands on Redis: sends tasks, publishes and hears events. Never raises because Redis is away."""

    def __init__(self, redis_url: str) -> None:
        self._redis = _redis(redis_url, timeout=SENDING_SECONDS)
        self._listener = _Listener(redis_url)
        self._is_up = True
        self._quiet_until = 0.0
        self._bells: dict[Task, asyncio.Task[None]] = {}
        self._again: set[Task] = set()

    async def send(self, task: Task) -> bool:
        """Hand a task over; False where Redis is away. A task without ids that already waits is not sent twice."""
        outcome = await self._try(lambda: self._enqueue(task))
        _sent.labels(task.name, "away" if outcome is None else "sent" if outcome else "waiting").inc()
        return outcome is not None

    def ring(self, task: Task) -> None:
        """Send in the background and at once, but not more often than every 50 ms; later rings become one."""
        if task in self._bells:
            self._again.add(task)
        else:
            self._bells[task] = asyncio.get_running_loop().create_task(self._ring(task))

    async def publish(self, brand_ids: Iterable[UUID]) -> None:
        """Tell every api that these brands have new events."""
        names = {_EVENTS + typeid(Prefix.BRAND, brand_id) for brand_id in brand_ids}
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

    async def close(self) -> None:
        """Let the last rings go, then hang up."""
        bells = list(self._bells.values())
        if bells:
            await asyncio.wait(bells, timeout=2 * SENDING_SECONDS)
            await _end(bells)
        await self._listener.close()
        await self._redis.aclose()

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
        letter = _to_wire(task)
        if not letter:
            # A bell that hangs already needs no second one. The receiver takes its mark down before it acts, so a ring
            # that comes while it acts hangs a new one. Letters that nobody fetched in time go, so queues stay small.
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.set(_WAITING + task.name, b"1", nx=True, px=_WAITING_MS)
                pipe.zremrangebyscore(task.queue, 0, (time.time() - LETTER_SECONDS) * 1000)
                is_new, _ = await pipe.execute()
            if not is_new:
                return False
        await self._redis.enqueue_job(task.name, letter, _queue_name=task.queue)
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
        if time.monotonic() < self._quiet_until:
            return None
        try:
            async with asyncio.timeout(SENDING_SECONDS):
                outcome = await work()
        except _AWAY as error:
            self._quiet_until = time.monotonic() + SILENCE_SECONDS
            if self._is_up:
                _log.warning("redis.away", error=type(error).__name__)
            self._is_up = False
            return None
        if not self._is_up:
            _log.info("redis.back")
        self._is_up = True
        return outcome


class _Listener:
    """One connection that hears every brand's bell and wakes who listens in this process."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Redis = Redis.from_url(redis_url, socket_connect_timeout=2.0, health_check_interval=10)
        self._events: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def listening(self, brand_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set at every bell of the brand."""
        event, name = asyncio.Event(), _EVENTS + typeid(Prefix.BRAND, brand_id)
        self._events.setdefault(name, set()).add(event)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._listen())
        try:
            yield event
        finally:
            self._events[name].discard(event)
            if not self._events[name]:
                del self._events[name]

    async def close(self) -> None:
        if self._task is not None:
            await _end([self._task])
        await self._redis.aclose()

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*_AWAY):
                async with self._redis.pubsub() as bell:
                    await bell.psubscribe(_EVENTS + "*")
                    self._wake(event for events in self._events.values() for event in events)
                    while True:
                        message = await bell.get_message(ignore_subscribe_messages=True, timeout=5.0)
                        if message is not None:
                            self._wake(self._events.get(message["channel"].decode(), ()))
            await asyncio.sleep(uniform(0.2, 0.5))

    @staticmethod
    def _wake(events: Iterable[asyncio.Event]) -> None:
        for event in events:
            event.set()


# ---------------------------------------------------------------- receiving


async def run_worker(
    redis_url: str, queue: str, handlers: Mapping[type[Task], Handler], stop: asyncio.Event, *, grace: float = 5.0
) -> None:
    """Hand the queue's tasks to their handlers until `stop`, whatever Redis does; then wait `grace` seconds for them.

    A task may come twice or never: handlers are safe to repeat, and a sweep of PostgreSQL stands behind each. arq's
    Worker ends when Redis goes, so a new one is made each time.
    """
    logging.getLogger("arq.worker").setLevel(logging.WARNING)
    functions = [arq.worker.func(_received(kind, handler), name=kind.name) for kind, handler in handlers.items()]
    was_away = False
    while not stop.is_set():
        redis = _redis(redis_url, timeout=RECEIVING_SECONDS)
        try:
            await redis.ping()
            if was_away:
                _log.info("redis.back", queue=queue)
            was_away = False
            await _work(redis, queue, functions, stop, grace)
        except _AWAY as error:
            if not was_away:
                _log.warning("redis.away", queue=queue, error=type(error).__name__)
            was_away = True
        except Exception:
            _log.exception("queue.broke", queue=queue)
        finally:
            with contextlib.suppress(*_AWAY):
                await redis.aclose()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), uniform(0.2, 0.5))


async def _work(
    redis: ArqRedis, queue: str, functions: list[arq.worker.Function], stop: asyncio.Event, grace: float
) -> None:
    """One arq Worker, until `stop` or until it falls over. Raises what it fell over."""
    worker = arq.worker.Worker(
        functions,
        queue_name=queue,
        redis_pool=redis,
        handle_signals=False,
        keep_result=0,  # a kept result would silently swallow the same task sent again
        poll_delay=POLL_SECONDS,
        job_timeout=JOB_SECONDS,
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
        log_results=False,
    )
    working = asyncio.ensure_future(worker.async_run())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        worker.allow_pick_jobs = False
        if worker.tasks:
            await asyncio.wait(list(worker.tasks.values()), timeout=grace)
        if working.done():
            working.result()
    finally:
        await _end([working, stopping, *worker.tasks.values(), *worker.job_tasks.values()])


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until all are gone: redis-py swallows a cancellation that comes while it looks at its connection."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=0.1)
        for task in ended:
            if not task.cancelled():
                task.exception()


def _received(kind: type[Task], handler: Handler) -> Callable[..., Coroutine[Any, Any, None]]:
    """The handler as arq calls it. What it raises is logged here: arq retries no exception, the sweep does."""

    async def run(context: dict[str, Any], letter: dict[str, str]) -> None:
        if not letter:
            with contextlib.suppress(*_AWAY):
                await context["redis"].delete(_WAITING + kind.name)
        with bound_contextvars(task=kind.name, **letter):
            try:
                await handler(_from_wire(kind, letter))
            except Exception:
                _run.labels(kind.name, "failed").inc()
                _log.exception("task.failed")
            else:
                _run.labels(kind.name, "done").inc()

    return run
