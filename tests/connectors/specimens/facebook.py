"""Facebook Pages: Meta's webhooks, and a page on a Graph API on loopback. What is Meta's serves Instagram too."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from shared.connectors.facebook import Facebook
from shared.contract import Capability, HookAddress, Login, Pointer, RawRequest, Secret
from shared.errors import LoginDead, NetworkError, RateLimited, Refused, Unavailable
from tests.connectors import graph_rig
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
from tests.networks.fakes.graph import FakeGraph, Token

_TOKEN = "our verify token é"
_SECRET = Secret((), _TOKEN)
_VERBS = {Verb.EDITED: "edited", Verb.DELETED: "remove"}


def sign(key: str, body: bytes, at: datetime, number: int) -> Mapping[str, str]:
    """Meta's signature: no id and no time go with it."""
    return {"x-hub-signature-256": f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"}


def _handshakes() -> tuple[Handshake, ...]:
    """Meta's challenge, and the ways to get it wrong."""
    right = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": _TOKEN}

    def shake(name: str, status: int, body: bytes | None, secret: Secret = _SECRET, **changed: str) -> Handshake:
        query = {key: changed.get(key.partition(".")[2], value) for key, value in right.items()}
        return Handshake(name, RawRequest("GET", {}, query, b"", NOW), secret, status, body)

    return (
        shake("right", 200, b"1158201444"),
        shake("another token", 403, None, verify_token="another"),
        shake("no token", 403, None, verify_token=""),
        shake("another mode", 403, None, mode="unsubscribe"),
        shake("a hook without a token", 403, None, Secret(()), verify_token=""),
    )


def _write(events: Sequence[Event]) -> Written:
    return Written(_several({"1001": events}))


def _several(told: Mapping[str, Sequence[Event]]) -> bytes:
    entries = [
        {"id": page, "time": int(event.at.timestamp()), "changes": [_change(event, page)]}
        for page, events in told.items()
        for event in events
    ]
    return json.dumps({"object": "page", "entry": entries}).encode()


def _change(event: Event, page: str) -> object:
    published = event.at - timedelta(minutes=3) if event.verb is Verb.EDITED else event.at
    if event.verb is Verb.UNKNOWN:
        return {"field": "feed", "value": {"item": "hologram", "verb": "add", "hologram_id": f"1_{event.number}"}}
    value = {
        "item": "comment",
        "verb": _VERBS.get(event.verb, "add"),
        "comment_id": None if event.verb is Verb.BROKEN else f"1_{event.number}",
        "post_id": f"{page}_1",
        "parent_id": f"{page}_1",
        "from": {"id": "7001", "name": "Léa"},
        "message": event.text,
        "created_time": int(published.timestamp()),
    }
    if event.verb is Verb.EDITED:
        value["edited_time"] = int(event.at.timestamp())
    return {"field": "feed", "value": value}


def graph() -> FakeGraph:
    """A Graph API with the page and the account of the tests."""
    fake = FakeGraph()
    fake.world.account(graph_rig.ACCOUNT, "cafe.parvis", name="Café Parvis")
    fake.world.page(graph_rig.PAGE, "Café Parvis")
    return fake


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    fake = graph()
    fake.tokens = {graph_rig.PAGE_TOKEN: Token(graph_rig.PAGE)}
    line = Line(fake)
    people = fake.world
    async with serving(line) as port, guarded(send_timeout_seconds=1) as http:
        fake.url = f"http://127.0.0.1:{port}"
        base = f"{fake.url}/graph.facebook.com/v26.0"
        credentials = {"access_token": graph_rig.PAGE_TOKEN, "app_secret": graph_rig.SECRET}
        login = Login(graph_rig.PAGE, base, credentials)

        async def say(text: str) -> str:
            return people.post(graph_rig.PAGE, text, ("771", "Léa"), at=datetime.now(UTC))

        async def edit(external_id: str, text: str) -> None:
            people.things[external_id].values["message"] = text

        async def delete(external_id: str) -> None:
            people.delete(external_id)

        async def subscribed() -> bool:
            return bool(fake.apps)

        world = World(line, http, login, login, say, edit, delete, subscribed=subscribed)
        world.hook = HookAddress("http://127.0.0.1:1/hook", "s3cret-of-the-hook", "verify")
        world.revoke = fake.tokens.clear
        yield world


def _polling(name: str, reply: Reply, error: type[NetworkError], after: timedelta | None = None) -> Failure:
    return Failure(name, Call.POLL, reply, error, after)


def _coded(name: str, code: int, error: type[NetworkError], *, status: int = 400, subcode: int = 0) -> Failure:
    return _polling(f"{name}, {code}", Reply(status, _error(code, subcode)), error)


def _error(code: int, subcode: int = 0, words: str = "…") -> bytes:
    told = {"message": words, "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "AbC"}
    return json.dumps({"error": told}).encode()


ECHO = lambda words: Reply(400, _error(100, words=words))  # noqa: E731 - a specimen's field, shared by two
HANDSHAKES = _handshakes()
GRAPH_ANSWERS = (
    _polling("too fast", Reply(429, _error(4), {"retry-after": "7"}), RateLimited, timedelta(seconds=7)),
    *(_coded("too fast", code, RateLimited) for code in (4, 17, 32, 341, 613, 80_001, 80_008)),
    _coded("too fast, by its subcode", 368, RateLimited, subcode=1390008),
    _polling("no login", Reply(401, _error(190)), LoginDead),
    *(_coded("no login", code, LoginDead) for code in (190, 102)),
    *(_coded("no login", 190, LoginDead, subcode=subcode) for subcode in (458, 459, 460, 463, 464, 467)),
    _polling("refused", Reply(400, _error(100)), Refused),
    *(_coded("refused", code, Refused, status=403) for code in (10, 200, 299, 368, 506, 1_609_005)),
    _polling("redirect", Reply(302, headers={"location": "https://elsewhere.example/"}), Refused),
    _polling("server error", Reply(500, b"oops"), Unavailable),
    *(_coded("later", code, Unavailable) for code in (1, 2)),
    _polling("html", Reply(200, b"<html>hello</html>"), Unavailable),
    _polling("half", Reply(200, b'{"data": [{"id'), Unavailable),
    _polling("empty", Reply(200), Unavailable),
    _polling("error inside", Reply(200, _error(2)), Unavailable),
    _polling("cut off", Reply(200, b'{"data": []}', cut=True), Unavailable),
    _polling("no answer in time", Reply(200, after_seconds=2), Unavailable),
)

FACEBOOK = Specimen(
    connector=Facebook(),
    channel="1001",
    name=lambda number: f"1_{number}",
    write=_write,
    vectors=(("", 0, "characters"), ("é👩‍👩‍👧", 6, "characters"), ("https://example.be/", 19, "characters")),
    longest=("x" * 63_206, "x" * 63_207),
    pushing=Pushing(
        keys=("app-secret-one", "app-secret-two"),
        sign=sign,
        signed_headers=("x-hub-signature-256",),
        header="x-hub-signature-256",
        digest=lambda _: slice(7, None),
        handshakes=HANDSHAKES,
        several=_several,
    ),
    world=_world,
    failures=GRAPH_ANSWERS,
    echo=ECHO,
    pointer=lambda external_id: Pointer(external_id, "post"),
    later=graph_rig.aged,
    recorded=frozenset({Capability.WEBHOOKS, Capability.APP_WEBHOOKS, Capability.POLL, Capability.MEASURE}),
)
