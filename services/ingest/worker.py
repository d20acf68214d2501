"""The ingest worker: a loop over PostgreSQL comes first, the doorbell only wakes it earlier."""

import asyncio
import contextlib
from collections.abc import Awaitable

from services import serving
from services.ingest import handlers, polling
from services.ingest.handlers import Worker
from shared import http, log, queues
from shared.db import Database, is_passing
from shared.queues import Handler, PollChannel, Queues, SettleArrivals, Task
from shared.settings import Settings
from shared.vault import Vault

_log = log.logger("ingest.worker")


async def work(worker: Worker, stop: asyncio.Event) -> None:
    """Settle arrivals and poll channels until `stop`; what is in hand then is finished."""
    rung = asyncio.Event()

    async def settle(_: SettleArrivals) -> None:
        rung.set()

    async def poll(task: PollChannel) -> None:
        await polling.poll(worker, task.channel_id)

    async with asyncio.TaskGroup() as group:
        group.create_task(_settling(worker, rung, stop))
        group.create_task(_polling(worker, stop))
        assert worker.settings.redis_url is not None
        told: dict[type[Task], Handler] = {SettleArrivals: settle, PollChannel: poll}
        group.create_task(queues.run_worker(worker.settings.redis_url, queues.INGEST, told, stop))
        await stop.wait()
        rung.set()


async def _settling(worker: Worker, rung: asyncio.Event, stop: asyncio.Event) -> None:
    while not stop.is_set():
        rung.clear()
        await _guarded("settling", handlers.drain(worker))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(rung.wait(), worker.settings.sweep_seconds)


async def _polling(worker: Worker, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await _guarded("polling", polling.sweep(worker))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), worker.settings.sweep_seconds)


async def _guarded(what: str, work: Awaitable[object]) -> None:
    """Run one round; a failure is said and the next round comes. PostgreSQL being away is no surprise."""
    try:
        await work
    except Exception as error:
        if is_passing(error):
            _log.warning(f"{what}.waits", error=type(error).__name__)
            await asyncio.sleep(0.5)
        else:
            _log.exception(f"{what}.failed")


async def main() -> None:
    """Run until SIGTERM."""
    settings = Settings()
    log.set_up("ingest-worker", settings.log_level)
    assert settings.worker_database_url is not None
    assert settings.redis_url is not None
    stop = asyncio.Event()
    serving.stop_on_signals(stop)
    db = Database(settings.worker_database_url, name="ingest worker", size=settings.pool_size)
    sender = Queues(settings.redis_url)
    async with http.client(settings) as client:
        await db.open_when_up()
        keys = [key.get_secret_value() for key in settings.secret_keys]
        serving.settle_memory()
        try:
            await work(Worker(db, sender, Vault(keys), client, settings), stop)
        finally:
            await sender.close()
            await db.close()


if __name__ == "__main__":
    serving.run(main())
