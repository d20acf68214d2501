"""The practice network: the service itself, on loopback."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from services.sandbox.app import create_app
from shared.connectors.sandbox import Sandbox
from shared.contract import HookAddress, Login, Pointer, Target
from shared.errors import Gone, LoginDead, LoginExpired, RateLimited, Refused, Unavailable, Uncertain
from shared.models.enums import MentionKind
from tests.connectors.conformance.line import Line, Reply
from tests.connectors.conformance.specimen import Call, Event, Failure, Pushing, Shown, Specimen, Verb, World, Written
from tests.connectors.loopback import guarded, serving

_VERBS = {Verb.SAID: "created", Verb.EDITED: "edited", Verb.DELETED: "deleted", Verb.UNKNOWN: "pinned"}


def _sign(key: str, body: bytes, at: datetime, number: int) -> Mapping[str, str]:
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return {"x-sandbox-signature": f"sha256={digest}", "x-sandbox-delivery": f"d_{number}"}


def _write(events: Sequence[Event]) -> Written:
    changes = [_change(event) for event in events]
    return Written(json.dumps({"object": "sandbox", "account": "cafe", "changes": changes}).encode())


def _change(event: Event) -> object:
    published = event.at - timedelta(minutes=3) if event.verb is Verb.EDITED else event.at
    post = {
        "id": str(event.number),
        "account": "cafe",
        "author": {"id": "a_1", "handle": "lea", "name": "Léa"},
        "kind": "shout" if event.verb is Verb.BROKEN else "comment",
        "text": event.text,
        "published_at": published.isoformat(),
        "edited_at": event.at.isoformat() if event.verb is Verb.EDITED else None,
        "counters": {"likes": 0, "replies": 0, "shares": 0, "views": 0},
    }
    verb = _VERBS.get(event.verb, "created")
    return {"number": event.number, "verb": verb, "at": event.at.isoformat(), "post": post}


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    with TemporaryDirectory() as folder:
        app = create_app(Path(folder) / "sandbox.db", "http://sandbox.test")
        line = Line(app)
        async with (
            serving(app, lifespan="on") as inside,
            serving(line) as port,
            guarded(send_timeout_seconds=1) as http,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{inside}") as people,
        ):
            await people.post("/api/accounts", json={"account": "cafe", "name": "Café Parvis"})
            tokens = (await people.post("/api/accounts/cafe/login", json={"seconds": 3600})).json()
            credentials = {name: tokens[name] for name in ("access_token", "refresh_token")}
            login = Login("cafe", f"http://127.0.0.1:{port}", credentials)
            world = World(line, http, login, login, hook=HookAddress("http://127.0.0.1:1/hook", "s3cret-of-the-hook"))

            async def say(text: str) -> str:
                answer = await people.post("/api/say", json={"account": "cafe", "as": "lea", "text": text})
                return str(answer.json()["id"])

            async def edit(external_id: str, text: str) -> None:
                await people.patch(f"/api/posts/{external_id}", json={"text": text})

            async def delete(external_id: str) -> None:
                await people.delete(f"/api/posts/{external_id}")

            async def published() -> list[str]:
                answer = await people.get("/api/posts", params={"account": "cafe"})
                return [post["id"] for post in answer.json()["posts"]]

            async def shown(external_id: str) -> Shown | None:
                answer = await people.get(f"/api/posts/{external_id}")
                if answer.status_code == 404 or answer.json()["deleted"]:
                    return None
                post = answer.json()
                alts = tuple(item["alt"] for item in post["media"])
                return Shown(post["text"], post["parent_id"], alts, post["hidden"], post["counters"]["likes"] == 1)

            async def target(external_id: str) -> Target:
                post = (await people.get(f"/api/posts/{external_id}")).json()
                return Target(external_id, MentionKind(post["kind"]), post["author"]["id"], external_id)

            async def blocked(person: str) -> bool:
                listed = (await people.get("/api/accounts/cafe/blocked")).json()["blocked"]
                return person in [one["id"] for one in listed]

            async def subscribed() -> bool:
                me = await people.get("/api/v1/me", headers={"authorization": f"Bearer {tokens['access_token']}"})
                return bool(me.json()["webhook"])

            def revoke() -> None:
                world.login = replace(login, credentials={"access_token": "revoked-token"})

            world.say, world.edit, world.delete = say, edit, delete
            world.shown, world.target, world.blocked = shown, target, blocked
            world.published, world.subscribed, world.revoke = published, subscribed, revoke
            yield world


def _both(name: str, reply: Reply, reading: type, sending: type, after: timedelta | None = None) -> list[Failure]:
    return [Failure(name, Call.POLL, reply, reading, after), Failure(name, Call.SEND, reply, sending, after)]


def _says(code: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": "…"}}).encode()


SANDBOX = Specimen(
    connector=Sandbox(),
    channel="cafe",
    name=str,
    write=_write,
    vectors=(("", 0, "characters"), ("é👩‍👩‍👧", 6, "characters"), ("https://example.be/", 19, "characters")),
    longest=("x" * 10_000, "x" * 10_001),
    pushing=Pushing(
        keys=("key-one", "key-two"),
        sign=_sign,
        signed_headers=("x-sandbox-signature",),
        header="x-sandbox-signature",
        digest=lambda _: slice(7, None),
    ),
    world=_world,
    failures=(
        *_both("too fast", Reply(429, headers={"retry-after": "7"}), RateLimited, RateLimited, timedelta(seconds=7)),
        *_both("no login", Reply(401, _says("invalid_token")), LoginDead, LoginDead),
        Failure("token has run out", Call.POLL, Reply(401, _says("expired_token")), LoginExpired),
        Failure("gone", Call.POLL, Reply(410), Gone),
        *_both("refused", Reply(422, _says("too_long")), Refused, Refused),
        *_both("refused without a reason", Reply(422), Refused, Uncertain),
        *_both("redirect", Reply(302, headers={"location": "https://elsewhere.example/"}), Refused, Refused),
        *_both("server error", Reply(500, b"oops"), Unavailable, Uncertain),
        *_both("server error, done", Reply(500, b"oops", done=True), Unavailable, Uncertain),
        *_both("html", Reply(200, b"<html>hello</html>"), Unavailable, Uncertain),
        *_both("half", Reply(200, b'{"changes": [{"num'), Unavailable, Uncertain),
        *_both("empty", Reply(200), Unavailable, Uncertain),
        *_both("error inside", Reply(200, _says("busy")), Unavailable, Uncertain),
        *_both("cut off", Reply(200, b'{"changes": [], "cursor": "1"}', cut=True), Unavailable, Uncertain),
        *_both("no answer in time", Reply(200, after_seconds=2), Unavailable, Uncertain),
    ),
    echo=lambda words: Reply(422, json.dumps({"error": {"code": words, "message": words}}).encode()),
    pointer=lambda external_id: Pointer(external_id, "post"),
    clock_moves=True,
    is_real=True,
    real=frozenset(Sandbox.card.capabilities),
    real_by="the practice network itself",
)
