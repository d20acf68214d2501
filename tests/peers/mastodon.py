"""mastodon_mock, a Mastodon server that others wrote: what people do on it around the example brand, and is seen."""

import asyncio
import subprocess
import sys
import venv
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from socket import create_server
from typing import Any, ClassVar

import httpx

from shared.connectors.mastodon import Mastodon
from shared.errors import LoginDead, NetworkError, RateLimited, Unavailable
from tests.peers.house import WITHIN_ONE_POLL, Json, PeerHouse
from tests.peers.logins import BY_ITSELF, ChannelLogin, channel_login
from tests.peers.peer import CannotInstall, Row, Say

WANTED = "mastodon-mock==0.6.1"
_BURST = 130
_TERM = "#parvisplein"
_ALONE, _HELPED = "house", "connector"
_FAULTS: tuple[tuple[str, Json, type[NetworkError]], ...] = (
    ("too many requests", {"type": "ratelimit"}, RateLimited),
    ("a server error", {"type": "status", "status": 503}, Unavailable),
    ("an answer that is broken", {"type": "malformed"}, Unavailable),
)


class MastodonMock:
    name: ClassVar[str] = "mastodon"
    what: ClassVar[str] = f"{WANTED}, a server of Mastodon's interface by others"

    def missing(self) -> str | None:
        return None if sys.platform != "win32" else "its environment is laid out for Unix"

    def install(self, folder: Path, say: Say) -> None:
        """Into an environment of its own, which Parvis's does not share."""
        if (folder / "bin" / "mastodon_mock").exists():
            return
        say(f"Installing {WANTED}.")
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WANTED]
        try:
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run(pip, check=True, capture_output=True, timeout=600)
        except subprocess.TimeoutExpired:
            raise CannotInstall(f"{WANTED} was not installed within ten minutes") from None
        except subprocess.CalledProcessError as error:
            last = (error.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
            raise CannotInstall(f"{WANTED} can't be installed ({last[:200]})") from None
        except OSError as error:
            raise CannotInstall(f"there is no place for its environment ({error})") from None

    async def run(self, folder: Path, house: PeerHouse) -> AsyncGenerator[Row, None]:
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(_served(folder / "bin" / "mastodon_mock"))
            people = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=30))
            scene = Scene(house, url, people)
            async for row in scene.connected(stack):
                yield row
            for act in (scene.said, scene.changed, scene.after_a_pause, scene.failed):
                async for row in act():
                    yield row


@asynccontextmanager
async def _served(program: Path) -> AsyncIterator[str]:
    """The server's address, while it serves its demonstration people: ada, alan, grace and katherine."""
    with create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    where = ("--host", "127.0.0.1", "--port", str(port), "--in-memory", "--demo")
    nowhere = subprocess.DEVNULL
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
    login: ChannelLogin = field(init=False)
    channel_id: str = field(init=False)

    async def _does(self, who: str, method: str, path: str, **form: Any) -> Json:
        headers = {"authorization": f"Bearer {who}_token"}
        answer = await self.people.request(method, f"/api/v1/{path}", headers=headers, data=form or None)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def _says(self, who: str, text: str, **more: Any) -> str:
        return str((await self._does(who, "POST", "statuses", status=text, **more))["id"])

    async def _look(self, what: str, sees: Callable[[dict[str, Json]], bool], *, way: str = _ALONE) -> Row:
        """A row: whether and when the mentions are as they have to be."""

        async def look() -> bool:
            return sees(await self.house.mentions("mastodon"))

        seen, took = await self.house.until(look, 4 * WITHIN_ONE_POLL)
        good = seen and took <= WITHIN_ONE_POLL
        return Row(what, good, took if seen else None, way, "" if good else "late" if seen else "never seen")

    async def _heard(self, what: str, external_id: str, **wanted: Any) -> Row:
        """A row: whether the status is a mention that has these values."""

        def sees(found: dict[str, Json]) -> bool:
            mention = found.get(external_id)
            return mention is not None and all(mention[name] == value for name, value in wanted.items())

        return await self._look(what, sees)

    async def _looked_again(self, *external_ids: str) -> str:
        """Have the statuses looked at again: the house does it by itself, where it does."""
        if BY_ITSELF:
            return _ALONE
        await self.login.look_again(external_ids)
        return _HELPED

    # ------------------------------------------------------------ acts

    async def connected(self, stack: AsyncExitStack) -> AsyncIterator[Row]:
        me = await self._does("alan", "GET", "accounts/verify_credentials")
        followed = {"terms": [_TERM]} if BY_ITSELF else {}
        credentials = {"access_token": "alan_token"}
        channel = await self.house.connect(
            network="mastodon", base_url=self.url, external_id=str(me["id"]), credentials=credentials, **followed
        )
        self.channel_id = channel["id"]
        self.login = await stack.enter_async_context(channel_login(self.house, self.channel_id))
        wrong = [finding["message"] for finding in channel["findings"] if not finding["ok"]]
        count = len(channel["findings"])
        note = "; ".join(wrong) or f"{count} findings"
        yield Row("connected by a token; the self-test is content", not wrong and count > 0, None, _ALONE, note)

        async def polled() -> bool:
            return (await self.house.channel(self.channel_id))["last_polled_at"] is not None

        await self.house.until(polled, 4 * WITHIN_ONE_POLL)

    async def said(self) -> AsyncIterator[Row]:
        post = await self._says("alan", "Nieuwe openingsuren op het plein")
        yield await self._heard("the brand's own status", post, authorKind="BRAND", kind="POST")
        mention = await self._says("ada", "@alan merci pour l'accueil")
        yield await self._heard("a mention", mention, authorKind="CONSUMER", kind="POST")
        direct = await self._says("ada", "@alan psst", visibility="direct")
        yield await self._heard("a direct status, as a private message", direct, kind="MESSAGE")
        reply = await self._says("grace", "@alan ook op zondag?", in_reply_to_id=post)
        yield await self._heard("a reply, under its parent", reply, kind="REPLY", parent={"externalId": post})
        if BY_ITSELF:
            tagged = await self._says("katherine", f"Mooi weer {_TERM}")
            yield await self._heard("a status that names nobody, found by its hashtag", tagged, kind="POST")
        await self._does("ada", "POST", f"statuses/{post}/favourite")
        await self._does("grace", "POST", f"statuses/{post}/reblog")

        def counted(found: dict[str, Json]) -> bool:
            engagement = found[post]["engagement"]
            return (engagement["likes"], engagement["shares"], engagement["replies"]) == (1, 1, 1)

        yield await self._look("a favourite, a reblog and a reply, counted", counted)

    async def changed(self) -> AsyncIterator[Row]:
        edited, gone = await self._says("ada", "@alan open tot 17 u"), await self._says("ada", "@alan oei")
        yield await self._look("two mentions that will change", lambda found: {edited, gone} <= found.keys())
        await self._does("ada", "PUT", f"statuses/{edited}", status="@alan open tot 18 u")
        await self._does("ada", "DELETE", f"statuses/{gone}")
        way = await self._looked_again(edited, gone)
        row = await self._look("edited, with its history", lambda found: len(found[edited]["history"]) == 2)
        yield replace(row, way=way)
        row = await self._look("deleted", lambda found: found[gone]["deletedAt"] is not None)
        yield replace(row, way=way)

    async def after_a_pause(self) -> AsyncIterator[Row]:
        """More than a page between two polls."""
        assert (await self.house.rest("POST", f"/channels/{self.channel_id}/pause")).is_success
        wanted = {await self._says("ada", f"@alan stroom {number}") for number in range(_BURST)}
        assert (await self.house.rest("POST", f"/channels/{self.channel_id}/resume")).is_success
        what = f"{_BURST} mentions while the channel was paused: every one"
        yield await self._look(what, lambda found: wanted <= found.keys())

    async def failed(self) -> AsyncIterator[Row]:
        """Its injected faults, each as the error that says what to do; and further back than any poll."""
        login, http = await self.login.read(), self.login.http
        assert (await self.house.rest("POST", f"/channels/{self.channel_id}/pause")).is_success
        for what, effect, error in _FAULTS:
            told = {"match": {"methods": ["GET"], "path": "/api/v1/notifications"}, "effect": effect, "count": 1}
            (await self.people.post("/api/v1/_mock/faults", json=told)).raise_for_status()
            yield await _refused(f"{what}: said", Mastodon().poll(http, login, None), error)
        wrong = replace(login, credentials={"access_token": "wrong"})
        yield await _refused("a token that is not taken: said", Mastodon().poll(http, wrong, None), LoginDead)
        page = await Mastodon().backfill(http, login, datetime(2020, 1, 1, tzinfo=UTC), None)
        yield Row("a page of a backfill", bool(page.arrivals) and page.more, None, _HELPED)


async def _refused(what: str, doing: Awaitable[object], error: type[NetworkError]) -> Row:
    try:
        await doing
    except NetworkError as raised:
        return Row(what, isinstance(raised, error), None, _HELPED, raised.message)
    return Row(what, False, None, _HELPED, "it was answered")
