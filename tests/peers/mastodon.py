"""`python -m tests.peers.mastodon`: the connector against mastodon_mock, a Mastodon server that others wrote.

It is installed from PyPI into an environment of its own below the data folder, served on loopback, and people do things
on it. Where it can't be installed, the program says so in a sentence and ends well.
"""

import asyncio
import os
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from socket import create_server
from typing import Any

import httpx

from shared.connectors.mastodon import Mastodon
from shared.contract import Deleted, Heard, Login, RawPart, Reacted, Said
from shared.errors import LoginDead, NetworkError, RateLimited, Unavailable
from shared.models.enums import AuthorKind, MentionKind, Visibility
from tests.connectors.loopback import guarded

WANTED = "mastodon-mock==0.6.1"
FOLDER = Path(os.environ.get("PARVIS_DATA_DIR", ".parvis")) / "peers" / "mastodon"
mastodon = Mastodon()


class CannotInstall(Exception):
    """The peer can't be installed here; the text is a sentence."""


def install() -> Path:
    """The program that serves it, installed unless it is. Raises CannotInstall."""
    program = FOLDER / "bin" / "mastodon_mock"
    if program.exists():
        return program
    sys.stdout.write(f"Installing {WANTED} into {FOLDER}.\n")
    try:
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WANTED]
        subprocess.run(pip, check=True, capture_output=True, timeout=600)
    except subprocess.TimeoutExpired:
        raise CannotInstall("it was not installed within ten minutes") from None
    except (OSError, subprocess.CalledProcessError) as error:
        last = (getattr(error, "stderr", None) or str(error).encode()).decode(errors="replace").strip().split("\n")[-1]
        raise CannotInstall(f"{WANTED} can't be installed ({last[:200]})") from None
    return program


@asynccontextmanager
async def served(program: Path) -> AsyncIterator[str]:
    """The server's address, while it serves its demonstration people: ada, alan, grace and katherine."""
    with create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    where = ("--host", "127.0.0.1", "--port", str(port), "--in-memory", "--demo")
    nowhere = subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(str(program), "serve", *where, stdout=nowhere, stderr=nowhere)
    try:
        async with asyncio.timeout(60), httpx.AsyncClient() as http:
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
    """People on the server, and our login for alan's account."""

    people: httpx.AsyncClient
    http: httpx.AsyncClient
    login: Login
    cursor: str | None = None
    rows: list[tuple[str, bool]] = field(default_factory=list)

    async def does(self, who: str, method: str, path: str, **form: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {who}_token"}
        answer = await self.people.request(method, f"/api/v1/{path}", headers=headers, data=form or None)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def says(self, who: str, text: str, **more: Any) -> str:
        return str((await self.does(who, "POST", "statuses", status=text, **more))["id"])

    async def hears(self) -> dict[tuple[type[Heard], str], Heard]:
        """What one poll brings, page after page."""
        found: dict[tuple[type[Heard], str], Heard] = {}
        more = True
        while more:
            page = await mastodon.poll(self.http, self.login, self.cursor)
            self.cursor, more = page.cursor, page.more
            found |= self.read(page.arrivals)
        return found

    def read(self, arrivals: Sequence[Any]) -> dict[tuple[type[Heard], str], Heard]:
        parts = [RawPart(self.login.channel_external_id, a.body, a.stamp, a.headers) for a in arrivals]
        return {(type(fact), fact.external_id): fact for part in parts for fact in mastodon.parse(part).heard}

    def row(self, what: str, good: bool) -> None:
        self.rows.append((what, good))
        sys.stdout.write(f"  {'✓' if good else '✗'} {what}\n")

    async def fault(self, path: str, **effect: Any) -> None:
        told = {"match": {"methods": ["GET"], "path": path}, "effect": effect, "count": 1}
        (await self.people.post("/api/v1/_mock/faults", json=told)).raise_for_status()


async def heard(scene: Scene) -> None:
    """Mentions, replies, messages, favourites and what follows a term, each by the next poll."""
    await scene.hears()
    post = await scene.says("alan", "verse koffiekoeken")
    mention = await scene.says("ada", "@alan hallo!")
    direct = await scene.says("ada", "@alan psst", visibility="direct")
    reply = await scene.says("grace", "@alan lekker", in_reply_to_id=post)
    tagged = await scene.says("katherine", "zondag #koffiekoeken")
    await scene.does("ada", "POST", f"statuses/{post}/favourite")
    found = await scene.hears()

    def said(external_id: str) -> Said | None:
        fact = found.get((Said, external_id))
        return fact if isinstance(fact, Said) else None

    own, message, answer = said(post), said(direct), said(reply)
    scene.row("a mention", said(mention) is not None)
    scene.row("a hashtag that is followed", said(tagged) is not None)
    scene.row("our own status as the brand's", own is not None and own.author_kind is AuthorKind.BRAND)
    private = message is not None and (message.kind, message.visibility) == (MentionKind.MESSAGE, Visibility.PRIVATE)
    scene.row("a direct status as a private message", private)
    scene.row("a reply below what it answers", answer is not None and answer.parent_external_id == post)
    scene.row("a favourite as a reaction", (Reacted, post) in found)
    scene.row("nothing twice", await scene.hears() == {})


async def changed(scene: Scene) -> None:
    """An edit and a deletion, found by looking again; a backlog of several pages, without a hole."""
    edited, gone = await scene.says("ada", "@alan een"), await scene.says("ada", "@alan twee")
    await scene.does("ada", "PUT", f"statuses/{edited}", status="@alan een!")
    await scene.does("ada", "DELETE", f"statuses/{gone}")
    found = scene.read(await mastodon.recheck(scene.http, scene.login, [edited, gone]))
    now = found.get((Said, edited))
    scene.row("an edit", isinstance(now, Said) and now.text == "@alan een!" and now.edited_at is not None)
    scene.row("a deletion", (Deleted, gone) in found)
    await scene.hears()
    backlog = {await scene.says("ada", f"@alan nr {number}") for number in range(130)}
    since = await scene.hears()
    scene.row("130 mentions between two polls", backlog <= {external_id for _, external_id in since})
    page = await mastodon.backfill(scene.http, scene.login, datetime(2020, 1, 1, tzinfo=UTC), None)
    scene.row("a page of a backfill", bool(scene.read(page.arrivals)))


async def failed(scene: Scene) -> None:
    """Its injected faults, each as the error that says what to do."""
    wrong = Login(scene.login.channel_external_id, scene.login.base_url, {"access_token": "wrong"})
    for what, effect, error in (
        ("too many requests", {"type": "ratelimit"}, RateLimited),
        ("a server error", {"type": "status", "status": 503}, Unavailable),
        ("an answer that is broken", {"type": "malformed"}, Unavailable),
    ):
        await scene.fault("/api/v1/notifications", **effect)
        scene.row(what, await _raises(mastodon.poll(scene.http, scene.login, None), error))
    scene.row("a token that is not taken", await _raises(mastodon.poll(scene.http, wrong, None), LoginDead))


async def _raises(doing: Awaitable[object], error: type[NetworkError]) -> bool:
    try:
        await doing
    except error:
        return True
    except NetworkError:
        return False
    return False


SCENES: tuple[Callable[[Scene], Awaitable[None]], ...] = (heard, changed, failed)


async def run(program: Path) -> bool:
    """Whether everything was seen as it must be."""
    async with (
        served(program) as url,
        guarded(send_timeout_seconds=10) as http,
        httpx.AsyncClient(base_url=url) as people,
    ):
        token = {"access_token": "alan_token"}
        choice = await mastodon.identify(http, Login("", url, token))
        login = Login(choice.external_id, url, token, terms=("#koffiekoeken",))
        scene = Scene(people, http, login)
        findings = await mastodon.check(http, login)
        scene.row(f"whom the token is for: {choice.name}", all(finding.ok for finding in findings))
        for act in SCENES:
            await act(scene)
    return all(good for _, good in scene.rows)


def main() -> None:
    """The entry point: exit code 1 where something was not seen as it must be."""
    try:
        program = install()
    except CannotInstall as error:
        sys.stdout.write(f"mastodon is skipped: {error}.\n")
        return
    sys.exit(0 if asyncio.run(run(program)) else 1)


if __name__ == "__main__":
    main()
