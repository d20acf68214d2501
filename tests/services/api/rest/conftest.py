"""One api for each test of REST, and a client that speaks for one brand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.api.app import create_app
from shared.ids import Prefix, typeid
from tests.conftest import HouseBrand, TestDatabase
from tests.services.api import journey


@dataclass(frozen=True)
class Caller:
    """A client with a key; `path` is below /v1/brands/{its brand}."""

    client: httpx.AsyncClient
    brand_id: str
    key: str

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.key}", **more.pop("headers", {})}
        address = path if path.startswith("/v1/") else f"/v1/brands/{self.brand_id}{path}"
        return await self.client.request(method, address, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.ask("POST", path, **({"json": body} if body is not None else {}), **more)

    async def patch(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return await self.ask("PATCH", path, json=body, **more)

    async def delete(self, path: str, **more: Any) -> httpx.Response:
        return await self.ask("DELETE", path, **more)

    def as_(self, key: str) -> "Caller":
        """The same client with another key."""
        return Caller(self.client, self.brand_id, key)


@pytest.fixture
async def app(database: TestDatabase) -> AsyncIterator[FastAPI]:
    settings = database.settings.model_copy(update={"cors_origins": ("https://front.example",)})
    made = create_app(settings)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as found:
        yield found


@pytest.fixture
def caller(client: httpx.AsyncClient, brand: HouseBrand) -> Caller:
    return Caller(client, typeid(Prefix.BRAND, brand.brand_id), brand.api_key)


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[journey.Network]:
    """The practice network, with three pages on it."""
    async with journey.opened(tmp_path) as found:
        yield found


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer, held to RFC 9457 and the contract."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) == {"type", "title", "status", "detail", "code", "request_id", "retryable", "errors"}
    assert body["status"] == status
    assert body["request_id"] == response.headers["request-id"]
    assert body["retryable"] is (status in {429, 502, 503} or body["code"] == "idempotency_running")
    return body
