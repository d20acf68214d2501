"""Schedulers that end or stop at a point, as the harness holds them; and database roles that see one effect each."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from tests.faults.rig import Rig

_LOOK_SECONDS = 0.02
# Whoever has a lane sees that lane's effects in the queue; the house's own scheduler those that were let go to it.
_POLICY = """
CREATE TABLE faults_lane (outgoing_id uuid PRIMARY KEY, lane name, free boolean NOT NULL DEFAULT false);
GRANT SELECT ON faults_lane TO parvis_worker;
CREATE POLICY faults_lane ON due_outgoing AS RESTRICTIVE TO parvis_worker USING (EXISTS (
  SELECT FROM faults_lane l WHERE l.outgoing_id = due_outgoing.outgoing_id
     AND (l.lane = current_user OR (l.free AND current_user = 'parvis_worker'))));
"""


class Lanes:
    """Which scheduler sees which effect in the queue. A new effect is seen by nobody."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", url: str) -> None:
        self._pool = pool
        self._url = urlsplit(url)

    async def make(self, count: int) -> list[str]:
        """The policy, and `count` roles that are parvis_worker but for what they see: their URLs."""
        await self._pool.execute(_POLICY)
        urls = []
        for number in range(count):
            name = f"faults_{number}"
            await self._pool.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}' IN ROLE parvis_worker")
            place = f"{name}:{name}@{self._url.hostname}:{self._url.port}"
            urls.append(urlunsplit(self._url._replace(netloc=place)))
        return urls

    async def give(self, outgoing_id: UUID, url: str) -> None:
        """Only this role's scheduler sees the effect."""
        lane = urlsplit(url).username
        await self._pool.execute("INSERT INTO faults_lane (outgoing_id, lane) VALUES ($1, $2)", outgoing_id, lane)

    async def free(self, *outgoing_ids: UUID) -> None:
        """The house's own scheduler sees these, too, from now on, all at the same moment."""
        await self._pool.execute(
            "INSERT INTO faults_lane (outgoing_id, free) SELECT unnest($1::uuid[]), true"
            " ON CONFLICT (outgoing_id) DO UPDATE SET free = true",
            outgoing_ids,
        )

    async def take(self, outgoing_id: UUID) -> None:
        """The effect is in no lane any more: the next one there has nothing to do with it."""
        await self._pool.execute("UPDATE faults_lane SET lane = NULL WHERE outgoing_id = $1", outgoing_id)


@dataclass(frozen=True)
class Child:
    """One scheduler that was started for one effect."""

    pid: int
    points: Path

    @property
    def reached(self) -> list[str]:
        """The points it has come by so far, in words."""
        return self.points.read_text("utf-8").splitlines() if self.points.exists() else []

    @property
    def lives(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def stands_still(self) -> bool:
        """Whether it is stopped, as by SIGSTOP."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "T"
        return False

    def tell(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def ended(self) -> None:
        while self.lives:
            await asyncio.sleep(_LOOK_SECONDS)


class Nursery:
    """Starts schedulers in lanes, as few at once as there are lanes."""

    def __init__(self, rig: Rig, urls: Sequence[str], modules: Sequence[str]) -> None:
        self._rig, self._count = rig, 0
        self._urls: asyncio.Queue[str] = asyncio.Queue()
        for url in urls:
            self._urls.put_nowait(url)
        argv = (sys.executable, "-m", "tests.faults.effects.child", *modules)
        environment = rig.watch.program("scheduler").environment
        self._mother = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._asking = asyncio.Lock()

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[str]:
        """A lane of one's own, by its database URL."""
        url = await self._urls.get()
        try:
            yield url
        finally:
            self._urls.put_nowait(url)

    async def start(
        self, url: str, *, at: tuple[str, int] | None = None, number: signal.Signals = signal.SIGKILL
    ) -> Child:
        """A scheduler in a lane. At the point `at`, its words and how manieth time, it gives itself the signal."""
        self._count += 1
        points = self._rig.folder / "points" / str(self._count)
        points.parent.mkdir(exist_ok=True)
        told = {
            "points": str(points),
            "at": at,
            "signal": int(number),
            "log": str(self._rig.folder / "logs" / "children.log"),
            "environment": {"PARVIS_WORKER_DATABASE_URL": url, "PARVIS_METRICS_PORT": "0", "PARVIS_POOL_SIZE": "3"},
        }
        async with self._asking:
            return Child(int(await asyncio.to_thread(self._ask, json.dumps(told))), points)

    def _ask(self, line: str) -> str:
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write(line.encode() + b"\n")
        self._mother.stdin.flush()
        return self._mother.stdout.readline().decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End every scheduler that was started here."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.close()
        self._mother.wait(10)
        self._mother.stdout.close()
