"""A feed, its site and its hub on loopback, and the hook that a hub meets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx

from shared.connectors.feed import Feed
from shared.contract import HookAddress, Login, Page, RawArrival, RawPart, RawRequest, Said, Secret, Subscription
from shared.errors import BadSignature
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.feed import Site
from tests.networks.fakes.hub import Hub

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ENTRY = (
    b"<rss version='2.0'><channel><title>Dunes</title><item><guid isPermaLink='false'>1</guid><title>a</title></item>"
)
RSS = ENTRY + b"</channel></rss>"
feed = Feed()


@dataclass
class World:
    site: Site
    http: httpx.AsyncClient
    url: str
    login: Login

    async def poll(self, cursor: str | None = None) -> Page:
        return await feed.poll(self.http, self.login, cursor)


@asynccontextmanager
async def world(path: str = "/feed", **settings: Any) -> AsyncIterator[World]:
    site = Site()
    async with serving(site) as port, guarded(**settings) as http:
        url = f"http://127.0.0.1:{port}"
        yield World(site, http, url, Login(f"{url}{path}", f"{url}{path}", {}))


def rss(*titles: str, extra: str = "") -> str:
    items = "".join(f"<item><guid isPermaLink='false'>{t}</guid><title>{t}</title></item>" for t in titles)
    return f"<rss version='2.0'><channel><title>Dunes</title>{extra}{items}</channel></rss>"


def heard(arrival: RawArrival) -> list[str | None]:
    parsed = feed.parse(RawPart("https://cafe.example/", arrival.body, arrival.stamp, arrival.headers))
    return [fact.text for fact in parsed.heard if isinstance(fact, Said)]


@dataclass
class Callback:
    """A hook's address as a hub meets it: what the connector says to each request is what it answers."""

    secret: Secret
    pushed: list[RawRequest] = field(default_factory=list)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        body = (await receive()).get("body", b"")
        query = dict(parse_qsl(scope["query_string"].decode()))
        status, text = self._answer(RawRequest(scope["method"], headers, query, body, NOW))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": text})

    def _answer(self, request: RawRequest) -> tuple[int, bytes]:
        shaken = feed.handshake(request, self.secret)
        if shaken is not None:
            return shaken.status, shaken.body
        try:
            feed.verify(request, self.secret)
        except BadSignature:
            return 401, b""
        self.pushed.append(request)
        return 200, b""


@dataclass
class HubWorld:
    site: Site
    hub: Hub
    callback: Callback
    http: httpx.AsyncClient
    feed_url: str
    hub_url: str
    hook: HookAddress

    async def subscribe(self) -> Subscription | None:
        found = await feed.subscribe(self.http, Login(self.feed_url, self.feed_url, {}), self.hook)
        await self.hub.asked_back()
        return found


@asynccontextmanager
async def hub_world(**hub: Any) -> AsyncIterator[HubWorld]:
    site, fake, callback = Site(), Hub(**hub), Callback(Secret((feed.new_secret(),)))
    async with serving(site) as one, serving(fake) as two, serving(callback) as three, guarded() as http:
        urls = [f"http://127.0.0.1:{port}" for port in (one, two, three)]
        here = HubWorld(
            site, fake, callback, http, f"{urls[0]}/feed", f"{urls[1]}/",
            HookAddress(f"{urls[2]}/webhooks/hook_1", callback.secret.keys[0]),
        )  # fmt: skip
        site.put("/feed", RSS, headers={"link": f'<{here.hub_url}>; rel="hub", <{here.feed_url}>; rel=self'})
        yield here
