"""Mastodon, and what speaks its interface: an account's notifications, its own statuses, hashtags and searches.

Nothing is pushed: streaming and web push are not used.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import httpx

from shared.connectors import (
    mastodon_backfill,
    mastodon_check,
    mastodon_hearing,
    mastodon_media,
    mastodon_poll,
    mastodon_recheck,
    mastodon_saying,
    mastodon_search,
    mastodon_sending,
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

# Mastodon's own; an instance may allow more, and says so (`mastodon_check.limits`).
MAX_TEXT = 500
ADDRESS_COUNTS = 23

_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_ELSEWHERE = re.compile(r"(?<![\w/@])(@\w+(?:[.-]+\w+)*)@\w[\w.-]*\w(?::\d+)?")


class Mastodon:
    """An account on an instance. Ids are each instance's own, and what is seen is what this account may see."""

    network: ClassVar[Network] = Network.MASTODON
    card: ClassVar[Card] = Card(
        network=Network.MASTODON,
        label="Mastodon",
        capabilities=frozenset(
            {
                Capability.POLL,
                Capability.FETCH,
                Capability.PUBLISH,
                Capability.FIND,
                Capability.MEASURE,
                Capability.CHECK,
                Capability.IDENTIFY,
                Capability.RECHECK,
                Capability.BACKFILL,
                Capability.SEARCH,
            }
        ),
        shared_ids=False,
        credentials_required=("access_token",),
        needs_base_url=True,
        hears=frozenset({MentionKind.POST, MentionKind.REPLY, MentionKind.MESSAGE}),
        follows_terms=True,
        recheck_at_once=mastodon_recheck.AT_ONCE,
        most_media=mastodon_media.MOST,
        effects=mastodon_sending.EFFECTS,
        prepares=Preparing.WITH_MEDIA,
        media=mastodon_media.LIMITS,
        mixes_media=False,
        audiences=mastodon_saying.AUDIENCES,
    )

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        return None

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        raise BadSignature("Mastodon signs no deliveries: this channel is polled")

    def key(self, request: RawRequest) -> str:
        return hashlib.sha256(request.body).hexdigest()

    def route(self, arrival: RawArrival) -> list[Part]:
        raise BadPayload("Mastodon delivers nothing to an app's hook")

    def parse(self, part: RawPart) -> Parsed:
        return mastodon_hearing.hear(part)

    def new_secret(self) -> str:
        return secrets.token_hex(32)

    def count(self, text: str) -> Length:
        """Characters, every address as 23, and of somebody elsewhere only the name. A content warning counts too."""
        counted = _ELSEWHERE.sub(r"\1", _ADDRESS.sub("x" * ADDRESS_COUNTS, text))
        return Length(len(counted), MAX_TEXT, "characters")

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        return await mastodon_check.identify(http, login)

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        return await mastodon_poll.poll(http, login, cursor)

    async def backfill(self, http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
        return await mastodon_backfill.backfill(http, login, since, cursor)

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
        return await mastodon_recheck.fetch(http, login, pointer)

    async def search(
        self, http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
    ) -> Page:
        return await mastodon_search.search(http, login, words, cursor, since)

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        return await mastodon_recheck.recheck(http, login, external_ids)

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        return await mastodon_recheck.measure(http, login, external_ids)

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        return await mastodon_check.check(http, login)

    async def prepare(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
        return await mastodon_media.prepare(http, login, outgoing, files)

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        return await self._way(outgoing).send(http, login, outgoing)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        return await self._way(outgoing).find(http, login, outgoing)

    def _way(self, outgoing: OutgoingEffect) -> mastodon_sending.Way:
        way = mastodon_sending.WAYS.get(outgoing.kind)
        if way is None:
            raise outcome.cannot(self.card, outgoing.kind)
        return way

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        raise outcome.cannot(self.card, Capability.RENEW)

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription:
        raise outcome.cannot(self.card, Capability.SUBSCRIBE)
