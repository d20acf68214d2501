"""The practice network beside a worker: people say things there, the worker asks, a test looks at what it heard."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from services.ingest import handlers
from services.ingest.handlers import Worker
from services.sandbox.app import create_app
from shared import http
from shared.connectors.registry import connector
from shared.contract import Login
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import channels, connecting, logins
from shared.models import Channel, ChannelDraft
from shared.models.enums import Network
from shared.queues import Queues
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.services.ingest.turning import take_all
from tests.services.sandbox.conftest import served

SANDBOX = connector(Network.SANDBOX)
QUICK = {"lease_seconds": 8.0, "send_timeout_seconds": 4.0, "retry_first_seconds": 0.2, "sweep_seconds": 0.2}


@dataclass(frozen=True)
class Practice:
    """One network, one worker, one brand. `eyes` is the owner's connection, which sees the rows."""

    worker: Worker
    people: httpx.AsyncClient
    eyes: asyncpg.Connection
    house: House
    brand: HouseBrand

    @property
    def url(self) -> str:
        return str(self.people.base_url).rstrip("/")

    async def log_in(self, account: str, seconds: float = 3600) -> dict[str, str]:
        """Credentials of the page, made on first use, whose access token lasts so long."""
        await self.people.post("/api/accounts", json={"account": account})
        answer = await self.people.post(f"/api/accounts/{account}/login", json={"seconds": seconds})
        assert answer.status_code == 201, answer.text
        return {name: answer.json()[name] for name in ("access_token", "refresh_token")}

    async def channel(
        self, account: str = "cafe", *, brand: HouseBrand | None = None, seconds: float | None = None,
        terms: tuple[str, ...] = (), base_url: str | None = None,
    ) -> HouseChannel:  # fmt: skip
        """A channel of the page, connected as the api does it; with `seconds` by a login that runs out."""
        brand, base_url = brand or self.brand, base_url or self.url
        if seconds is None:
            answer = await self.people.post("/api/accounts", json={"account": account})
            credentials = {"access_token": answer.json()["token"]}
        else:
            credentials = await self.log_in(account, seconds)
        choice = await SANDBOX.identify(self.worker.http, Login("", base_url, credentials))
        draft = ChannelDraft(network=Network.SANDBOX, base_url=base_url, terms=list(terms))
        async with self.house.owner_db.session() as session:
            scope = await scopes.house(session, brand.brand_id)
            made = await connecting.connect(
                session, scope, self.house.vault, draft=draft, credentials=credentials, card=SANDBOX.card,
                new_secret=SANDBOX.new_secret(), hook_base_url="http://127.0.0.1:8001", choice=choice,
                now=datetime.now(UTC),
            )  # fmt: skip
        return HouseChannel(made.channel, made.webhook_url, made.secret or "", brand)

    async def say(self, text: str, account: str = "cafe", **more: Any) -> str:
        answer = await self.people.post("/api/say", json={"account": account, "as": "lea", "text": text, **more})
        assert answer.status_code == 201, answer.text
        said: str = answer.json()["id"]
        return said

    async def habits(self, account: str = "cafe", **habits: Any) -> None:
        answer = await self.people.put(f"/api/accounts/{account}/habits", json=habits)
        assert answer.status_code == 200, answer.text

    async def fault(self, path: str, effect: Any, *, method: str = "GET", count: int = 1) -> None:
        match = {"method": method, "path": path}
        answer = await self.people.post("/api/faults", json={"match": match, "effect": effect, "count": count})
        assert answer.status_code == 201, answer.text

    async def turn(self) -> None:
        """Whatever waits is due: it is asked for, and what came is settled."""
        await self.all_due()
        await take_all(self.worker)
        await handlers.drain(self.worker)

    async def all_due(self) -> None:
        for table in ("due_poll", "due_fetch", "due_operation", "due_upkeep"):
            await self.eyes.execute(f"UPDATE {table} SET due_at = now() - interval '1 ms', leased_until = NULL")

    async def texts(self) -> list[str]:
        rows = await self.eyes.fetch("SELECT text FROM mention WHERE heard AND deleted_at IS NULL ORDER BY 1")
        return [row["text"] for row in rows]

    async def row(self, channel: HouseChannel) -> Channel:
        """The channel as it stands."""
        async with self.worker.db.session() as session:
            scope = await scopes.house(session, channel.brand.brand_id)
            return await channels.get(session, scope, channel.id)

    async def login(self, channel: HouseChannel) -> Login:
        return logins.login(self.house.vault, await self.row(channel))

    async def told(self, channel: HouseChannel, action: str) -> int:
        """How many events say that this happened to the channel."""
        found: int = await self.eyes.fetchval(
            "SELECT count(*) FROM event WHERE thing_id = $1 AND payload ->> 'action' = $2", channel.id, action
        )
        return found

    async def holes(self, channel: HouseChannel) -> list[str]:
        rows = await self.eyes.fetch(
            "SELECT reason FROM coverage WHERE channel_id = $1 AND kind = 'hole' ORDER BY from_at", channel.id
        )
        return [row["reason"] for row in rows]

    async def polled_in(self, channel: HouseChannel) -> float:
        """How many seconds from now the channel is polled next."""
        found = await self.eyes.fetchval(
            "SELECT extract(epoch FROM due_at - now())::float FROM due_poll WHERE channel_id = $1",
            channel.id,
        )
        assert isinstance(found, float)
        return found

    def with_db(self, db: Database) -> Worker:
        """Another worker, over these connections."""
        return replace(self.worker, db=db)


@asynccontextmanager
async def practice(
    database: TestDatabase, superuser_url: str, db: Database, house: House, brand: HouseBrand, folder: Path
) -> AsyncIterator[Practice]:
    """The practice network on loopback, and a worker that is quick to give up and to come back."""
    settings = database.settings.model_copy(update=QUICK)
    assert settings.redis_url is not None
    eyes = await asyncpg.connect(superuser_url)
    queues = Queues(settings.redis_url)
    file = folder / uuid.uuid4().hex / "sandbox.db"
    try:
        async with (
            served(lambda url: create_app(file, url)) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as people,
            http.client(settings) as client,
        ):
            yield Practice(Worker(db, queues, house.vault, client, settings), people, eyes, house, brand)
    finally:
        await queues.close()
        await eyes.close()


class Died(Exception):
    """The process is gone."""


class Dying(Database):
    """Transactions of a process that dies before the commit of its `dies_in`th; whatever it tries later is not done."""

    def __init__(self, url: str, dies_in: int) -> None:
        super().__init__(url, name="dying worker", size=3)
        self._dies_in, self.begun = dies_in, 0

    @property
    def is_dead(self) -> bool:
        return self.begun >= self._dies_in

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        self.begun += 1
        if self.begun > self._dies_in:
            raise Died
        number = self.begun
        async with super().session() as session:
            yield session
            if number == self._dies_in:
                raise Died
