"""Facebook Pages: Meta's webhooks, and a page on a Graph API on loopback. What is Meta's serves Instagram too."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from shared.connectors.facebook import Facebook
from shared.connectors.graph import listed
from shared.contract import Capability, HookAddress, Login, Pointer, RawRequest, Secret, Target
from shared.models.enums import MentionKind
from tests.connectors import graph_rig
from tests.connectors.conformance.line import Line
from tests.connectors.conformance.specimen import (
    NOW,
    Event,
    Handshake,
    Pushing,
    Shown,
    Specimen,
    Verb,
    World,
    Written,
)
from tests.connectors.loopback import guarded, serving
from tests.connectors.specimens.graph_failures import ECHO, GRAPH_ANSWERS, GRAPH_SENDING
from tests.networks.fakes.graph import FakeGraph, Token
from tests.networks.fakes.graph_world import World as People

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

        async def published() -> list[str]:
            return [one.values["id"] for one in people.shown(graph_rig.PAGE, "published_posts")]

        async def shown(external_id: str) -> Shown | None:
            return _shown(people, external_id)

        async def target(external_id: str) -> Target:
            author = people.things[external_id].values["from"]["id"]
            return Target(external_id, MentionKind.POST, author, external_id)

        async def blocked(person: str) -> bool:
            return person in people.things[graph_rig.PAGE].edges.get("blocked", [])

        world = World(line, http, login, login, say, edit, delete, subscribed=subscribed)
        world.published, world.shown, world.target, world.blocked = published, shown, target, blocked
        world.hook = HookAddress("http://127.0.0.1:1/hook", "s3cret-of-the-hook", "verify")
        world.revoke = fake.tokens.clear
        yield world


def _shown(people: People, external_id: str) -> Shown | None:
    thing = people.things.get(external_id)
    if thing is None:
        return None
    told = thing.values
    above = next((name for name, one in people.things.items() if external_id in one.edges.get("comments", [])), None)
    parent = told["parent"]["id"] if "parent" in told else above
    attached = told.get("attachments", {}).get("data", [])
    parts = [part for one in attached for part in (listed(one.get("subattachments")) or [one])]
    names = [str(target.get("id")) for part in parts if isinstance(target := part.get("target"), dict)]
    alts = [people.things[name].values["alt_text_custom"] for name in names]
    return Shown(told.get("message", ""), parent, tuple(alts), told["is_hidden"], told.get("liked", False))


HANDSHAKES = _handshakes()

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
    failures=(*GRAPH_ANSWERS, *GRAPH_SENDING),
    echo=ECHO,
    pointer=lambda external_id: Pointer(external_id, "post"),
    later=graph_rig.aged,
    recorded=frozenset({Capability.WEBHOOKS, Capability.APP_WEBHOOKS, Capability.POLL, Capability.MEASURE}),
)
