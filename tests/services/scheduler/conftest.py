"""A real receiver of `generic` posts on loopback, and schedulers that work on a database of the test's own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.scheduler.house import House as Shop
from services.scheduler.worker import Scheduler
from shared import http
from shared.connectors.registry import CARDS
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostDraft
from shared.models.enums import Network, PostStatus
from shared.models.post import Post
from shared.queues import Queues
from shared.settings import Settings
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.connectors.loopback import serving
from tests.domain.notifying.conftest import desk

__all__ = ["desk"]

SECRET = "whsec_c2VjcmV0"


@dataclass
class Receiver:
    """Keeps every post that it takes, also twice the same one: `faults` say how it answers the next ones.

    A fault is (taken or not, status, seconds before the answer).
    """

    faults: list[tuple[bool, int, float]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["method"] == "GET":
            status, answer = self._look(scope["path"].rpartition("/")[2])
        else:
            key = dict(scope["headers"])[b"webhook-id"].decode()
            status, answer = await self._take({**orjson.loads(body)["post"], "key": key})
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps(answer)})

    def _look(self, id: str) -> tuple[int, dict[str, Any]]:
        self.looks.append(id)
        found = [n for n, post in enumerate(self.taken) if post["key"] == id]
        return (200, {"id": f"post-{found[0]}"}) if found else (404, {})

    async def _take(self, post: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        takes, status, wait = self.faults.pop(0) if self.faults else (True, 200, 0.0)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if takes:
            self.taken.append(post)
        try:
            await asyncio.sleep(wait)
        finally:
            self.at_once -= 1
        return status, {"id": f"post-{len(self.taken) - 1}"}

    async def has_taken(self) -> bool:
        """Whether there is anything yet."""
        return bool(self.taken)

    @property
    def ids(self) -> list[str]:
        return [post["key"] for post in self.taken]


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    async with serving(found) as port:
        found.url = f"http://127.0.0.1:{port}/in"
        yield found


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Yard:
    """A brand, its posts, and schedulers to send them."""

    database: TestDatabase
    app: Database
    house: House
    brand: HouseBrand

    def settings(self, **changes: Any) -> Settings:
        quick = {"send_timeout_seconds": 1, "lease_seconds": 2, "retry_first_seconds": 0.3, "sweep_seconds": 0.2}
        return self.database.settings.model_copy(update={**quick, **changes})

    @asynccontextmanager
    async def scheduler(self, **changes: Any) -> AsyncIterator[Scheduler]:
        """One scheduler with connections of its own, for the time of the block."""
        settings = self.settings(**changes)
        assert settings.redis_url is not None
        db = Database(self.database.worker_url, name="test scheduler", size=5)
        queues = Queues(settings.redis_url)
        stop = asyncio.Event()
        async with http.client(settings) as client:
            made = Scheduler(Shop(db, queues, self.house.vault, client, settings))
            running = asyncio.create_task(made.run(stop))
            try:
                yield made
            finally:
                stop.set()
                await running
                await queues.close()
                await db.close()

    async def channel(self, network: Receiver) -> HouseChannel:
        credentials = {"url": network.url, "secret": SECRET}
        return await self.house.channel(self.brand, Network.GENERIC, credentials=credentials)

    async def publish(self, *channels: HouseChannel, text: str = "Bonjour") -> Post:
        now = datetime.now(UTC)
        async with self.app.session() as session:
            scope = await scopes.house(session, self.brand.brand_id)
            draft = PostDraft.model_validate({"text": text, "channel_ids": [str(c.id) for c in channels]})
            post = await posts.create(session, scope, draft=draft, cards=CARDS, now=now)
            return await posts.publish(session, scope, post.id, cards=CARDS, now=now)

    async def status(self, post: Post) -> PostStatus:
        async with self.app.reading() as session:
            scope = await scopes.house(session, self.brand.brand_id)
            return (await posts.get(session, scope, post.id)).status

    async def becomes(self, post: Post, status: PostStatus, seconds: float = 60) -> None:
        async def is_so() -> bool:
            return await self.status(post) is status

        await until(is_so, seconds)


@pytest.fixture
def yard(database: TestDatabase, app_db: Database, house: House, brand: HouseBrand) -> Yard:
    return Yard(database, app_db, house, brand)
