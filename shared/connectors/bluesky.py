"""Bluesky: what is said to an account and about it, and what it says, on whichever host it lives."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import httpx
import regex

from shared.connectors import (
    bluesky_check,
    bluesky_media,
    bluesky_past,
    bluesky_recheck,
    bluesky_search,
    bluesky_sending,
    bluesky_session,
    bluesky_views,
    bluesky_walk,
    outcome,
)
from shared.contract import (
    Answer,
    Capability,
    Card,
    Choice,
    Counted,
    Files,
    Finding,
    HookAddress,
    Length,
    Login,
    OutgoingEffect,
    Page,
    Parsed,
    Part,
    Pointer,
    Prepared,
    Preparing,
    RawArrival,
    RawPart,
    RawRequest,
    Secret,
    Sent,
    Subscription,
)
from shared.errors import BadPayload, BadSignature
from shared.models.enums import MentionKind, Network

MAX_GRAPHEMES = 300
MAX_BYTES = 3_000

_GRAPHEME = regex.compile(r"\X")


class Bluesky:
    """An account's notifications, its own posts, and searches."""

    network: ClassVar[Network] = Network.BLUESKY
    card: ClassVar[Card] = Card(
        network=Network.BLUESKY,
        label="Bluesky",
        capabilities=frozenset(
            {
                Capability.POLL,
                Capability.FETCH,
                Capability.PUBLISH,
                Capability.FIND,
                Capability.MEASURE,
                Capability.RENEW,
                Capability.CHECK,
                Capability.IDENTIFY,
                Capability.RECHECK,
                Capability.BACKFILL,
                Capability.SEARCH,
            }
        ),
        credentials_required=("identifier", "app_password"),
        hears=frozenset({MentionKind.POST, MentionKind.REPLY}),
        follows_terms=True,
        recheck_at_once=bluesky_recheck.AT_ONCE,
        most_media=bluesky_media.MOST,
        effects=bluesky_sending.EFFECTS,
        prepares=Preparing.WITH_MEDIA,
        media=bluesky_media.LIMITS,
        link_apart=True,
    )

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        return None

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        """Raise: Bluesky pushes nothing, so that whatever comes to a hook is not from there."""
        raise BadSignature("Bluesky sends no deliveries")

    def key(self, request: RawRequest) -> str:
        return hashlib.sha256(request.body).hexdigest()

    def route(self, arrival: RawArrival) -> list[Part]:
        raise BadPayload("what is polled from Bluesky belongs to one channel")

    def parse(self, part: RawPart) -> Parsed:
        return bluesky_views.read(part)

    def new_secret(self) -> str:
        """A key for the channel's hook, though nobody signs with it."""
        return secrets.token_hex(32)

    def count(self, text: str) -> Length:
        """A post has at most 300 graphemes and 3,000 bytes of UTF-8: the one of which more is used up."""
        graphemes = Length(sum(1 for _ in _GRAPHEME.finditer(text)), MAX_GRAPHEMES, "graphemes")
        used = len(text.encode("utf-8", "surrogatepass"))
        return Length(used, MAX_BYTES, "bytes") if used * MAX_GRAPHEMES > graphemes.used * MAX_BYTES else graphemes

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
        return await bluesky_recheck.fetch(http, login, pointer)

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        return await bluesky_session.identify(http, login)

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        return await bluesky_walk.poll(http, login, cursor)

    async def backfill(self, http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
        return await bluesky_past.backfill(http, login, since, cursor)

    async def search(
        self, http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
    ) -> Page:
        return await bluesky_search.search(http, login, words, cursor, since)

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        return await bluesky_recheck.recheck(http, login, external_ids)

    async def prepare(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
        return await bluesky_media.prepare(http, login, outgoing, files)

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        return await bluesky_sending.WAYS[outgoing.kind].send(http, login, outgoing)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        return await bluesky_sending.WAYS[outgoing.kind].find(http, login, outgoing)

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        return await bluesky_recheck.measure(http, login, external_ids)

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        return await bluesky_session.renew(http, login)

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription:
        raise outcome.cannot(self.card, Capability.SUBSCRIBE)

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        return await bluesky_check.check(http, login)
