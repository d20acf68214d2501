"""A worker has no port: it is ready when its heart beats."""

from typing import Any

import asyncpg

from tests.benchmarks.rig import Ready


def beats(watching: "asyncpg.Connection[Any]", service: str) -> Ready:
    """Whether a copy of this service has said in this database that it is alive."""

    async def heard() -> bool:
        wanted = f"heartbeat:{service}:%"
        return bool(await watching.fetchval("SELECT EXISTS (SELECT FROM lease WHERE name LIKE $1)", wanted))

    return heard
