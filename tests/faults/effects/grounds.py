"""The two networks of the runs: the practice network, and a partner behind `generic`. Each gives spots to act on."""

import base64
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from shared.models.enums import Network, OutgoingKind
from tests.faults.effects.lies import TOKEN_SECONDS, Lie
from tests.faults.effects.partner import Partner

_SECRET = "whsec_" + base64.b64encode(b"the partner has this key as well").decode()
_ASKS = {
    OutgoingKind.PUBLISH: ("POST", "/api/v1/posts"),
    OutgoingKind.REPLY: ("POST", "/api/v1/posts"),
    OutgoingKind.HIDE: ("PUT", "/api/v1/posts/{}/hidden"),
    OutgoingKind.DELETE: ("DELETE", "/api/v1/posts/{}"),
}


@dataclass(frozen=True)
class Spot:
    """A place of its own on a network, for one effect: what a channel to it is made of, and what stands there."""

    network: Network
    name: str
    credentials: dict[str, str]
    base_url: str | None
    said: str  # what somebody said there: its id


class Ground(Protocol):
    """A network, seen from outside."""

    network: Network

    async def spot(self, lie: Lie) -> Spot: ...

    async def login(self, spot: Spot) -> dict[str, str]:
        """Fresh credentials, as a person brings them."""
        ...

    async def lie(self, spot: Spot, lie: Lie, kind: OutgoingKind) -> None:
        """Lie about the effect on that spot, as often as the lie says."""
        ...

    async def copies(self, spot: Spot, kind: OutgoingKind) -> list[str]:
        """The ids of what is live there now: of posts or answers, or of what is hidden or deleted."""
        ...


class Practice:
    """`services/sandbox`: a page a spot."""

    network = Network.SANDBOX

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)

    async def spot(self, lie: Lie) -> Spot:
        name, token = f"page-{secrets.token_hex(6)}", f"sbx_{secrets.token_urlsafe(24)}"
        await self._ask("POST", "/api/accounts", json={"account": name, "token": token})
        said = await self._ask("POST", "/api/say", json={"account": name, "as": "lea", "text": "Still open?"})
        credentials = await self._login(name) if lie.runs_out else {"access_token": token}
        return Spot(self.network, name, credentials, self._url, said["id"])

    async def login(self, spot: Spot) -> dict[str, str]:
        return await self._login(spot.name)

    async def _login(self, name: str) -> dict[str, str]:
        answer = await self._ask("POST", f"/api/accounts/{name}/login", json={"seconds": TOKEN_SECONDS})
        return {name: answer[name] for name in ("access_token", "refresh_token")}

    async def lie(self, spot: Spot, lie: Lie, kind: OutgoingKind) -> None:
        if lie.effect is None:
            return
        match = {"path": "/api/v1/", "account": spot.name}
        if not lie.to_all:
            method, path = _ASKS[kind]
            match |= {"method": method, "path": path.format(spot.said)}
        await self._ask("POST", "/api/faults", json={"match": match, "effect": lie.effect, "count": lie.times})

    async def copies(self, spot: Spot, kind: OutgoingKind) -> list[str]:
        there = (await self._ask("GET", "/api/posts", params={"account": spot.name, "limit": 100}))["posts"]
        if kind is OutgoingKind.HIDE:
            return [post["id"] for post in there if post["hidden"]]
        if kind is OutgoingKind.DELETE:
            return [post["id"] for post in there if post["deleted"]]
        own = [post for post in there if post["author"]["handle"] == spot.name and not post["deleted"]]
        beneath = spot.said if kind is OutgoingKind.REPLY else None
        return [post["id"] for post in own if post["parent_id"] == beneath]

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = await self._http.request(method, path, **more)
        return answer.raise_for_status().json()

    async def close(self) -> None:
        await self._http.aclose()


class Partners:
    """`Partner`, on loopback: a path a spot."""

    network = Network.GENERIC

    def __init__(self, partner: Partner, port: int) -> None:
        self._partner, self._url = partner, f"http://127.0.0.1:{port}"

    async def spot(self, lie: Lie) -> Spot:
        name = f"spot-{secrets.token_hex(6)}"
        return Spot(self.network, name, {"url": f"{self._url}/{name}", "secret": _SECRET}, None, f"said-{name}")

    async def login(self, spot: Spot) -> dict[str, str]:
        return spot.credentials

    async def lie(self, spot: Spot, lie: Lie, kind: OutgoingKind) -> None:
        self._partner.lie(spot.name, lie)

    async def copies(self, spot: Spot, kind: OutgoingKind) -> list[str]:
        return [f"{spot.name}-{number}" for number in range(1, self._partner.copies(spot.name) + 1)]
