"""Feeds: an Atom feed on a site, and a WebSub hub that pushes it."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from shared.connectors.feed import Feed
from shared.contract import Capability, HookAddress, Login, RawRequest, Secret
from shared.errors import Gone, LoginDead, RateLimited, Unavailable
from tests.connectors.conformance.line import Line, Reply
from tests.connectors.conformance.specimen import (
    NOW,
    Call,
    Event,
    Failure,
    Handshake,
    Pushing,
    Specimen,
    Verb,
    World,
    Written,
)
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.feed import Site
from tests.networks.fakes.hub import Hub

_TOPIC = "https://cafe.example/feed.xml"
_NAMESPACES = "xmlns='http://www.w3.org/2005/Atom' xmlns:at='http://purl.org/atompub/tombstones/1.0'"
_CHALLENGE = {"hub.mode": "subscribe", "hub.topic": _TOPIC, "hub.challenge": "c/h=a", "hub.lease_seconds": "864000"}
_FEED = {"content-type": "application/atom+xml"}


def _sign(key: str, body: bytes, at: datetime, number: int) -> Mapping[str, str]:
    return {"x-hub-signature": f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}", **_FEED}


def _shake(name: str, status: int, body: bytes | None, *, topic: str | None = _TOPIC, **changed: str) -> Handshake:
    query = {key: changed.get(key.partition(".")[2], value) for key, value in _CHALLENGE.items()}
    return Handshake(name, RawRequest("GET", {}, query, b"", NOW), Secret(("k",), topic), status, body)


def _name(number: int) -> str:
    return f"tag:cafe.example,2026:{number}"


def _document(*entries: str) -> bytes:
    return f"<feed {_NAMESPACES}><title>Café Parvis</title>{''.join(entries)}</feed>".encode()


def _write(events: Sequence[Event]) -> Written:
    return Written(_document(*(_entry(event) for event in events)), _FEED)


def _entry(event: Event) -> str:
    if event.verb is Verb.DELETED:
        return f"<at:deleted-entry ref='{_name(event.number)}' when='{event.at.isoformat()}'/>"
    if event.verb is Verb.UNKNOWN:
        return "<entry><hologram/></entry>"
    edited = event.verb is Verb.EDITED
    published = event.at - timedelta(minutes=3) if edited else event.at
    told = "the day after" if event.verb is Verb.BROKEN else published.isoformat()
    return (
        f"<entry><id>{_name(event.number)}</id><published>{told}</published><updated>{event.at.isoformat()}</updated>"
        f"<content>{escape(event.text)}</content></entry>"
    )


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    site, hub = Site(), Hub(asks_back="never")
    line = Line(site)
    said: list[str] = []
    async with serving(line) as port, serving(hub) as hubs, guarded(send_timeout_seconds=1) as http:
        address, hub_address = f"http://127.0.0.1:{port}/feed", f"http://127.0.0.1:{hubs}/"
        login = Login(address, address, {"username": "parvis", "password": "the-feeds-password"})
        world = World(line, http, login, login, hook=HookAddress("http://127.0.0.1:1/hook", "s3cret-of-the-hook"))
        link = {"link": f'<{hub_address}>; rel="hub", <{address}>; rel="self"'}

        def publish() -> None:
            told = ("parvis", "the-feeds-password")
            site.put("/feed", _document(*said), headers=link, content_type=_FEED["content-type"], login=told)

        async def say(text: str) -> str:
            number = len(said) + 1
            said.insert(0, _entry(Event(Verb.SAID, number, datetime.now(UTC), text)))
            publish()
            return _name(number)

        async def subscribed() -> bool:
            return [form["hub.secret"] for form in hub.requests] == ["s3cret-of-the-hook"]

        def revoke() -> None:
            world.login = replace(login, credentials={"username": "parvis", "password": "another-password"})

        publish()
        world.say, world.subscribed, world.revoke = say, subscribed, revoke
        yield world


def _polling(name: str, reply: Reply, error: type, after: timedelta | None = None) -> Failure:
    return Failure(name, Call.POLL, replace(reply, headers={**_FEED, **reply.headers}), error, after)


FEED = Specimen(
    connector=Feed(),
    channel=_TOPIC,
    name=_name,
    write=_write,
    vectors=(("", 0, "characters"), ("é👩‍👩‍👧", 6, "characters"), ("https://example.be/", 19, "characters")),
    longest=("x" * 100_000, "x" * 100_001),
    pushing=Pushing(
        keys=("key-one", "key-two"),
        sign=_sign,
        signed_headers=("x-hub-signature",),
        header="x-hub-signature",
        digest=lambda _: slice(7, None),
        handshakes=(
            _shake("right", 200, b"c/h=a"),
            _shake("another topic", 404, None, topic="https://cafe.example/other.xml"),
            _shake("a hook that asked for nothing", 404, None, topic=None),
            _shake("unsubscribing", 404, None, mode="unsubscribe"),
            _shake("no challenge", 404, None, challenge=""),
            _shake("denied", 200, None, mode="denied"),
        ),
    ),
    world=_world,
    failures=(
        _polling("too fast", Reply(429, headers={"retry-after": "120"}), RateLimited, timedelta(seconds=120)),
        _polling("no login", Reply(401), LoginDead),
        _polling("not there", Reply(404), Unavailable),
        _polling("gone", Reply(410), Gone),
        _polling("redirect", Reply(302, headers={"location": "/feed"}), Unavailable),
        _polling("server error", Reply(500, b"oops"), Unavailable),
        _polling("html", Reply(200, b"<html>hello</html>", {"content-type": "text/html"}), Unavailable),
        _polling("half", Reply(200, b"<fee"), Unavailable),
        _polling("empty", Reply(200), Unavailable),
        _polling("error inside", Reply(200, b'{"error": "busy"}', {"content-type": "application/json"}), Unavailable),
        _polling("cut off", Reply(200, _document(_entry(Event(Verb.SAID, 1))), cut=True), Unavailable),
        _polling("no answer in time", Reply(200, after_seconds=2), Unavailable),
    ),
    echo=lambda words: Reply(403, words.encode(), _FEED),
    recorded=frozenset({Capability.POLL}),
    real=frozenset({Capability.WEBHOOKS, Capability.SUBSCRIBE}),
    real_by="Flask-WebSub's hub",
)
