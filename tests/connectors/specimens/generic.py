"""The generic webhook, signed by the reference library, and a partner that verifies by it."""

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from standardwebhooks import Webhook

from shared.connectors.generic import Generic
from shared.contract import Capability, Login, Target
from shared.errors import LoginDead, RateLimited, Refused, Uncertain
from shared.models.enums import MentionKind
from tests.connectors.conformance.line import Line, Reply
from tests.connectors.conformance.specimen import Call, Event, Failure, Pushing, Shown, Specimen, Verb, World, Written
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.partner import Partner

_KEYS = tuple("whsec_" + base64.b64encode(letter * 32).decode() for letter in (b"k", b"o"))


def _sign(key: str, body: bytes, at: datetime, number: int) -> Mapping[str, str]:
    signature = Webhook(key).sign(f"msg_{number}", at, body.decode())
    return {
        "webhook-id": f"msg_{number}",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def _write(events: Sequence[Event]) -> Written:
    said = [_mention(event) for event in events if event.verb is not Verb.DELETED]
    deleted = [str(event.number) for event in events if event.verb is Verb.DELETED]
    return Written(json.dumps({"mentions": said, "deleted": deleted}).encode())


def _mention(event: Event) -> object:
    published = event.at - timedelta(minutes=3) if event.verb is Verb.EDITED else event.at
    return {
        "id": str(event.number),
        "kind": "shout" if event.verb is Verb.UNKNOWN else "comment",
        "text": ["not a text"] if event.verb is Verb.BROKEN else event.text,
        "author": {"id": "7", "name": "Léa"},
        "published_at": published.isoformat(),
        "edited_at": event.at.isoformat() if event.verb is Verb.EDITED else None,
    }


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    partner = Partner(_KEYS[0])
    line = Line(partner)
    async with serving(line) as port, guarded(send_timeout_seconds=1) as http:
        login = Login("x", None, {"url": f"http://127.0.0.1:{port}/inbox", "secret": _KEYS[0]})

        async def published() -> list[str]:
            return [str(post["id"]) for post in partner.posts.values()]

        async def shown(external_id: str) -> Shown | None:
            found = partner.thing(external_id)
            if found is None:
                return None
            alts = tuple(item["alt"] for item in found["media"])
            return Shown(found["said"], found["beneath"], alts, found.get("hide", False), found.get("like", False))

        async def say(text: str) -> str:
            return partner.say(text)

        async def target(external_id: str) -> Target:
            return Target(external_id, MentionKind.COMMENT, "7", external_id)

        async def blocked(person: str) -> bool:
            return person in partner.blocked

        def revoke() -> None:
            partner.secret = _KEYS[1]

        world = World(line, http, login, login, published=published, revoke=revoke)
        world.shown, world.say, world.target, world.blocked = shown, say, target, blocked
        yield world


def _sending(name: str, reply: Reply, error: type | None, after: timedelta | None = None) -> Failure:
    return Failure(name, Call.SEND, reply, error, after)


GENERIC = Specimen(
    connector=Generic(),
    channel="x",
    name=str,
    write=_write,
    vectors=(("", 0, "characters"), ("é👩‍👩‍👧", 6, "characters"), ("https://example.be/", 19, "characters")),
    longest=("x" * 100_000, "x" * 100_001),
    pushing=Pushing(
        keys=(_KEYS[0], _KEYS[1]),
        sign=_sign,
        signed_headers=("webhook-id", "webhook-timestamp", "webhook-signature"),
        header="webhook-signature",
        digest=lambda _: slice(3, None),
        tolerance=timedelta(minutes=5),
    ),
    world=_world,
    failures=(
        _sending("too fast", Reply(429, headers={"retry-after": "7"}), RateLimited, timedelta(seconds=7)),
        _sending("no login", Reply(401), LoginDead),
        _sending("refused", Reply(422, b'{"error": "too long"}'), Refused),
        _sending("redirect", Reply(302, headers={"location": "https://elsewhere.example/"}), Refused),
        _sending("server error", Reply(500, b"oops"), Uncertain),
        _sending("server error, done", Reply(500, b"oops", done=True), Uncertain),
        _sending("conflict", Reply(409), Uncertain),
        # A receiver need not answer with an id: a post is known by ours then.
        _sending("html", Reply(200, b"<html>thanks</html>"), None),
        _sending("half", Reply(200, b'{"id": "x", "u'), None),
        _sending("empty", Reply(200), None),
        _sending("error inside", Reply(200, b'{"error": "no"}'), None),
        _sending("cut off", Reply(200, b'{"id": "1"}', cut=True), Uncertain),
        _sending("no answer in time", Reply(200, after_seconds=2), Uncertain),
    ),
    echo=lambda words: Reply(422, words.encode()),
    unknown_is_a_problem=True,
    real=frozenset({Capability.WEBHOOKS}),
    real_by="the standardwebhooks library",
)
