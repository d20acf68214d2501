"""Posts that go out while things break: each must be on the practice network once, never twice, never not at all."""

import asyncio
import contextlib
import json
import uuid
from collections import Counter
from typing import Any

import httpx

from tests.faults.rig import Rig

EVERY_SECONDS = 0.5
SETTLE_SECONDS = 120.0


class Poster:
    """Publishes a short post again and again through the api, repeating its requests under the same key."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        brand = rig.example
        self._channel = next(it for it in brand["channels"] if it["network"] == "sandbox")
        self._posts = f"{rig.api}/v1/brands/{brand['brand_id']}/posts"
        self._bearer = {"authorization": f"Bearer {brand['api_key']}"}
        self._stopping, self._ended = asyncio.Event(), asyncio.Event()
        self.published: dict[str, str] = {}  # text -> post id

    def stop(self) -> None:
        """Begin no more; what is begun is brought to its end."""
        self._stopping.set()

    async def run(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=10, headers=self._bearer) as http:
            while not self._stopping.is_set():
                await self._publish(http)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), EVERY_SECONDS)
        self._ended.set()

    async def _publish(self, http: httpx.AsyncClient) -> None:
        text = f"Open until ten tonight {uuid.uuid4().hex}"
        post = await self._until_done(http, self._posts, {"text": text, "channel_ids": [self._channel["id"]]})
        await self._until_done(http, f"{self._posts}/{post['id']}/publish", None)
        self.published[text] = post["id"]

    async def _until_done(self, http: httpx.AsyncClient, address: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """The answer to a request that is repeated until it is done. Raises AssertionError for a plain refusal."""
        key = {"idempotency-key": uuid.uuid4().hex}
        while True:
            with contextlib.suppress(httpx.HTTPError, json.JSONDecodeError):
                answer = await http.post(address, json=body, headers=key)
                if answer.status_code < 300:
                    done: dict[str, Any] = answer.json()
                    return done
                assert answer.status_code >= 500 or answer.status_code in {409, 429}, answer.text
            await asyncio.sleep(0.2)

    async def breaches(self) -> list[str]:
        """Wait until every post is live, and say which are not, or not once."""
        until = asyncio.get_running_loop().time() + SETTLE_SECONDS
        await asyncio.wait_for(self._ended.wait(), SETTLE_SECONDS)
        async with httpx.AsyncClient(trust_env=False, timeout=10, headers=self._bearer) as http:
            waiting = dict(self.published)
            while waiting and asyncio.get_running_loop().time() < until:
                for text, post_id in list(waiting.items()):
                    found = (await http.get(f"{self._posts}/{post_id}")).json()
                    if found["status"] == "published":
                        del waiting[text]
                if waiting:
                    await asyncio.sleep(0.3)
            told = {"account": self._channel["external_id"], "limit": "10000"}
            there = (await http.get(f"{self._rig.sandbox}/api/posts", params=told)).json()["posts"]
        times = Counter(post["text"] for post in there)
        wrong = [f"the post {id_} is not published after {SETTLE_SECONDS:.0f} s" for id_ in waiting.values()]
        wrong += [
            f"the post {id_} is {times[text]} times on the network"
            for text, id_ in self.published.items()
            if times[text] != 1
        ]
        return wrong
