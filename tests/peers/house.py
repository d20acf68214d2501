"""The Parvis side: a whole house with a short poll, and its example brand asked by its key like by any client."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.faults.rig import Rig, rig

Json = dict[str, Any]
T = TypeVar("T")

POLL_SECONDS = 5.0
# What a peer itself needs to show what was done on it, and Parvis to settle what it brought.
SLACK_SECONDS = 4.0
WITHIN_ONE_POLL = POLL_SECONDS + SLACK_SECONDS

_MENTIONS = """query ($id: ID!, $after: String) { brand(id: $id) {
  mentions(first: 50, after: $after, where: {networks: [%s], deleted: null}) {
    nodes {
      id externalId kind text url language publishedAt editedAt deletedAt authorKind
      author { externalId handle name } parent { externalId } media { url kind alt }
      history { text } engagement { likes replies shares }
    }
    pageInfo { hasNextPage endCursor }
  } } }"""


class PeerHouse:
    """The running house and its example brand."""

    def __init__(self, house: Rig, http: httpx.AsyncClient) -> None:
        self.rig = house
        self._http = http
        self.brand_id = str(house.example["brand_id"])

    async def rest(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request below the example brand."""
        return await self._http.request(method, f"{self.rig.api}/v1/brands/{self.brand_id}{path}", **more)

    async def connect(self, **body: Any) -> Json:
        """Connect a channel; it answers with its self-test."""
        answer = await self.rest("POST", "/channels", json=body)
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()
        return found

    async def channel(self, channel_id: str) -> Json:
        answer = await self.rest("GET", f"/channels/{channel_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def holes(self, channel_id: str) -> list[Json]:
        """When the channel could not be observed, and why."""
        answer = await self.rest("GET", f"/channels/{channel_id}/coverage")
        assert answer.status_code == 200, answer.text
        return [interval for interval in answer.json()["data"] if interval["kind"] == "hole"]

    async def look_back(self, channel_id: str, since: datetime, seconds: float) -> Json:
        """Have the channel looked back upon: the operation when it is over, or as it is after `seconds`."""
        answer = await self.rest("POST", f"/channels/{channel_id}/backfill", json={"since": since.isoformat()})
        assert answer.status_code == 202, answer.text
        where = f"{self.rig.api}{answer.headers['location']}"
        operation: Json = {}

        async def is_over() -> bool:
            operation.update((await self._http.get(where)).json())
            return operation["status"] not in {"pending", "running"}

        await self.until(is_over, seconds)
        return operation

    async def mentions(self, network: str) -> dict[str, Json]:
        """Every mention of a network by GraphQL, deleted ones too, by external id."""
        found: dict[str, Json] = {}
        after = None
        while True:
            variables = {"id": self.brand_id, "after": after}
            question = {"query": _MENTIONS % network.upper(), "variables": variables}
            answer = (await self._http.post(f"{self.rig.api}/graphql", json=question)).json()
            assert not answer.get("errors"), answer["errors"]
            page = answer["data"]["brand"]["mentions"]
            found |= {node["externalId"]: node for node in page["nodes"]}
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    async def until(self, look: Callable[[], Awaitable[T]], seconds: float) -> tuple[T, float]:
        """The first truthy answer of `look` and how long it took; its last answer after `seconds`."""
        began = time.monotonic()
        while True:
            found = await look()
            took = time.monotonic() - began
            if found or took > seconds:
                return found, took
            await asyncio.sleep(0.2)


@asynccontextmanager
async def peer_house(place: Path) -> AsyncIterator[PeerHouse]:
    """A house in `place` that polls every few seconds and may call this machine."""
    settings = {
        "PARVIS_POLL_SECONDS": str(POLL_SECONDS),
        "PARVIS_PRIVATE_NETWORKS": "127.0.0.0/8,::1/128",
        "PARVIS_LEASE_SECONDS": "30",  # the rig's own are short for its faults, and a turn has half of one
    }
    async with rig(place, **settings) as house:
        headers = {"authorization": f"Bearer {house.example['api_key']}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as http:
            yield PeerHouse(house, http)
