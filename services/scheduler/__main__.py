"""`python -m services.scheduler` runs it; with `--check` it says by its exit code whether one is alive here."""

import asyncio
import sys

from services import rounds, serving
from services.scheduler.house import House
from services.scheduler.worker import SERVICE, Scheduler
from shared import http, log
from shared.db import Database
from shared.queues import Queues
from shared.settings import Settings
from shared.vault import Vault


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Run until `stop`."""
    url, redis_url = serving.required(settings, "worker_database_url", "redis_url")
    serving.metrics(settings)
    db = Database(url, name="scheduler", size=settings.pool_size, stillness=settings.lease)
    sender = Queues(redis_url)
    vault = Vault([key.get_secret_value() for key in settings.secret_keys])
    try:
        async with http.client(settings) as client:
            await serving.until_open(db, stop)
            if stop.is_set():
                return
            serving.settle_memory()
            log.logger(SERVICE).info("service.started")
            await Scheduler(House(db, sender, vault, client, settings)).run(stop)
    finally:
        await sender.close()
        await db.close()


async def _serve() -> None:
    settings = Settings()
    log.set_up(SERVICE, settings.log_level)
    stop = asyncio.Event()
    serving.stop_on_signals(stop)
    await main(settings, stop)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        raise SystemExit(asyncio.run(rounds.check(SERVICE, Settings().worker_database_url)))
    serving.run(_serve())
