"""A browser's way: from the frontend to the practice network's consent page, to the api, and back to the frontend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from services.sandbox.app import create_app
from tests.services.sandbox.conftest import served

FRONT = "https://front.example"
RETURN = f"{FRONT}/channels?tab=2#new"


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@dataclass
class Network:
    """The practice network with three pages on it."""

    url: str
    people: httpx.AsyncClient

    async def fault(self, path: str, effect: Any, count: int = 1) -> None:
        answer = await self.people.post("/api/faults", json={"match": path, "effect": effect, "count": count})
        assert answer.status_code == 201, answer.text

    async def allow(self, authorize_url: str, **changes: Any) -> str:
        """Where the browser is sent once lea has answered the page."""
        page = await self.people.get(authorize_url)
        assert page.status_code == 200, page.text
        form = {"as": "lea", "page": ["cafe", "shop"], "give": ["publish", "webhook"], "answer": "allow", **changes}
        answer = await self.people.post("/oauth/authorize", data={**query_of(authorize_url), **form})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Network]:
    async with (
        served(lambda url: create_app(folder / "sandbox.db", url)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as people,
    ):
        for account, name in (("cafe", "Café Parvis"), ("shop", "Shop"), ("other", "Other")):
            await people.post("/api/accounts", json={"account": account, "name": name})
        yield Network(url, people)


async def come_back(api: httpx.AsyncClient, url: str) -> httpx.Response:
    """The browser's request to the api, as the network sent it there."""
    parts = urlsplit(url)
    return await api.get(f"{parts.path}?{parts.query}")
