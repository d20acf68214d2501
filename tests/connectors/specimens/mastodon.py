"""Mastodon: an instance, polled."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.connectors.mastodon import Mastodon
from shared.connectors.mastodon_hearing import GONE
from shared.contract import Capability, Login, Pointer, Target
from shared.errors import Gone, LoginDead, RateLimited, Refused, Unavailable, Uncertain
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
from tests.networks.fakes.mastodon import Instance

_LEA = {
    "id": "9001",
    "username": "lea",
    "acct": "lea@elsewhere.example",
    "display_name": "Léa",
    "bot": False,
    "url": "https://elsewhere.example/@lea",
}


def _write(events: Sequence[Event]) -> Written:
    if [event.verb for event in events] == [Verb.DELETED]:
        return Written(b'{"error": "Record not found"}', {GONE: str(events[0].number)})
    return Written(json.dumps([_notification(event) for event in events]).encode())


def _notification(event: Event) -> object:
    published = event.at - timedelta(minutes=3) if event.verb is Verb.EDITED else event.at
    status: dict[str, object] = {
        "id": None if event.verb is Verb.BROKEN else str(event.number),
        "created_at": published.isoformat(),
        "edited_at": event.at.isoformat() if event.verb is Verb.EDITED else None,
        "in_reply_to_id": None,
        "visibility": "public",
        "spoiler_text": "",
        "language": "nl",
        "url": f"https://elsewhere.example/@lea/{event.number}",
        "content": f"<p>{event.text}</p>",
        "account": _LEA,
        "media_attachments": [],
        "favourites_count": 0,
    }
    told = {"id": str(event.number), "created_at": event.at.isoformat(), "account": _LEA}
    if event.verb is Verb.UNKNOWN:
        return {**told, "type": "hologram"}
    return {**told, "type": "update" if event.verb is Verb.EDITED else "mention", "status": status}


@asynccontextmanager
async def _world() -> AsyncIterator[World]:
    instance = Instance(now=datetime.now(UTC) - timedelta(minutes=30))
    cafe, lea = instance.join("cafe"), instance.join("lea", "elsewhere.example")
    line = Line(instance.app)
    async with serving(line) as port, guarded(send_timeout_seconds=1) as http:
        login = Login(f"{cafe}@127.0.0.1:{port}", f"http://127.0.0.1:{port}", {"access_token": instance.login(cafe)})

        async def say(text: str) -> str:
            return instance.say(lea, text, to=[cafe])

        async def edit(external_id: str, text: str) -> None:
            instance.edit(external_id, text)

        async def delete(external_id: str) -> None:
            instance.delete(external_id)

        async def published() -> list[str]:
            return [one for one, status in instance.statuses.items() if status["account"]["id"] == cafe]

        async def shown(external_id: str) -> Shown | None:
            status = instance.statuses.get(external_id)
            if status is None:
                return None
            return Shown(
                str(instance.sources.get(external_id) or status["content"]),
                status["in_reply_to_id"],
                tuple(one["description"] for one in status["media_attachments"]),
                liked=(cafe, external_id) in instance.favourites,
            )

        async def blocked(external_id: str) -> bool:
            return (cafe, external_id) in instance.blocks

        async def target(external_id: str) -> Target:
            return Target(external_id, MentionKind.POST, lea)

        given = replace(login, channel_external_id="typed-in")
        yield World(
            line, http, login, given, say, edit, delete, instance.tokens.clear,
            published, shown, blocked, target, PICTURES,
        )  # fmt: skip


def _polling(name: str, reply: Reply, error: type, after: timedelta | None = None) -> Failure:
    return Failure(name, Call.POLL, reply, error, after)


def _sending(name: str, reply: Reply, error: type, after: timedelta | None = None) -> Failure:
    return Failure(name, Call.SEND, reply, error, after)


def _says(words: str) -> bytes:
    return json.dumps({"error": words}).encode()


# A reset that is absurdly far away: an hour is the longest that anybody is left alone for.
_BUSY = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2099-11-22T09:00:30Z"}

MASTODON = Specimen(
    connector=Mastodon(),
    channel="1001",
    name=str,
    write=_write,
    vectors=(
        ("", 0, "characters"),
        ("é👩‍👩‍👧", 6, "characters"),
        ("https://example.be/" + "a" * 100, 23, "characters"),
        ("http://x.be en https://example.be/", 23 + 4 + 23, "characters"),
        ("@lea@elsewhere.example dag", 8, "characters"),
        ("@lea dag", 8, "characters"),
    ),
    longest=("x" * 500, "x" * 501),
    world=_world,
    failures=(
        _polling("too fast", Reply(429, _says("Too many requests"), _BUSY), RateLimited, timedelta(hours=1)),
        _polling("too fast, in seconds", Reply(429, headers={"retry-after": "7"}), RateLimited, timedelta(seconds=7)),
        _polling("no login", Reply(401, _says("The access token is invalid")), LoginDead),
        _polling("login disabled", Reply(403, _says("Your login is currently disabled")), LoginDead),
        _polling("outside the rights", Reply(403, _says("This action is outside the authorized scopes")), Refused),
        _polling("not there", Reply(404, _says("Record not found")), Refused),
        _polling("refused", Reply(422, _says("Validation failed")), Refused),
        _polling("gone", Reply(410), Gone),
        _polling("redirect", Reply(302, headers={"location": "https://elsewhere.example/"}), Refused),
        _polling("server error", Reply(503, b"oops"), Unavailable),
        _polling("html", Reply(200, b"<html>hello</html>"), Unavailable),
        _polling("half", Reply(200, b'[{"id": "1", "ty'), Unavailable),
        _polling("empty", Reply(200), Unavailable),
        _polling("error inside", Reply(200, _says("busy")), Unavailable),
        _polling("cut off", Reply(200, b"[]" + b" " * 100, cut=True), Unavailable),
        _polling("no answer in time", Reply(200, after_seconds=2), Unavailable),
        _sending("too fast", Reply(429, _says("Too many requests"), _BUSY), RateLimited, timedelta(hours=1)),
        _sending("no login", Reply(401, _says("The access token is invalid")), LoginDead),
        _sending("login disabled", Reply(403, _says("Your login is currently disabled")), LoginDead),
        _sending("outside the rights", Reply(403, _says("This action is outside the authorized scopes")), Refused),
        _sending("refused", Reply(422, _says("Validation failed: Text can't be blank")), Refused),
        _sending("refused without a reason", Reply(422), Uncertain),
        _sending("a bad request", Reply(400, _says("Bad request")), Uncertain),
        _sending("a bad request, done", Reply(400, _says("Bad request"), done=True), Uncertain),
        _sending("redirect", Reply(302, headers={"location": "https://elsewhere.example/"}), Refused),
        _sending("server error", Reply(500, b"oops"), Uncertain),
        _sending("server error, done", Reply(500, b"oops", done=True), Uncertain),
        _sending("html", Reply(200, b"<html>hello</html>"), Uncertain),
        _sending("html, done", Reply(200, b"<html>hello</html>", done=True), Uncertain),
        _sending("half", Reply(200, b'{"id": "1", "ty'), Uncertain),
        _sending("empty", Reply(200), Uncertain),
        _sending("error inside", Reply(200, _says("busy")), Uncertain),
        _sending("cut off", Reply(200, b"{}" + b" " * 100, cut=True), Uncertain),
        _sending("no answer in time", Reply(200, after_seconds=2), Uncertain),
        _sending("no answer in time, done", Reply(200, after_seconds=2, done=True), Uncertain),
    ),
    echo=lambda words: Reply(422, _says(words)),
    pointer=lambda external_id: Pointer(external_id, "status"),
    several_deleted=False,
    recorded=frozenset({Capability.POLL}),
    real=frozenset(Mastodon.card.capabilities - {Capability.FETCH, Capability.MEASURE, Capability.SEARCH}),
    real_by="mastodon_mock",
)
