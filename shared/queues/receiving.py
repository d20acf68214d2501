"""Receiving: a queue's tasks handed to their handlers, through arq."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from random import uniform
from typing import Any

import arq.worker
import orjson
from arq.connections import ArqRedis
from prometheus_client import Counter

from shared.log import bound_contextvars, logger
from shared.queues.connecting import AWAY, BELL, WAITING, client
from shared.queues.ending import cancel, finish
from shared.queues.tasks import Handler, Task, from_wire

_log = logger("queues")

RECEIVING_SECONDS = 5.0  # the longest that a receiver waits for Redis
POLL_SECONDS = 0.25  # how often a receiver looks into its queue without having heard the bell
JOB_SECONDS = 60  # the longest that a handler may take

_run = Counter("parvis_tasks_run_total", "Tasks taken from Redis, by outcome.", ["task", "outcome"])


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
        redis = client(redis_url, timeout=RECEIVING_SECONDS)
        try:
            await redis.ping()
            if was_away:
                _log.info("redis.back", queue=queue)
            was_away = False
            await _work(redis, queue, functions, stop, grace)
        except AWAY as error:
            if not was_away:
                _log.warning("redis.away", queue=queue, error=type(error).__name__)
            was_away = True
        except Exception:
            _log.exception("queue.broke", queue=queue)
        finally:
            await finish(redis.aclose())
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
    rung = asyncio.Event()
    working = asyncio.ensure_future(worker.async_run())
    looking = asyncio.ensure_future(_look(worker, rung))
    listening = asyncio.ensure_future(_listen(redis, queue, rung))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, looking, listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        fell_over = [task for task in (working, looking, listening) if task.done()]
    finally:
        stopping.cancel()
        # Told that there is no job left for it, arq ends by itself, after those in hand. Cancelled in the middle of a
        # look into its queue, it would leave a pipeline open.
        worker.burst, worker.max_burst_jobs = True, 0
        rung.set()
        await finish(_leave(worker, {working, looking}, listening, grace))
    for task in fell_over:
        task.result()


async def _leave(
    worker: arq.worker.Worker, ending: set[asyncio.Task[Any]], listening: asyncio.Task[Any], grace: float
) -> None:
    await asyncio.wait(ending, timeout=grace)
    await cancel({*ending, listening, *worker.tasks.values(), *worker.job_tasks.values()})


async def _listen(redis: ArqRedis, queue: str, rung: asyncio.Event) -> None:
    """Set `rung` at every bell of the queue."""
    async with redis.pubsub() as bell:
        await bell.subscribe(BELL + queue)
        while True:
            if await bell.get_message(ignore_subscribe_messages=True, timeout=RECEIVING_SECONDS / 2) is not None:
                rung.set()


async def _look(worker: arq.worker.Worker, rung: asyncio.Event) -> None:
    """Let arq look into its queue at once when the bell rings: by itself it looks now and then."""
    while not worker.burst:
        await rung.wait()
        rung.clear()
        if worker.ctx.get("redis") is not None:  # it has started
            await worker._poll_iteration()


def _received(kind: type[Task], handler: Handler) -> Callable[..., Coroutine[Any, Any, None]]:
    """The handler as arq calls it. What it raises is logged here: arq retries no exception, the sweep does."""

    async def run(context: dict[str, Any], letter: dict[str, str]) -> None:
        if not letter:
            with contextlib.suppress(*AWAY):
                await context["redis"].delete(WAITING + kind.name)
        with bound_contextvars(task=kind.name, **letter):
            try:
                await handler(from_wire(kind, letter))
            except Exception:
                _run.labels(kind.name, "failed").inc()
                _log.exception("task.failed")
            else:
                _run.labels(kind.name, "done").inc()

    return run
