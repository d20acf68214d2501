"""The two networks of the runs: the practice network, and a partner behind `generic`. Each gives spots to publish on."""

import base64
import secrets
from dataclasses import dataclass
from typing import Protocol

import httpx

from shared.models.enums import Network
from tests.faults.effects.lies import TOKEN_SECONDS, Lie
from tests.faults.effects.partner import Partner

_SECRET = "whsec_" + base64.b64encode(b"the partner has this key as well").decode()


@dataclass(frozen=True)
class Spot:
    """A place of its own on a network, for one effect: what a channel to it is made of."""

    network: Network
    name: str
    credentials: dict[str, str]
    base_url: str | None


class Ground(Protocol):
    """A network, seen from outside."""

    network: Network

    async def spot(self, lie: Lie) -> Spot: ...

    async def login(self, spot: Spot) -> dict[str, str]:
        """Fresh credentials, as a person brings them."""
        ...

    async def lie(self, spot: Spot, lie: Lie, text: str) -> None:
        """Lie about the effect with this text on that spot, as often as the lie says."""
        ...

    async def copies(self, spot: Spot) -> list[str]:
        """The ids of what is live there now."""
        ...


class Practice:
    """`services/sandbox`: a page a spot."""

    network = Network.SANDBOX

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)

    async def spot(self, lie: Lie) -> Spot:
        name = f"page-{secrets.token_hex(6)}"
        token = f"sbx_{secrets.token_urlsafe(24)}"
        (await self._http.post("/api/accounts", json={"account": name, "token": token})).raise_for_status()
        spot = Spot(self.network, name, {"access_token": token}, self._url)
        return Spot(self.network, name, await self.login(spot), self._url) if lie.runs_out else spot

    async def login(self, spot: Spot) -> dict[str, str]:
        told = {"seconds": TOKEN_SECONDS}
        answer = (await self._http.post(f"/api/accounts/{spot.name}/login", json=told)).raise_for_status().json()
        return {name: answer[name] for name in ("access_token", "refresh_token")}

    async def lie(self, spot: Spot, lie: Lie, text: str) -> None:
        if lie.effect is None:
            return
        match = {"path": "/api/v1/", "account": spot.name}
        if not lie.to_all:
            match = {"method": "POST", "path": "/api/v1/posts", "body": text}
        told = {"match": match, "effect": lie.effect, "count": lie.times}
        (await self._http.post("/api/faults", json=told)).raise_for_status()

    async def copies(self, spot: Spot) -> list[str]:
        answer = await self._http.get("/api/posts", params={"account": spot.name, "limit": 100})
        return [post["id"] for post in answer.raise_for_status().json()["posts"] if not post["deleted"]]

    async def close(self) -> None:
        await self._http.aclose()


class Partners:
    """`Partner`, on loopback: a path a spot."""

    network = Network.GENERIC

    def __init__(self, partner: Partner, port: int) -> None:
        self._partner, self._url = partner, f"http://127.0.0.1:{port}"

    async def spot(self, lie: Lie) -> Spot:
        name = f"spot-{secrets.token_hex(6)}"
        return Spot(self.network, name, {"url": f"{self._url}/{name}", "secret": _SECRET}, None)

    async def login(self, spot: Spot) -> dict[str, str]:
        return spot.credentials

    async def lie(self, spot: Spot, lie: Lie, text: str) -> None:
        self._partner.lie(spot.name, lie)

    async def copies(self, spot: Spot) -> list[str]:
        return [f"{spot.name}-{number}" for number in range(1, self._partner.copies(spot.name) + 1)]
