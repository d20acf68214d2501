"""The ingest worker: its loops over PostgreSQL come first, the doorbell only wakes them earlier."""

import asyncio
import sys

from services import rounds, serving, traces
from services.ingest import deepening as deep
from services.ingest import embedding, handlers
from services.ingest.asking import Asking
from services.ingest.deepening import Budget, Deepening
from services.ingest.embedding import Embedder
from services.ingest.handlers import Worker
from services.rounds import Rounds
from shared import http, log, queues
from shared.analysis.reading import Text, read
from shared.db import Database
from shared.ids import new_uuid
from shared.queues import Handler, PollChannel, Queues, SettleArrivals, Task
from shared.settings import Settings
from shared.vault import Vault

SERVICE = "ingest-worker"
_GRACE_SECONDS = 5.0
_log = log.logger("ingest.worker")


async def work(worker: Worker, stop: asyncio.Event) -> None:
    """Settle arrivals and ask networks until `stop`; what is in hand then is finished."""
    assert worker.settings.redis_url is not None
    rung, asking = asyncio.Event(), Asking(worker)
    deepening = Deepening(worker, Budget(worker.settings.deep_per_minute))

    async def settle(_: SettleArrivals) -> None:
        rung.set()

    async def poll(_: PollChannel) -> None:
        asking.wake.set()

    async def drain() -> float:
        await handlers.drain(worker)
        return worker.settings.sweep_seconds

    told: dict[type[Task], Handler] = {SettleArrivals: settle, PollChannel: poll}
    turning = Rounds(worker.db, SERVICE, new_uuid(), stop)
    loops = [
        turning.turn("settling", drain, wake=rung),
        turning.turn("asking", asking.round, wake=asking.wake),
        turning.turn("deepening", deepening.round, watched=False),  # nobody is deaf while it stands still
        turning.turn("beating", turning.beat, watched=False),
        queues.run_worker(worker.settings.redis_url, queues.INGEST, told, stop, grace=_GRACE_SECONDS / 2),
    ]
    try:
        await turning.run(loops, grace=_GRACE_SECONDS)
    finally:
        await asking.finish(_GRACE_SECONDS)


async def main() -> None:
    """Run until SIGTERM."""
    settings = Settings()
    log.set_up(SERVICE, settings.log_level)
    url, redis_url = serving.required(settings, "worker_database_url", "redis_url")
    if settings.deep:
        embedding.require()
    serving.metrics(settings)
    stop = asyncio.Event()
    serving.stop_on_signals(stop)
    db = Database(url, name="ingest worker", size=settings.pool_size, stillness=settings.lease)
    sender = Queues(redis_url)
    vault = Vault([key.get_secret_value() for key in settings.secret_keys])
    told, embedder = traces.open_traces(SERVICE), Embedder()
    try:
        async with http.client(settings) as client:
            await serving.until_open(db, stop)
            if stop.is_set():
                return
            await asyncio.to_thread(read, [Text("")])  # the weights come from disk now, not with the first arrival
            serving.settle_memory()
            _log.info("service.started")
            cascade = deep.cascade(embedder) if settings.deep else None
            await work(Worker(db, sender, vault, client, settings, told, cascade=cascade), stop)
    finally:
        embedder.close()
        await traces.close(told)
        await sender.close()
        await db.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        raise SystemExit(asyncio.run(rounds.check(SERVICE, Settings().worker_database_url)))
    serving.run(main())
