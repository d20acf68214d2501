"""mastodon_mock, a Mastodon server that others wrote: what people do on it around the example brand, and is seen."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from typing import Any, ClassVar

import httpx

from tests.peers import environment
from tests.peers.house import WITHIN_ONE_POLL, Json, PeerHouse
from tests.peers.logins import ChannelLogin, channel_login
from tests.peers.mastodon_speaking import MastodonSpeaking
from tests.peers.peer import Row, Say
from tests.peers.seeing import Seeing
from tests.peers.speaking import Speaking

WANTED = "mastodon-mock==0.6.1"
_BURST = 130
_TERM = "#parvisplein"
_PAUSE = 8  # seconds for which it asks to be left alone
_BACK_OFF = 15.0  # a poll that failed is made again after two polls' time, and a fifth


class MastodonMock:
    name: ClassVar[str] = "mastodon"
    what: ClassVar[str] = f"{WANTED}, a server of Mastodon's interface by others"

    def missing(self) -> str | None:
        return environment.missing()

    def install(self, folder: Path, say: Say) -> None:
        environment.install(folder, (WANTED,), say)

    async def run(self, folder: Path, house: PeerHouse) -> AsyncGenerator[Row, None]:
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(_served(folder / "bin" / "mastodon_mock"))
            people = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=30))
            scene = Scene(house, url, people)
            async for row in scene.connected(stack):
                yield row
            brand = MastodonSpeaking(Speaking(house, scene.channel_id), scene.login, scene.does, scene.lets_fail)
            speaking = (brand.thread, brand.conversation, brand.picture, brand.failed)
            hearing = (scene.after_a_pause, scene.looked_back, scene.failed, scene.refused)
            for act in (scene.said, scene.changed, *speaking, *hearing):
                async for row in act():
                    yield row


@asynccontextmanager
async def _served(program: Path) -> AsyncIterator[str]:
    """The server's address, while it serves its demonstration people: ada, alan, grace and katherine."""
    with create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    where = ("--host", "127.0.0.1", "--port", str(port), "--in-memory", "--demo")
    nowhere = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(str(program), "serve", *where, stdout=nowhere, stderr=nowhere)
    try:
        async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as http:
            while True:
                try:
                    await http.get(f"http://127.0.0.1:{port}/api/v1/instance")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        await server.wait()


@dataclass
class Scene:
    """The example brand's account (alan's), three others, and the channel by which Parvis hears them."""

    house: PeerHouse
    url: str
    people: httpx.AsyncClient
    seeing: Seeing = field(init=False)
    login: ChannelLogin = field(init=False)
    channel_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.seeing = Seeing(self.house, "mastodon")

    async def does(self, who: str, method: str, path: str, **form: Any) -> Json:
        headers = {"authorization": f"Bearer {who}_token"}
        answer = await self.people.request(method, f"/api/v1/{path}", headers=headers, data=form or None)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def _says(self, who: str, text: str, **more: Any) -> str:
        return str((await self.does(who, "POST", "statuses", status=text, **more))["id"])

    # ------------------------------------------------------------ acts

    async def connected(self, stack: AsyncExitStack) -> AsyncIterator[Row]:
        me = await self.does("alan", "GET", "accounts/verify_credentials")
        credentials = {"access_token": "alan_token"}
        channel = await self.house.connect(
            network="mastodon", base_url=self.url, credentials=credentials, terms=[_TERM]
        )
        self.channel_id = channel["id"]
        self.login = await stack.enter_async_context(channel_login(self.house, self.channel_id))
        wrong = [finding["message"] for finding in channel["findings"] if not finding["ok"]]
        count = len(channel["findings"])
        note = "; ".join(wrong) or f"{count} findings"
        yield Row("connected by a token; the self-test is content", not wrong and count > 0, None, note)
        known = channel["external_id"].partition("@")[0] == str(me["id"])
        yield Row("the token led to its account", known, None, channel["name"])

        async def polled() -> bool:
            return (await self.house.channel(self.channel_id))["last_polled_at"] is not None

        await self.house.until(polled, 4 * WITHIN_ONE_POLL)

    async def said(self) -> AsyncIterator[Row]:
        post = await self._says("alan", "Nieuwe openingsuren op het plein")
        yield await self.seeing.heard("the brand's own status", post, authorKind="BRAND", kind="POST")
        mention = await self._says("ada", "@alan merci pour l'accueil")
        yield await self.seeing.heard("a mention", mention, authorKind="CONSUMER", kind="POST")
        direct = await self._says("ada", "@alan psst", visibility="direct")
        yield await self.seeing.heard("a direct status, as a private message", direct, kind="MESSAGE")
        reply = await self._says("grace", "@alan ook op zondag?", in_reply_to_id=post)
        yield await self.seeing.heard("a reply, under its parent", reply, kind="REPLY", parent={"externalId": post})
        tagged = await self._says("katherine", f"Mooi weer {_TERM}")
        yield await self.seeing.heard("a status that names nobody, found by its hashtag", tagged, kind="POST")
        await self.does("ada", "POST", f"statuses/{post}/favourite")
        await self.does("grace", "POST", f"statuses/{post}/reblog")

        def counted(found: dict[str, Json]) -> bool:
            engagement = found[post]["engagement"]
            return (engagement["likes"], engagement["shares"], engagement["replies"]) == (1, 1, 1)

        yield await self.seeing.look("a favourite, a reblog and a reply, counted", counted)

    async def changed(self) -> AsyncIterator[Row]:
        edited, gone = await self._says("ada", "@alan open tot 17 u"), await self._says("ada", "@alan oei")
        yield await self.seeing.look("two mentions that will change", lambda found: {edited, gone} <= found.keys())
        await self.does("ada", "PUT", f"statuses/{edited}", status="@alan open tot 18 u")
        await self.does("ada", "DELETE", f"statuses/{gone}")
        yield await self.seeing.look("edited, with its history", lambda found: len(found[edited]["history"]) == 2)
        yield await self.seeing.look("deleted", lambda found: found[gone]["deletedAt"] is not None)

    async def after_a_pause(self) -> AsyncIterator[Row]:
        """More than a page between two polls."""
        assert (await self.house.rest("POST", f"/channels/{self.channel_id}/pause")).is_success
        wanted = {await self._says("ada", f"@alan stroom {number}") for number in range(_BURST)}
        assert (await self.house.rest("POST", f"/channels/{self.channel_id}/resume")).is_success
        what = f"{_BURST} mentions while the channel was paused: every one"
        yield await self.seeing.look(what, lambda found: wanted <= found.keys())

    async def looked_back(self) -> AsyncIterator[Row]:
        """What was there before the channel: the server's demonstration statuses among them."""
        before = await self.house.mentions("mastodon")
        since = datetime.now(UTC) - timedelta(days=3650)
        done = await self.house.look_back(self.channel_id, since, 4 * WITHIN_ONE_POLL)
        told = f"{done['status']}: {done['progress']['pages']} pages, {done['progress']['message']}"
        good = done["status"] == "succeeded" and done["progress"]["pages"] > 1
        yield Row("looked back upon, page after page", good, None, told)
        after = await self.house.mentions("mastodon")
        yield Row("what is brought again stays one mention", before.keys() <= after.keys(), None,
                  f"{len(before)} mentions before, {len(after)} after")  # fmt: skip

    async def failed(self) -> AsyncIterator[Row]:
        """Its injected faults: each is said as a hole, and what was written meanwhile is heard after it."""
        broken = (
            ("a server error", {"type": "status", "status": 503}, "status 503"),
            ("an answer that is broken", {"type": "malformed"}, "not JSON"),
        )
        for what, effect, said in broken:
            await self._fault(effect)
            text = await self._says("ada", f"@alan tijdens {what}")
            yield await self._said_as_a_hole(what, said)
            yield await self.seeing.heard(f"{what}: what was written meanwhile", text, within=_BACK_OFF)
        until = time.time() + _PAUSE
        headers = {"X-RateLimit-Reset": f"{until:.0f}", "Retry-After": str(_PAUSE)}
        await self._fault({"type": "ratelimit", "headers": headers})
        text = await self._says("ada", "@alan tijdens te veel vragen")
        yield await self._said_as_a_hole("too many requests", "slow down")
        row = await self.seeing.heard("too many requests: left alone for as long, then heard", text, within=_BACK_OFF)
        polled = (await self.house.channel(self.channel_id))["last_polled_at"]
        left_alone = datetime.fromisoformat(polled).timestamp() >= int(until)
        yield row if left_alone else Row(row.what, False, row.seconds, "it was asked too soon")

    async def refused(self) -> AsyncIterator[Row]:
        """A token that is no longer taken: the channel stands still, says so, and goes on with a good one."""
        await self.login.change(access_token="wrong")

        async def said() -> str:
            channel = await self.house.channel(self.channel_id)
            return str(channel["status_reason"]) if channel["status"] == "login_dead" else ""

        reason, took = await self.house.until(said, 4 * WITHIN_ONE_POLL)
        good = "token" in reason and took <= WITHIN_ONE_POLL
        yield Row("a token that is not taken any more: said", good, took, reason)
        meanwhile = await self._says("ada", "@alan ben je daar?")
        answer = await self._gives("wrong_too")
        yield Row("another one that is not taken: refused", answer.status_code == 422, None, answer.json()["detail"])
        assert (await self._gives("alan_token")).is_success
        yield await self.seeing.heard("a good one: what was written meanwhile", meanwhile)

    async def _gives(self, token: str) -> httpx.Response:
        """Give the channel a token, as a person would."""
        body = {"credentials": {"access_token": token}}
        return await self.house.rest("PATCH", f"/channels/{self.channel_id}", json=body)

    async def _fault(self, effect: Json) -> None:
        """Let the next question for notifications be answered in this way."""
        await self.lets_fail({"methods": ["GET"], "path": "/api/v1/notifications"}, effect)

    async def lets_fail(self, match: Json, effect: Json) -> None:
        """Let the next request that matches be answered in this way."""
        told = {"match": match, "effect": effect, "count": 1}
        (await self.people.post("/api/v1/_mock/faults", json=told)).raise_for_status()

    async def _said_as_a_hole(self, what: str, words: str) -> Row:
        known = len(await self.house.holes(self.channel_id))

        async def said() -> str:
            reasons = [hole["reason"] for hole in (await self.house.holes(self.channel_id))[known:]]
            return str(reasons[0]) if reasons else ""

        reason, took = await self.house.until(said, 4 * WITHIN_ONE_POLL)
        return Row(f"{what}: said as a hole", words in reason and took <= WITHIN_ONE_POLL, took, reason)
