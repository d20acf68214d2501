"""From a signed webhook to what a frontend sees, in a house that has nothing else to do, with each step's share."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from shared.ids import Prefix, typeid
from tests.benchmarks.hearts import beats
from tests.benchmarks.measuring import (
    P50,
    P99,
    Figure,
    Plan,
    Result,
    Samples,
    Side,
    Target,
    in_turns,
    percentile,
    verify,
)
from tests.benchmarks.rig import Rig
from tests.conftest import HouseChannel
from tests.contract.house import Channel

REST, GRAPHQL, SOCKET = "seen by REST", "seen by GraphQL", "told by the subscription"
P95 = Figure("p95", "ms")
ACKNOWLEDGED = Figure("acknowledged after", "ms")  # checked, committed, answered
CLAIMED = Figure("then claimed after", "ms")  # rung through Valkey, picked up, the claim committed
SEEN = Figure("then seen after", "ms")  # parsed, recorded, committed; then read, or numbered and told
_LOOK_SECONDS = 0.004
_PATIENCE = 20.0
_PAUSE_SECONDS = 0.03
_READ = """query ($id: ID!) { brand(id: $id) { mentions(first: 1) { nodes { externalId text } } } }"""
_TOLD = """subscription ($id: ID!) { mentions(brandId: $id) { seq mention { externalId text } } }"""

Seen = Callable[[str], Awaitable[None]]


async def measure(rig: Rig, plan: Plan) -> Result:
    """One signed webhook at a time in an idle house, until REST, GraphQL or the subscription shows its mention."""
    samples = plan.pick(50, 5)
    async with _house(rig) as walk:
        sides = await in_turns(
            {
                REST: lambda: walk.round(walk.seen_by_rest, samples),
                GRAPHQL: lambda: walk.round(walk.seen_by_graphql, samples),
                SOCKET: walk.told(samples),
            },
            rounds=plan.rounds,
        )
        await walk.prove()
    return Result(
        title="From a webhook to a reader",
        what=f"Door, worker, scheduler and api as processes that share one core, PostgreSQL (fsync on), Valkey and the"
        f" client on the others, nothing else to do. One webhook at a time, {samples} a round: posted, then looked for"
        f" every {_LOOK_SECONDS * 1000:.0f} ms until its mention is the newest in the brand's list, or awaited on an"
        " open subscription, which comes after the event has its number.",
        sides=sides,
        targets=_targets(sides),
        verified=f"every one of the {walk.sent} mentions was seen with its own text, and stands in PostgreSQL once.",
    )


def _targets(sides: Sequence[Side]) -> list[Target]:
    found = []
    for side in sides[:2]:
        found.append(Target(f"p50, {side.name}", side[P50].median, "≤", 50, "ms"))
        found.append(Target(f"p99, {side.name}", side[P99].median, "≤", 250, "ms"))
    return found


@dataclass
class _Walk:
    """The way of one webhook after the other. `door` signs; `watching` sees the times that the house wrote down."""

    door: Channel
    address: str
    web: httpx.AsyncClient
    api: str
    brand: str
    key: str
    watching: "asyncpg.Connection[Any]"
    sent: int = 0

    async def round(self, seen: Seen, samples: int) -> Samples:
        """So many webhooks, each until it is seen."""
        times = [await self._one(seen) for _ in range(samples)]
        return _samples(times)

    def told(self, samples: int) -> Callable[[], Awaitable[Samples]]:
        """A round over a subscription of its own."""

        async def round_() -> Samples:
            async with self._subscribed() as wait:
                return await self.round(wait, samples)

        return round_

    async def _one(self, seen: Seen) -> Mapping[Figure, float]:
        name = uuid.uuid4().hex
        told = {"id": name, "kind": "post", "text": f"Bonjour {name}", "published_at": datetime.now(UTC).isoformat()}
        body = orjson.dumps({"mentions": [told]})
        headers = self.door.headers(body)
        began = time.time()
        answer = await self.web.post(self.address, content=body, headers=headers)
        acknowledged = time.time()
        verify(answer.status_code == 200, f"the door answered {answer.status_code}")
        async with asyncio.timeout(_PATIENCE):
            await seen(name)
        ended = time.time()
        self.sent += 1
        claimed = await self.watching.fetchval("SELECT observed_at FROM mention WHERE external_id = $1", name)
        verify(claimed is not None, f"{name} was seen and is not in PostgreSQL")
        await asyncio.sleep(_PAUSE_SECONDS)  # the house is idle again
        at = claimed.timestamp()
        return {
            P50: (ended - began) * 1e3,
            ACKNOWLEDGED: (acknowledged - began) * 1e3,
            CLAIMED: (at - acknowledged) * 1e3,
            SEEN: (ended - at) * 1e3,
        }

    async def seen_by_rest(self, name: str) -> None:
        """Return once REST lists it first."""
        place = f"{self.api}/v1/brands/{self.brand}/mentions?limit=1"
        while True:
            answer = await self.web.get(place, headers={"authorization": f"Bearer {self.key}"})
            verify(answer.status_code == 200, f"REST answered {answer.status_code}: {answer.text[:200]}")
            if _is(name, answer.json()["data"], "external_id"):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def seen_by_graphql(self, name: str) -> None:
        """Return once GraphQL lists it first."""
        asked = orjson.dumps({"query": _READ, "variables": {"id": self.brand}})
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        while True:
            answer = await self.web.post(f"{self.api}/graphql", content=asked, headers=headers)
            found = answer.json()
            verify("errors" not in found, f"GraphQL answered {found}")
            if _is(name, found["data"]["brand"]["mentions"]["nodes"], "externalId"):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    @asynccontextmanager
    async def _subscribed(self) -> AsyncIterator[Seen]:
        place = f"ws{self.api.removeprefix('http')}/graphql"
        async with connect(place, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            await socket.send(_text({"type": "connection_init", "payload": {"authorization": f"Bearer {self.key}"}}))
            verify(orjson.loads(await socket.recv())["type"] == "connection_ack", "the socket was refused")
            payload = {"query": _TOLD, "variables": {"id": self.brand}}
            await socket.send(_text({"type": "subscribe", "id": "1", "payload": payload}))
            await asyncio.sleep(0.5)  # it says nothing before the first event

            async def told(name: str) -> None:
                while True:
                    said = orjson.loads(await socket.recv())
                    verify(said["type"] == "next", f"the subscription said {said}")
                    if _is(name, [said["payload"]["data"]["mentions"]["mention"]], "externalId"):
                        return

            yield told

    async def prove(self) -> None:
        """Raise Unverified unless each was kept once."""
        found = await self.watching.fetchrow("SELECT count(*), count(DISTINCT external_id) FROM mention WHERE heard")
        verify(tuple(found or ()) == (self.sent, self.sent), f"{self.sent} were sent, PostgreSQL has {found}")


def _samples(times: Sequence[Mapping[Figure, float]]) -> Samples:
    whole = [it[P50] for it in times]
    steps = {step: percentile([it[step] for it in times], 0.5) for step in (ACKNOWLEDGED, CLAIMED, SEEN)}
    return {P50: percentile(whole, 0.5), P95: percentile(whole, 0.95), P99: percentile(whole, 0.99), **steps}


def _is(name: str, nodes: Sequence[Mapping[str, Any]], id_field: str) -> bool:
    if not nodes or nodes[0][id_field] != name:
        return False
    verify(nodes[0]["text"] == f"Bonjour {name}", f"{name} was seen with another's text")
    return True


def _text(message: Mapping[str, Any]) -> str:
    return orjson.dumps(message).decode()


@asynccontextmanager
async def _house(rig: Rig) -> AsyncIterator[_Walk]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(rig.database())
        house = await stack.enter_async_context(rig.house(database))
        channel = await house.channel(await house.brand())
        watching = await asyncpg.connect(rig.urls.superuser.rpartition("/")[0] + f"/{database.name}")
        stack.push_async_callback(watching.close)
        started = [
            await stack.enter_async_context(rig.service(module, database.settings, ready=ready))
            for module, ready in (
                ("services.ingest", None),
                ("services.api", None),
                ("services.ingest.worker", beats(watching, "ingest-worker")),
                ("services.scheduler", beats(watching, "scheduler")),
            )
        ]
        door, api = started[0], started[1]
        web = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        yield _walk(channel, door.url, api.url, web, watching)


def _walk(
    channel: HouseChannel, door: str, api: str, web: httpx.AsyncClient, watching: "asyncpg.Connection[Any]"
) -> _Walk:
    signer = Channel({"network": "generic", "secret": channel.secret}, httpx.Client())
    address = door + urlsplit(channel.webhook_url).path
    return _Walk(
        signer, address, web, api, typeid(Prefix.BRAND, channel.brand.brand_id), channel.brand.api_key, watching
    )
