"""Bluesky: an account on its own host, polled."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from shared.connectors.bluesky import Bluesky
from shared.connectors.bluesky_views import MISSING
from shared.contract import Capability, Login, Pointer, Target
from shared.errors import LoginDead, LoginExpired, RateLimited, Refused, Unavailable, Uncertain
from shared.models.enums import MentionKind
from tests.connectors.conformance.line import Line, Reply
from tests.connectors.conformance.specimen import (
    PICTURES,
    Call,
    Event,
    Failure,
    Shown,
    Specimen,
    Verb,
    World,
    Written,
)
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.bluesky import BlueskyNetwork
from tests.networks.fakes.bluesky_people import LIKE, POST, Record

_FAN = "did:plc:fanfanfanfanfanfanfanfan"


def _name(number: int) -> str:
    return f"at://{_FAN}/app.bsky.feed.post/3k{number:011d}"


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write(events: Sequence[Event]) -> Written:
    if [event.verb for event in events] == [Verb.DELETED]:
        error = {"error": "RecordNotFound", "message": "Could not locate record"}
        return Written(json.dumps(error).encode(), {MISSING: _name(events[0].number)})
    told = {"notifications": [_notification(event) for event in events], "cursor": "2026-11-22T08:00:00.000Z"}
    return Written(json.dumps(told).encode())


def _notification(event: Event) -> object:
    """An edit is found as another version under the same address: the network tells no time of it."""
    published = event.at - timedelta(minutes=3) if event.verb is Verb.EDITED else event.at
    return {
        "uri": None if event.verb is Verb.BROKEN else _name(event.number),
        "cid": f"bafyrei{event.number:052d}",
        "author": {"did": _FAN, "handle": "fan.example", "displayName": "Fan", "labels": []},
        "reason": "hologram" if event.verb is Verb.UNKNOWN else "mention",
        "record": {"$type": "app.bsky.feed.post", "text": event.text, "createdAt": _iso(published), "langs": ["nl"]},
        "isRead": False,
        "indexedAt": _iso(published),
        "labels": [],
    }


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    network = BlueskyNetwork()
    line = Line(network.app)
    async with serving(line) as port, guarded(send_timeout_seconds=1) as http:
        network.url = f"http://127.0.0.1:{port}"
        brand, fan = network.join("brand.test", name="Café Parvis"), network.join("fan.test", name="Fan")
        given = Login("typed-in", network.url, {"identifier": "brand.test", "app_password": brand.password})
        choice = await Bluesky().identify(http, given)
        login = Login(choice.external_id, choice.base_url, choice.credentials, (), choice.expires_at)

        begun: list[Record] = []

        async def say(text: str) -> str:
            """Beneath a post of the brand's, so that it can be hidden."""
            if not begun:
                begun.append(network.post(brand, "Wat vindt u ervan?"))
            return network.reply(fan, begun[0], text, mentioning=brand).uri

        async def edit(external_id: str, text: str) -> None:
            network.edit(network.records[external_id], text)

        async def delete(external_id: str) -> None:
            network.delete(network.records[external_id])

        async def published() -> list[str]:
            posts = [one for one in network.records.values() if one.did == brand.did and one.collection == POST]
            return [one.uri for one in posts if one not in begun]

        async def shown(external_id: str) -> Shown | None:
            record = network.records.get(external_id)
            if record is None:
                return None
            images = record.value.get("embed", {}).get("images", [])
            return Shown(
                record.value["text"],
                record.value.get("reply", {}).get("parent", {}).get("uri"),
                tuple(image["alt"] for image in images),
                hidden=network.hidden(external_id),
                liked=network.viewing(brand, LIKE, external_id) is not None,
            )

        async def blocked(external_id: str) -> bool:
            return external_id in brand.blocks

        async def target(external_id: str) -> Target:
            return Target(external_id, MentionKind.REPLY, fan.did, begun[0].uri)

        line.got.clear()
        yield World(
            line, http, login, given, say, edit, delete, lambda: network.revoke(brand),
            published, shown, blocked, target, PICTURES,
        )  # fmt: skip


def _polling(
    name: str, status: int, error: str, expected: type, after: timedelta | None = None, **headers: str
) -> Failure:
    told = {key.replace("_", "-"): value for key, value in headers.items()}
    return Failure(name, Call.POLL, Reply(status, _says(error), told), expected, after)


def _broken(name: str, reply: Reply) -> list[Failure]:
    """What nobody can make anything of: later where it was asked, in doubt where it was to be done."""
    return [Failure(name, Call.POLL, reply, Unavailable), Failure(name, Call.SEND, reply, Uncertain)]


def _sending(name: str, reply: Reply, expected: type, after: timedelta | None = None) -> Failure:
    return Failure(name, Call.SEND, reply, expected, after)


def _says(error: str, words: str = "…") -> bytes:
    return json.dumps({"error": error, "message": words}).encode()


BLUESKY = Specimen(
    connector=Bluesky(),
    channel="did:plc:brandbrandbrandbrandbran",
    name=_name,
    write=_write,
    vectors=(
        ("", 0, "graphemes"),
        ("é", 1, "graphemes"),
        ("e\u0301", 1, "graphemes"),
        ("👨‍👩‍👧‍👦" * 10, 250, "bytes"),
        ("🇧🇪🇳🇱", 2, "graphemes"),
        ("https://example.be/", 19, "graphemes"),
    ),
    longest=("é" * 300, "é" * 301),
    world=_world,
    failures=(
        _polling("too fast", 429, "RateLimitExceeded", RateLimited, timedelta(seconds=7), retry_after="7"),
        _polling("no login", 401, "AuthMissing", LoginDead),
        _polling("invalid token", 400, "InvalidToken", LoginDead),
        _polling("expired token", 400, "ExpiredToken", LoginExpired),
        _polling("taken down", 400, "AccountTakedown", LoginDead),
        _polling("refused", 400, "InvalidRequest", Refused),
        _polling("server error", 500, "InternalServerError", Unavailable),
        _polling("between its servers", 502, "UpstreamFailure", Unavailable),
        _polling("error inside", 200, "InternalServerError", Unavailable),
        Failure("redirect", Call.POLL, Reply(302, headers={"location": "https://elsewhere.example/"}), Refused),
        *_broken("html", Reply(200, b"<html>hello</html>")),
        *_broken("half", Reply(200, b'{"notifications": [{"uri')),
        *_broken("empty", Reply(200)),
        *_broken("cut off", Reply(200, b'{"notifications": []}', cut=True)),
        *_broken("no answer in time", Reply(200, after_seconds=2)),
        _sending(
            "too fast", Reply(429, _says("RateLimitExceeded"), {"retry-after": "7"}), RateLimited, timedelta(seconds=7)
        ),
        _sending("no login", Reply(401, _says("AuthMissing")), LoginDead),
        _sending("expired token", Reply(400, _says("ExpiredToken")), LoginExpired),
        _sending("taken down", Reply(400, _says("AccountTakedown")), LoginDead),
        _sending("refused", Reply(400, _says("InvalidRequest")), Uncertain),
        _sending("refused by nobody", Reply(400, b"Bad Request"), Uncertain),
        _sending("refused by nobody, done", Reply(400, b"Bad Request", done=True), Uncertain),
        _sending("redirect", Reply(302, headers={"location": "https://elsewhere.example/"}), Uncertain),
        _sending("server error", Reply(500, _says("InternalServerError")), Uncertain),
        _sending("server error, done", Reply(500, _says("InternalServerError"), done=True), Uncertain),
        _sending("between its servers", Reply(502, _says("UpstreamFailure")), Uncertain),
        _sending("error inside", Reply(200, _says("InternalServerError")), Uncertain),
        _sending("html, done", Reply(200, b"<html>hello</html>", done=True), Uncertain),
        _sending("no answer in time, done", Reply(200, after_seconds=2, done=True), Uncertain),
    ),
    echo=lambda words: Reply(400, _says("InvalidRequest", words)),
    pointer=lambda external_id: Pointer(external_id, "post"),
    several_deleted=False,
    recorded=frozenset({Capability.POLL, Capability.FETCH, Capability.MEASURE}),
    real=frozenset(Bluesky.card.capabilities - {Capability.FETCH, Capability.MEASURE, Capability.SEARCH}),
    real_by="a Bluesky network of their own code",
)
