"""Flask-WebSub, a hub that others wrote, with a feed: what is published, and seen long before the feed is polled."""

import asyncio
import hmac
import sqlite3
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from socket import create_server
from typing import ClassVar, NamedTuple

import httpx

from shared.ids import Prefix, parse_typeid
from tests.peers import environment
from tests.peers.house import PeerHouse
from tests.peers.peer import Row, Say
from tests.peers.seeing import Seeing

WANTED = ("Flask-WebSub[celery]==0.4.1", "feedgen==1.0.0")
# What is pushed is seen within this; the feed itself is polled every five minutes.
_PUSHED = 3.0
_METHODS = ("sha512", "sha384", "sha256", "sha1")
_DAY = 86_400


class Lease(NamedTuple):
    """A subscription as the hub keeps it."""

    topic: str
    callback: str
    secret: str
    ends_at: float


class WebSub:
    name: ClassVar[str] = "websub"
    what: ClassVar[str] = f"{WANTED[0]}, a hub by others, and a feed by feedgen"

    def missing(self) -> str | None:
        return environment.missing()

    def install(self, folder: Path, say: Say) -> None:
        environment.install(folder, WANTED, say)

    async def run(self, folder: Path, house: PeerHouse) -> AsyncGenerator[Row, None]:
        async with AsyncExitStack() as stack:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parvis-websub-")))
            url = await stack.enter_async_context(_served(folder / "bin" / "python", place))
            publisher = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=30))
            scene = Scene(house, url, publisher, place / "leases.db")
            for act in (
                scene.connected,
                scene.pushed,
                scene.forged,
                scene.renewed,
                scene.meddled,
                scene.denied,
                scene.removed,
            ):
                async for row in act():
                    yield row


@asynccontextmanager
async def _served(python: Path, place: Path) -> AsyncIterator[str]:
    """The address of the publisher and its hub, while they run."""
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    program = str(Path(__file__).with_name("websub_hub.py"))
    nowhere = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(
        str(python), program, str(port), str(place / "leases.db"), stdout=nowhere, stderr=nowhere
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as http:
            while True:
                try:
                    await http.get(url)
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.2)
        yield url
    finally:
        server.terminate()
        await server.wait()


@dataclass
class Scene:
    """A publisher with its hub, and the channel that follows its feed."""

    house: PeerHouse
    url: str
    publisher: httpx.AsyncClient
    leases: Path
    seeing: Seeing = field(init=False)
    topic: str = field(init=False)
    channel_id: str = field(init=False)
    _agreed: Lease = field(init=False)  # as the house asked for it

    def __post_init__(self) -> None:
        self.seeing = Seeing(self.house, "feed")

    # ------------------------------------------------------------ the publisher's side

    async def _publishes(self, name: str, title: str, *, feed: str = "nieuws") -> str:
        """Write an entry, or write it anew; its id."""
        key = f"tag:example.be,2026:{name}"
        answer = await self.publisher.post(f"/feeds/{feed}", data={"id": key, "title": title})
        answer.raise_for_status()
        self.topic = answer.text if feed == "nieuws" else self.topic
        return key

    async def _ask_hub(self, mode: str, **form: str) -> None:
        """What anybody may ask a hub: it has done it, or given it up, when it answers."""
        told = {"hub.mode": mode, **{f"hub.{name}": value for name, value in form.items()}}
        (await self.publisher.post("/hub", data=told)).raise_for_status()

    async def _pings(self) -> None:
        await self._ask_hub("publish", topic=self.topic)

    def _kept(self, topic: str | None = None) -> list[Lease]:
        """The hub's subscriptions for a topic, as its own database has them."""
        with closing(sqlite3.connect(self.leases)) as database:
            found = database.execute(
                "SELECT topic_url, callback_url, secret, expiration_time FROM hub WHERE topic_url = ?",
                (topic or self.topic,),
            )
            return [Lease(row[0], row[1], row[2], float(row[3])) for row in found]

    def _change(self, **to: str | float) -> None:
        """Let the hub's subscriptions have other values than were agreed upon."""
        with closing(sqlite3.connect(self.leases)) as database, database:
            for column, value in to.items():
                database.execute(f"UPDATE hub SET {column} = ?", (value,))

    async def _polled_at(self, channel_id: str) -> str | None:
        found: str | None = (await self.house.channel(channel_id))["last_polled_at"]
        return found

    async def _connects(self, address: str) -> tuple[str, dict[str, str]]:
        """Connect the feed and wait for its first poll: the channel's id, and what its self-test found."""
        channel = await self.house.connect(network="feed", base_url=address)
        channel_id = str(channel["id"])
        seen, _ = await self.house.until(lambda: self._polled_at(channel_id), 30)
        assert seen is not None
        return channel_id, {it["code"]: it["message"] for it in channel["findings"]}

    # ------------------------------------------------------------ acts

    async def connected(self) -> AsyncIterator[Row]:
        first = await self._publishes("eerste", "Het plein gaat open")
        self.channel_id, findings = await self._connects(self.topic)
        told = findings.get("hub", "")
        yield Row("connected by its address: the hub is found", f"{self.url}/hub" in told, None, told)
        kept = self._kept()
        assert kept, "the hub keeps no subscription: it asked back and was not answered"
        left = kept[0].ends_at - datetime.now(UTC).timestamp()
        self._agreed = kept[0]
        good = len(kept) == 1 and bool(kept[0].secret) and left > 9 * _DAY and "subscribed" in findings
        note = f"the hub keeps {len(kept)} subscription for {left / _DAY:.1f} days, with a secret"
        yield Row("subscribed: the hub asked back at the door, and was answered", good, None, note)
        yield await self.seeing.heard("what the feed had before: polled once", first, kind="ARTICLE")

    async def pushed(self) -> AsyncIterator[Row]:
        polled = await self._polled_at(self.channel_id)
        for method in _METHODS:
            (await self.publisher.post(f"/signatures/{method}")).raise_for_status()
            entry = await self._publishes(f"door-{method}", f"Nieuws door {method}")
            await self._pings()
            yield await self.seeing.heard(
                f"a new entry, pushed and signed by {method}", entry, within=_PUSHED, kind="ARTICLE"
            )
        entry = await self._publishes("door-sha1", "Nieuws, verbeterd")
        await self._pings()
        yield await self.seeing.look(
            "an entry that was rewritten, with its history",
            lambda found: len(found[entry]["history"]) == 2 and "verbeterd" in str(found[entry]["text"]),
            within=_PUSHED,
        )
        before = await self.house.mentions("feed")
        await self._pings()
        await asyncio.sleep(_PUSHED)
        same = await self.house.mentions("feed") == before
        yield Row("a push that has nothing new: nothing changes", same, None)
        yield await self._not_polled_since(polled, "all of it before the feed was polled again")

    async def _not_polled_since(self, polled: str | None, what: str) -> Row:
        now = await self._polled_at(self.channel_id)
        return Row(what, now == polled, None, f"polled last at {(now or '')[11:19]} UTC")

    async def forged(self) -> AsyncIterator[Row]:
        """Pushed by somebody who knows the address and not the secret."""
        self._change(secret="somebody-else's")
        entry = await self._publishes("vals", "Dit staat er pas straks")
        await self._pings()
        yield await self._not_heard("signed with another secret: refused", entry)
        body = (await self.publisher.get(self.topic)).content
        for what, signature in (
            ("the same by hand: refused", f"sha256={_signed('somebody-else', body, 'sha256')}"),
            ("signed by md5, with the right one: refused", f"md5={_signed(self._agreed.secret, body, 'md5')}"),
            ("not signed at all: refused", ""),
        ):
            answer = await self._posted(body, signature)
            yield Row(what, answer.status_code == 401, None, answer.json()["detail"])

    async def _posted(self, body: bytes, signature: str) -> httpx.Response:
        """The door's answer to whoever knows the address."""
        headers = {"x-hub-signature": signature} if signature else {}
        async with httpx.AsyncClient(trust_env=False) as anybody:
            return await anybody.post(self._agreed.callback, content=body, headers=headers)

    async def _not_heard(self, what: str, entry: str) -> Row:
        await asyncio.sleep(_PUSHED)
        return Row(what, entry not in await self.house.mentions("feed"), None)

    async def renewed(self) -> AsyncIterator[Row]:
        """The lease, asked for again when its turn comes; the turn is made to come now instead of in six days."""
        self._change(expiration_time=datetime.now(UTC).timestamp() + 60)
        connection = await self.house.rig.look()
        try:
            await connection.execute(
                "UPDATE due_upkeep SET due_at = now() WHERE channel_id = $1 AND kind = 'subscription'",
                parse_typeid(Prefix.CHANNEL, self.channel_id),
            )
        finally:
            await connection.close()

        async def longer() -> bool:
            return self._kept()[0].ends_at > datetime.now(UTC).timestamp() + 9 * _DAY

        good, took = await self.house.until(longer, 15)
        yield Row("the lease was about to end: renewed by the house", good, took, "for ten days again")
        await self._pings()
        yield await self.seeing.heard(
            "and with it the secret: what was refused before is pushed", "tag:example.be,2026:vals", within=_PUSHED
        )

    async def meddled(self) -> AsyncIterator[Row]:
        """What anybody may ask the hub in our name: it asks back, and the house knows what it asked for."""
        kept, callback = self._kept(), self._agreed.callback
        await self._ask_hub("unsubscribe", topic=self.topic, callback=callback)
        yield Row("somebody unsubscribes us: refused when the hub asks back", self._kept() == kept, None)
        await self._publishes("iets", "Iets anders", feed="anders")
        other = f"{self.url}/feeds/anders"
        await self._ask_hub("subscribe", topic=other, callback=callback)
        yield Row("somebody subscribes us to another feed: refused when the hub asks back", not self._kept(other), None)

    async def denied(self) -> AsyncIterator[Row]:
        """A feed whose hub has no subscribers for it."""
        entry = await self._publishes("besloten", "Alleen voor wie komt kijken", feed="closed")
        address = f"{self.url}/feeds/closed"
        _, findings = await self._connects(address)
        told = findings.get("subscribed", "")
        yield Row(
            "a hub that takes a request and denies it: no more is claimed", "took our request" in told, None, told
        )
        row = await self.seeing.heard("a hub that denies: the feed is polled all the same", entry, kind="ARTICLE")
        yield row if not self._kept(address) else Row(row.what, False, row.seconds, "the hub keeps a subscription")

    async def removed(self) -> AsyncIterator[Row]:
        answer = await self.house.rest("DELETE", f"/channels/{self.channel_id}")
        assert answer.status_code == 204, answer.text
        await asyncio.sleep(2)  # so long may the door remember a hook
        entry = await self._publishes("daarna", "Niemand luistert nog")
        await self._pings()
        yield await self._not_heard("the channel was removed: what is pushed is not heard", entry)
        body = (await self.publisher.get(self.topic)).content
        answer = await self._posted(body, f"sha256={_signed(self._agreed.secret, body, 'sha256')}")
        yield Row("and the door says so", answer.status_code == 404, None, answer.json()["detail"])


def _signed(secret: str, body: bytes, method: str) -> str:
    return hmac.digest(secret.encode(), body, method).hex()
