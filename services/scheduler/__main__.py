"""`python -m services.scheduler` runs it; with `--check` it says by its exit code whether one is alive here."""

import asyncio
import sys

from services import serving
from services.scheduler.house import House
from services.scheduler.worker import Scheduler, heart_name
from shared import http, log
from shared.db import Database
from shared.domain import leases
from shared.queues import Queues
from shared.settings import Settings
from shared.vault import Vault

_CHECK_SECONDS = 5.0


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Run until `stop`."""
    assert settings.worker_database_url is not None
    assert settings.redis_url is not None
    db = Database(settings.worker_database_url, name="scheduler", size=settings.pool_size)
    sender = Queues(settings.redis_url)
    vault = Vault([key.get_secret_value() for key in settings.secret_keys])
    try:
        async with http.client(settings) as client:
            await db.open_when_up()
            serving.settle_memory()
            await Scheduler(House(db, sender, vault, client, settings)).run(stop)
    finally:
        await sender.close()
        await db.close()


async def check(settings: Settings) -> str | None:
    """What is wrong with this machine's scheduler, in a sentence; None where it is alive."""
    if settings.worker_database_url is None:
        return "PARVIS_WORKER_DATABASE_URL is not set"
    db = Database(settings.worker_database_url, name="scheduler check", size=1)
    try:
        async with asyncio.timeout(_CHECK_SECONDS), db.reading() as session:
            if await leases.beats(session, heart_name()):
                return None
    except Exception as error:
        return f"PostgreSQL can't be asked: {type(error).__name__}"
    finally:
        await db.close()
    return "no scheduler on this machine has said lately that it is alive"


async def _serve() -> None:
    settings = Settings()
    log.set_up("scheduler", settings.log_level)
    stop = asyncio.Event()
    serving.stop_on_signals(stop)
    await main(settings, stop)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        raise SystemExit(asyncio.run(check(Settings())))
    serving.run(_serve())
