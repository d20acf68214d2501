"""An api process for a test, in this one's loop, and ways to ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from services.api.app import create_app
from shared.contract import Author, Heard, Said
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.readings import Read, Readings
from shared.domain.listening.record import record
from shared.ids import Prefix, typeid
from shared.models.enums import MentionKind
from shared.settings import Settings
from tests.conftest import HouseBrand, HouseChannel
from tests.domain.listening import words

T0 = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def said(id_: str, text: str | None = "hello", *, minutes: float = 0, **more: Any) -> Said:
    given: dict[str, Any] = {
        "kind": MentionKind.COMMENT,
        "author": Author(f"u-{id_}", handle=f"h{id_}", name=f"Name {id_}"),
        "published_at": at(minutes),
        "stamp": at(minutes),
        **more,
    }
    return Said(external_id=id_, text=text, **given)


async def hear(
    db: Database, channel: HouseChannel, *heard: Heard, now: datetime = T0, reader: Read | None = words.read
) -> None:
    """Record facts as the worker does."""
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        space = typeid(Prefix.CHANNEL, channel.id)
        part = HeardPart(channel.id, channel.channel.network, space, list(heard))
        await record(session, scope, [part], now=now, readings=Readings(reader) if reader else None)


def brand_id(brand: HouseBrand) -> str:
    return typeid(Prefix.BRAND, brand.brand_id)


@dataclass
class Api:
    """A running app, and a client on it."""

    app: FastAPI
    client: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, query: str, key: str | None, **variables: Any) -> httpx.Response:
        headers = {**self.headers, **({"authorization": f"Bearer {key}"} if key else {})}
        return await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    async def ask(self, query: str, key: str, **variables: Any) -> dict[str, Any]:
        """The whole answer."""
        response = await self.post(query, key, **variables)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def data(self, query: str, key: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.ask(query, key, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def code(self, query: str, key: str, **variables: Any) -> str:
        """The code of the only error."""
        answer = await self.ask(query, key, **variables)
        (error,) = answer["errors"]
        code: str = error["extensions"]["code"]
        return code


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Api]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            yield Api(app, client)
