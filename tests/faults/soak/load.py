"""A steady day at a house, told by strangers: deliveries, reads, a subscription, a practice network, posts.

What was acknowledged is noted, so that it can be looked for afterwards.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import connect

from tests.contract.house import Channel, Json, Tenant, mention, now

_AUTHORS = 500
_LATELY = 5000  # mentions that an edit, an answer or a deletion may still be about
_MOST_ERRORS = 20
_FEED = "subscription ($id: ID!, $after: Int) { mentions(brandId: $id, after: $after) { seq type mentionId } }"
_PAGE = """query ($id: ID!) { brand(id: $id) { name
  mentions(first: 50) { nodes { id text publishedAt author { name handle } channel { name network } thread { id } }
  pageInfo { endCursor hasNextPage } } } }"""


@dataclass
class Told:
    """What the house acknowledged, and what went wrong while it was told or asked."""

    deliveries: int = 0
    repeats: int = 0
    heard: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)  # ids on the practice network
    posts: dict[str, str] = field(default_factory=dict)  # our ids, and their texts
    recorded: Counter[str] = field(default_factory=Counter)  # mentions by how often the subscription named them new
    seq: int = 0
    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def went_wrong(self, what: str, why: object) -> None:
        self.done["errors"] += 1
        if len(self.errors) < _MOST_ERRORS:
            self.errors.append(f"{what}: {why}"[:500])


class Load:
    """Everything that strangers do to one tenant, at a steady pace, until they are told to stop."""

    def __init__(self, tenant: Tenant, http: httpx.AsyncClient, *, rate: float, seed: int) -> None:
        self.told = Told()
        self._tenant, self._http, self._rate = tenant, http, rate
        self._channel = tenant.channel()
        self._practice = tenant.channel("sandbox")
        self._random = random.Random(seed)
        self._lately: list[str] = []
        self._number = 0
        self._last: tuple[bytes, dict[str, str], str] | None = None
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`. The subscription goes on for as long as its task is let."""
        senders = 4
        async with asyncio.TaskGroup() as group:
            for _ in range(senders):
                group.create_task(self._every(senders / self._rate, "delivery", self._deliver))
            group.create_task(self._every(0.5, "REST", self._read))
            group.create_task(self._every(1.0, "GraphQL", self._page))
            group.create_task(self._every(1.0, "practice network", self._say))
            group.create_task(self._every(3.0, "post", self._post))

    def stop(self) -> None:
        self._stop.set()

    async def _every(self, seconds: float, what: str, act: Callable[[], Awaitable[None]]) -> None:
        """Do it at fixed moments; what comes late is not made up for, so that a slow house is not pressed harder."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._random.uniform(0, seconds)
        while not self._stop.is_set():
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + seconds, loop.time())
            try:
                await act()
                self.told.done[what] += 1
            except (httpx.HTTPError, AssertionError, KeyError, ValueError) as error:
                self.told.went_wrong(what, repr(error))

    # ------------------------------------------------------------ deliveries

    async def _deliver(self) -> None:
        if self._last is not None and self._random.random() < 0.05:
            body, headers, first = self._last
            answer = await self._post_to(self._channel, body, headers)
            assert (answer["arrival_id"], answer["duplicate"]) == (first, True), answer
            self.told.repeats += 1
            return
        told, heard, deleted = self._body()
        body = json.dumps(told).encode()
        headers = self._channel.headers(body)
        answer = await self._post_to(self._channel, body, headers)
        assert answer["duplicate"] is False, answer
        self._last = (body, headers, answer["arrival_id"])
        self.told.deliveries += 1
        self.told.heard |= heard
        self.told.deleted |= deleted
        self._lately = [*self._lately, *heard][-_LATELY:]

    def _body(self) -> tuple[Json, set[str], set[str]]:
        """A new mention mostly, an answer often; now and then an edit, a deletion, or many at once."""
        chance = self._random.random()
        if self._lately and chance < 0.02:
            gone = self._random.choice(self._lately)
            return {"mentions": [], "deleted": [gone]}, set(), {gone}
        if self._lately and chance < 0.08:
            again = self._random.choice(self._lately)
            return {"mentions": [self._mention(again, edited_at=now())], "deleted": []}, {again}, set()
        many = 20 if chance > 0.995 else 1
        made = [self._mention(self._new()) for _ in range(many)]
        return {"mentions": made, "deleted": []}, {one["id"] for one in made}, set()

    def _new(self) -> str:
        self._number += 1
        return f"soak-{self._number}"

    def _mention(self, id: str, **more: Any) -> Json:
        words = " ".join(self._random.choices(("gare", "trein", "Zug", "delay", "merci", "dank", "great", "nul"), k=12))
        author = self._random.randrange(_AUTHORS)
        if self._lately and self._random.random() < 0.3:
            more["parent_id"] = self._random.choice(self._lately[-50:])
        return mention(
            id, f"{id} {words}", author={"id": f"u{author}", "name": f"Person {author}", "handle": f"@u{author}"},
            published_at=now(), **more,
        )  # fmt: skip

    async def _post_to(self, channel: Channel, body: bytes, headers: dict[str, str]) -> Json:
        answer = await self._http.post(channel.address, content=body, headers=headers)
        assert answer.status_code == 200, (answer.status_code, answer.text[:200])
        found: Json = answer.json()
        return found

    # ------------------------------------------------------------ reads

    async def _read(self) -> None:
        path, params = self._random.choice(
            [
                ("/mentions", {"limit": 50}),
                ("/mentions", {"limit": 20, "q": self._random.choice(("merci", "delay", "trein"))}),
                ("/mentions", {"limit": 20, "kind": "comment", "network": "sandbox"}),
                ("/arrivals", {"limit": 20}),
                ("/posts", {"limit": 20}),
                ("/channels", {}),
                ("/metrics", {"keys": "mentions", "from": "2026-11-01T00:00:00Z", "to": now(), "interval": "day"}),
            ]
        )
        found = await self._ask("GET", path, params=params)
        if path == "/mentions" and found["data"]:
            await self._ask("GET", f"/mentions/{self._random.choice(found['data'])['id']}/history")

    async def _page(self) -> None:
        asked = {"query": _PAGE, "variables": {"id": self._tenant.brand_id}}
        address, headers = self._tenant.local["api"] + "/graphql", self._tenant.authorization
        answer = await self._http.post(address, json=asked, headers=headers)
        found = answer.json()
        assert answer.status_code == 200, answer.text[:300]
        assert not found.get("errors"), found["errors"]

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        address = f"{self._tenant.local['api']}/v1/brands/{self._tenant.brand_id}{path}"
        headers = self._tenant.authorization | more.pop("headers", {})
        answer = await self._http.request(method, address, headers=headers, **more)
        assert answer.status_code < 300, (path, answer.status_code, answer.text[:300])
        return answer.json()

    # ------------------------------------------------------------ the practice network, and posts to it

    async def _say(self) -> None:
        who = f"guest{self._random.randrange(20)}"
        said = {"account": self._practice.external_id, "as": who, "text": f"said at {time.time()}"}
        answer = await self._http.post(f"{self._tenant.local['sandbox']}/api/say", json=said)
        assert answer.status_code < 300, answer.text[:300]
        self.told.said.add(answer.json()["id"])

    async def _post(self) -> None:
        self._number += 1
        text = f"Our post {self._number}"
        key = {"idempotency-key": f"soak-{self._number}"}
        made = await self._ask(
            "POST", "/posts", json={"text": text, "channel_ids": [self._practice.id]}, headers=key
        )  # fmt: skip
        await self._ask("POST", f"/posts/{made['id']}/publish")
        self.told.posts[made["id"]] = text

    # ------------------------------------------------------------ the subscription

    async def follow(self) -> None:
        """Hear of every mention; after a break go on where it was."""
        address = self._tenant.local["api"].replace("http://", "ws://") + "/graphql"
        while True:
            try:
                async with connect(address, subprotocols=["graphql-transport-ws"], proxy=None) as socket:  # type: ignore[list-item]
                    await socket.send(json.dumps({"type": "connection_init", "payload": self._tenant.authorization}))
                    asked = {"query": _FEED, "variables": {"id": self._tenant.brand_id, "after": self.told.seq}}
                    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
                    async for message in socket:
                        self._hear(json.loads(message))
            except OSError as error:
                self.told.went_wrong("subscription", repr(error))
            self.told.went_wrong("subscription", "the api closed it")
            await asyncio.sleep(1)

    def _hear(self, message: Json) -> None:
        if message["type"] in {"error", "complete"}:
            self.told.went_wrong("subscription", message)
        if message["type"] != "next":
            return
        event = message["payload"]["data"]["mentions"]
        if event["seq"] <= self.told.seq:
            self.told.went_wrong("subscription", f"{event['seq']} came after {self.told.seq}")
        self.told.seq = event["seq"]
        self.told.done["events"] += 1
        if event["type"] == "MENTION_RECORDED":
            self.told.recorded[event["mentionId"]] += 1
