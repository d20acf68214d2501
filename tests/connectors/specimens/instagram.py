"""Instagram: comments by Meta's webhooks, and an account on a Graph API on loopback."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from shared.connectors.instagram import Instagram
from shared.connectors.instagram_changes import MENTIONED_COMMENT
from shared.contract import Capability, HookAddress, Login, Pointer, Target
from shared.models.enums import MentionKind
from tests.connectors import graph_rig
from tests.connectors.conformance.line import Line
from tests.connectors.conformance.specimen import Event, Pushing, Shown, Specimen, Verb, World, Written
from tests.connectors.loopback import guarded, serving
from tests.connectors.specimens.facebook import HANDSHAKES, graph, sign
from tests.connectors.specimens.graph_failures import ECHO, GRAPH_ANSWERS, GRAPH_SENDING
from tests.networks.fakes.graph import Token


def _write(events: Sequence[Event]) -> Written:
    return Written(_several({"1001": events}))


def _several(told: Mapping[str, Sequence[Event]]) -> bytes:
    entries = [
        {"id": account, "time": int(event.at.timestamp()), **_told(event)}
        for account, events in told.items()
        for event in events
    ]
    return json.dumps({"object": "instagram", "entry": entries}).encode()


def _told(event: Event) -> Mapping[str, object]:
    """Messages: of what is said on Instagram, they alone are told of when they are edited or taken back."""
    if event.verb is Verb.UNKNOWN:
        return {"changes": [{"field": "holograms", "value": {"id": str(event.number)}}]}
    milliseconds = int(event.at.timestamp() * 1000)
    place = {"sender": {"id": "771"}, "recipient": {"id": "1001"}, "timestamp": milliseconds}
    mid = None if event.verb is Verb.BROKEN else f"m_{event.number}"
    if event.verb is Verb.EDITED:
        return {"messaging": [{**place, "message_edit": {"mid": mid, "text": event.text, "num_edit": 1}}]}
    if event.verb is Verb.DELETED:
        return {"messaging": [{**place, "message": {"mid": mid, "is_deleted": True}}]}
    return {"messaging": [{**place, "message": {"mid": mid, "text": event.text}}]}


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    fake = graph()
    fake.tokens = {graph_rig.ACCOUNT_TOKEN: Token(graph_rig.ACCOUNT)}
    line = Line(fake)
    people = fake.world
    async with serving(line) as port, guarded(send_timeout_seconds=1) as http:
        fake.url = f"http://127.0.0.1:{port}"
        base = f"{fake.url}/graph.instagram.com/v26.0"
        credentials = {"access_token": graph_rig.ACCOUNT_TOKEN, "app_secret": graph_rig.SECRET}
        login = Login(graph_rig.ACCOUNT, base, credentials, expires_at=datetime.now(UTC) + timedelta(days=50))
        medium = people.medium(graph_rig.ACCOUNT, "Nouvelle carte d'automne")

        async def say(text: str) -> str:
            return people.remark(medium, f"@cafe.parvis {text}")

        async def delete(external_id: str) -> None:
            people.delete(external_id)

        async def subscribed() -> bool:
            return bool(fake.apps)

        async def published() -> list[str]:
            return [one for one in people.named(graph_rig.ACCOUNT, "media") if one != medium]

        async def shown(external_id: str) -> Shown | None:
            thing = people.things.get(external_id)
            if thing is None:
                return None
            told = thing.values
            if thing.kind == "medium":
                return Shown(told.get("caption", ""), media=tuple(told["alts"]))
            return Shown(told["text"], told.get("parent_id") or told["media"]["id"], hidden=told["hidden"])

        async def target(external_id: str) -> Target:
            author = people.things[external_id].values["from"]["id"]
            return Target(external_id, MentionKind.COMMENT, author, medium)

        world = World(line, http, login, login, say, delete=delete, subscribed=subscribed)
        world.published, world.shown, world.target = published, shown, target
        world.hook = HookAddress("http://127.0.0.1:1/hook", "s3cret-of-the-hook", "verify")
        world.revoke = fake.tokens.clear
        yield world


INSTAGRAM = Specimen(
    connector=Instagram(),
    channel="1001",
    name=lambda number: f"m_{number}",
    write=_write,
    vectors=(("", 0, "characters"), ("é👩‍👩‍👧", 6, "characters"), ("https://example.be/", 19, "characters")),
    longest=("x" * 2_200, "x" * 2_201),
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
    deletes_posts=False,
    echo=ECHO,
    pointer=lambda external_id: Pointer(external_id, MENTIONED_COMMENT),
    later=graph_rig.aged,
    recorded=frozenset({Capability.WEBHOOKS, Capability.POLL, Capability.FETCH, Capability.MEASURE}),
)
