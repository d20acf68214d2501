"""A real Bluesky network: what people do on it around the example brand, and when Parvis shows it."""

import asyncio
import base64
import tempfile
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import httpx

from tests.peers import bluesky_servers
from tests.peers.bluesky_people import Person, Written, join, link, run_out
from tests.peers.bluesky_speaking import BlueskySpeaking
from tests.peers.house import POLL_SECONDS, WITHIN_ONE_POLL, Json, PeerHouse
from tests.peers.logins import ChannelLogin, channel_login
from tests.peers.peer import Row, Say
from tests.peers.seeing import Seeing
from tests.peers.speaking import Speaking

# A reply that comes within milliseconds of its root is not notified: the AppView does not know the root yet.
_INDEXED = 1.5
_BURST = 130
_TERM = "parvisplein"
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Bluesky:
    name: ClassVar[str] = "bluesky"
    what: ClassVar[str] = (
        f"{bluesky_servers.PACKAGE} {bluesky_servers.VERSION}: the real directory, host, AppView and moderation"
    )

    def missing(self) -> str | None:
        return bluesky_servers.missing()

    def install(self, folder: Path, say: Say) -> None:
        bluesky_servers.install(folder, say)

    async def run(self, folder: Path, house: PeerHouse) -> AsyncGenerator[Row, None]:
        async with AsyncExitStack() as stack:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parvis-bluesky-")))
            pds = await stack.enter_async_context(bluesky_servers.network(folder, place))
            http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
            mark = uuid.uuid4().hex[:6]
            people = [await join(http, pds, f"{name}{mark}") for name in ("brand", "fan", "foe", "away", "gone")]
            scene = Scene(house, pds, *people)
            async for row in scene.connected(stack):
                yield row
            brand = BlueskySpeaking(Speaking(house, scene.channel_id), pds, scene.brand, scene.fan, scene.login)
            speaking = (brand.thread, brand.conversation, brand.picture, brand.killed)
            for act in (scene.said, scene.shown, scene.changed, *speaking, scene.absent, scene.logins):
                async for row in act():
                    yield row


@dataclass
class Scene:
    """The example brand's account, four others, and the channel by which Parvis hears them."""

    house: PeerHouse
    pds: str
    brand: Person
    fan: Person
    foe: Person
    away: Person
    gone: Person
    seeing: Seeing = field(init=False)
    login: ChannelLogin = field(init=False)
    channel_id: str = field(init=False)
    own: Written = field(init=False)

    def __post_init__(self) -> None:
        self.seeing = Seeing(self.house, "bluesky")

    async def _polled(self) -> bool:
        """Whether the channel has been polled yet: one without a session had to wait for its next turn."""
        return (await self.house.channel(self.channel_id))["last_polled_at"] is not None

    # ------------------------------------------------------------ acts

    async def connected(self, stack: AsyncExitStack) -> AsyncIterator[Row]:
        password = await self.brand.app_password("parvis")
        credentials = {"identifier": self.brand.handle, "app_password": password}
        channel = await self.house.connect(network="bluesky", base_url=self.pds, credentials=credentials, terms=[_TERM])
        self.channel_id = channel["id"]
        self.login = await stack.enter_async_context(channel_login(self.house, self.channel_id))
        wrong = [finding["message"] for finding in channel["findings"] if not finding["ok"]]
        findings = len(channel["findings"])
        yield Row("connected by handle and app password; the self-test is content", not wrong and findings > 0, None,
                  "; ".join(wrong) or f"{findings} findings")  # fmt: skip
        await self.house.until(self._polled, 4 * WITHIN_ONE_POLL)
        known = await self.login.read()
        yield Row("the handle led to the DID and to its own host", known.channel_external_id == self.brand.did, None,
                  str(known.credentials.get("service")))  # fmt: skip

    async def said(self) -> AsyncIterator[Row]:
        self.own = await self.brand.post("Nieuwe openingsuren op het plein", langs=["nl"])
        yield await self.seeing.heard(
            "the brand's own post", self.own.uri, authorKind="BRAND", kind="POST", language="nl"
        )
        named = await self.fan.post("Merci pour l'accueil", to=self.brand, langs=["fr"])
        yield await self.seeing.heard(
            "a mention", named.uri, kind="POST", authorKind="CONSUMER", language="fr",
            text=f"Merci pour l'accueil @{self.brand.handle}",
            author={"externalId": self.fan.did, "handle": self.fan.handle, "name": None},
        )  # fmt: skip
        reply = await self.fan.reply(self.own, "Ook op zondag?")
        yield await self.seeing.heard(
            "a reply, under its parent", reply.uri, kind="REPLY", parent={"externalId": self.own.uri}
        )
        await asyncio.sleep(_INDEXED)
        deeper = await self.foe.reply(reply, "Nee hoor", self.own)
        yield await self.seeing.heard("a reply to a reply", deeper.uri, kind="REPLY", parent={"externalId": reply.uri})
        quote = await self.fan.quote(self.own, "Eindelijk!")
        yield await self.seeing.heard("a quote", quote.uri, kind="POST", text="Eindelijk!")
        found = await self.away.post(f"Mooi weer op het {_TERM}")
        yield await self.seeing.heard("a post that names nobody, found by its term", found.uri, kind="POST")
        await self.fan.like(self.own)
        await self.foe.repost(self.own)
        await asyncio.sleep(_INDEXED)
        yield await self.seeing.look("a like, a repost and a quote, counted", self._counted)

    def _counted(self, found: dict[str, Json]) -> bool:
        engagement = found[self.own.uri]["engagement"]
        return (engagement["likes"], engagement["shares"]) == (1, 2)

    async def shown(self) -> AsyncIterator[Row]:
        picture = await self.fan.post("Kijk", to=self.brand, embed=await self.fan.picture(_PNG, "Het plein"))
        yield await self.seeing.look(
            "a picture with its description",
            lambda found: [it["alt"] for it in found.get(picture.uri, {}).get("media", [])] == ["Het plein"],
        )
        text = "Lees example.be/nieuws… eens"
        facet = link(text, "example.be/nieuws…", "https://example.be/nieuws/het-plein")
        cut = await self.fan.post(text, to=self.brand, facets=[facet])
        whole = f"Lees https://example.be/nieuws/het-plein eens @{self.brand.handle}"
        yield await self.seeing.heard("a link that the text shows cut, in full", cut.uri, text=whole)
        old = datetime.now(UTC) - timedelta(days=3)
        late = await self.fan.post("Terug van weggeweest", to=self.brand, createdAt=old.isoformat())
        yield await self.seeing.look(
            "a post dated three days back", lambda found: _close(found.get(late.uri, {}).get("publishedAt"), old)
        )
        soon = datetime.now(UTC)
        future = await self.fan.post("Tot morgen", to=self.brand, createdAt=(soon + timedelta(days=400)).isoformat())
        yield await self.seeing.look(
            "a post dated next year, kept under today",
            lambda found: _close(found.get(future.uri, {}).get("publishedAt"), soon),
        )

    async def changed(self) -> AsyncIterator[Row]:
        edited = await self.fan.post("Open tot 17 u", to=self.brand)
        yield await self.seeing.heard("a mention that will be edited", edited.uri)
        await self.fan.edit(edited, "Open tot 18 u", self.brand)
        await asyncio.sleep(_INDEXED)
        texts = [f"Open tot {hour} u @{self.brand.handle}" for hour in (17, 18)]
        yield await self.seeing.look(
            "edited in place, with its history",
            lambda found: (
                found[edited.uri]["text"] == texts[1] and [it["text"] for it in found[edited.uri]["history"]] == texts
            ),
        )
        wrong = await self.fan.post("Open op zondga", to=self.brand)
        yield await self.seeing.heard("a mention with an error in it", wrong.uri)
        await self.fan.delete(wrong)
        right = await self.fan.post("Open op zondag", to=self.brand)
        await asyncio.sleep(_INDEXED)
        yield await self.seeing.look(
            "deleted and posted again: two things, one of them gone",
            lambda found: (
                found[wrong.uri]["deletedAt"] is not None
                and found[wrong.uri]["text"] is None
                and found.get(right.uri, {"deletedAt": ""})["deletedAt"] is None
            ),
        )

    async def absent(self) -> AsyncIterator[Row]:
        """A block and a closed account take posts out of sight; only an account that is gone takes them away."""
        by_foe = await self.foe.post("Nooit meer", to=self.brand)
        by_away = await self.away.post("Ik neem pauze", to=self.brand)
        by_gone = await self.gone.post("Vergeet mij", to=self.brand)
        three = (by_foe, by_away, by_gone)
        yield await self.seeing.look("mentions by three others", lambda found: all(one.uri in found for one in three))
        await self.foe.block(self.brand)
        await self.away.deactivate()
        await self.gone.leave()
        await asyncio.sleep(_INDEXED)
        yield await self.seeing.look(
            "an account that was deleted: its mention is gone",
            lambda found: found[by_gone.uri]["deletedAt"] is not None,
        )
        await asyncio.sleep(2 * POLL_SECONDS)
        found = await self.house.mentions("bluesky")
        for written, what in ((by_foe, "blocked by its author"), (by_away, "its author's account deactivated")):
            kept = found[written.uri]["deletedAt"] is None and found[written.uri]["text"] is not None
            yield Row(f"{what}: the mention stays", kept, None)

    async def logins(self) -> AsyncIterator[Row]:
        login = await self.login.read()
        ended = run_out(login.credentials["access_jwt"])
        await self.login.change(access_jwt=ended)
        after = await self.fan.post("Ben je er nog?", to=self.brand)
        row = await self.seeing.heard("the access token has run out: renewed, and a mention heard after it", after.uri)
        renewed = (await self.login.read()).credentials["access_jwt"]
        good = row.good and renewed not in {ended, login.credentials["access_jwt"]}
        yield replace(row, good=good)
        async for row in self._after_a_pause():
            yield row
        done = await self.house.look_back(self.channel_id, datetime.now(UTC) - timedelta(days=7), 4 * WITHIN_ONE_POLL)
        told = f"{done['status']}: {done['progress']['pages']} pages, {done['progress']['message']}"
        yield Row("looked back upon, page after page", done["status"] == "succeeded", None, told)
        await self.brand.revoke("parvis")
        login = await self.login.read()
        await self.login.change(access_jwt=run_out(login.credentials["access_jwt"]))
        yield await self._revoked()
        meanwhile = await self.fan.post("Nog altijd daar?", to=self.brand)
        credentials = {"identifier": self.brand.handle, "app_password": await self.brand.app_password("again")}
        answer = await self.house.rest("PATCH", f"/channels/{self.channel_id}", json={"credentials": credentials})
        assert answer.is_success, answer.text
        yield await self.seeing.heard("a new app password: what was posted meanwhile", meanwhile.uri)

    async def _after_a_pause(self) -> AsyncIterator[Row]:
        """More than a page between two polls."""
        assert (await self.house.rest("POST", f"/channels/{self.channel_id}/pause")).is_success
        texts = [f"Stroom {number}" for number in range(_BURST)]
        await self.fan.burst(texts, self.brand)
        await asyncio.sleep(2 * _INDEXED)
        assert (await self.house.rest("POST", f"/channels/{self.channel_id}/resume")).is_success
        wanted = {f"{text} @{self.brand.handle}" for text in texts}
        yield await self.seeing.look(
            f"{_BURST} mentions while the channel was paused: every one",
            lambda found: wanted <= {it["text"] for it in found.values()},
            within=2 * WITHIN_ONE_POLL,  # the AppView takes its time for so many
        )

    async def _revoked(self) -> Row:
        async def look() -> str:
            channel = await self.house.channel(self.channel_id)
            return str(channel["status_reason"]) if channel["status"] == "login_dead" else ""

        said, took = await self.house.until(look, 4 * WITHIN_ONE_POLL)
        good = "app password" in said and took <= WITHIN_ONE_POLL
        return Row("the app password was revoked: said, and what to do", good, took, said)


def _close(said: str | None, wanted: datetime) -> bool:
    """Whether a time is within a minute of the wanted one."""
    return said is not None and abs(datetime.fromisoformat(said) - wanted) < timedelta(minutes=1)
