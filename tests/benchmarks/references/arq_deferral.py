"""Posts at their time as a project with arq sends them: a job each, deferred until it is due.

arq has its defaults (10 jobs at once, a look every half second), or with TUNED what its users give it against waiting.
"""

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import arq
import orjson
from arq.connections import RedisSettings

import shared.queues  # noqa: F401  where it is imported arq's keys have other names: sender and worker both do

QUEUE = "reference:due"


async def dispatch(context: dict[str, Any], name: str, due_at: float) -> None:
    """The post is in its sender's hands, which does nothing else."""
    context["taken"].append((name, time.time() - due_at))
    if len(context["taken"]) == int(os.environ["COUNT"]):
        file = Path(os.environ["FILE"])
        file.with_suffix(".part").write_bytes(orjson.dumps(context["taken"]))
        file.with_suffix(".part").rename(file)


async def enqueue(redis_url: str, due: Sequence[tuple[str, float]]) -> None:
    """A deferred job for each, in a Redis database of their own.

    The last ones of a worker that ends with its last job are still in its queue, and would be run once more.
    """
    redis = await arq.create_pool(RedisSettings.from_dsn(redis_url))
    await redis.flushdb()
    for start in range(0, len(due), 500):
        await asyncio.gather(
            *(
                redis.enqueue_job("dispatch", name, at, _queue_name=QUEUE, _defer_until=datetime.fromtimestamp(at, UTC))
                for name, at in due[start : start + 500]
            )
        )
    await redis.aclose()


async def start_up(context: dict[str, Any]) -> None:
    context["taken"] = []
    Path(os.environ["FILE"]).with_suffix(".ready").touch()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    arq.run_worker(
        {
            "functions": [dispatch],
            "queue_name": QUEUE,
            "redis_settings": RedisSettings.from_dsn(os.environ["REDIS"]),
            "on_startup": start_up,
            **({"max_jobs": 1_000, "poll_delay": 0.01} if os.environ.get("TUNED") else {}),
        }
    )
