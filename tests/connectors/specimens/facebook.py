"""Facebook Pages."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from shared.connectors.facebook import Facebook
from shared.contract import Capability, RawRequest, Secret
from tests.connectors.conformance.specimen import NOW, Event, Handshake, Pushing, Specimen, Verb, Written

_TOKEN = "our verify token é"
_SECRET = Secret((), _TOKEN)
_VERBS = {Verb.EDITED: "edited", Verb.DELETED: "remove"}


def sign(key: str, body: bytes, at: datetime, number: int) -> Mapping[str, str]:
    """Meta's signature: no id and no time go with it."""
    return {"x-hub-signature-256": f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"}


def handshakes() -> tuple[Handshake, ...]:
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
        handshakes=handshakes(),
        several=_several,
    ),
    recorded=frozenset({Capability.WEBHOOKS, Capability.APP_WEBHOOKS}),
)
