"""Feeds: RSS, Atom, RDF and JSON Feed, polled, and pushed by WebSub where a feed names a hub."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import httpx

from shared.connectors import feed_checking, feed_fetching, feed_reading, feed_text, feed_websub, outcome
from shared.connectors.feed_entries import Place
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
    RawArrival,
    RawPart,
    RawRequest,
    Secret,
    Sent,
    Subscription,
)
from shared.errors import BadPayload
from shared.models.enums import MentionKind, Network

LONGEST_ID = 500  # characters of a channel's external_id


class Feed:
    """One feed a channel. What it publishes are articles."""

    network: ClassVar[Network] = Network.FEED
    card: ClassVar[Card] = Card(
        network=Network.FEED,
        label="Feed",
        capabilities=frozenset(
            {
                Capability.WEBHOOKS,
                Capability.POLL,
                Capability.SUBSCRIBE,
                Capability.CHECK,
                Capability.IDENTIFY,
            }
        ),
        # A guid may be as short as “17”: it means something within its feed only.
        shared_ids=False,
        credentials_optional=("username", "password"),
        needs_base_url=True,
        hears=frozenset({MentionKind.ARTICLE}),
        poll_every=timedelta(minutes=5),
        pushes_everything=False,
    )

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        return feed_websub.handshake(request, secret)

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        """None: a hub signs the body, and no time."""
        return feed_websub.verify(request, secret)

    def key(self, request: RawRequest) -> str:
        """The body's digest: a hub gives a delivery no id, and repeats it byte for byte."""
        return "push:" + hashlib.sha256(request.body).hexdigest()

    def route(self, arrival: RawArrival) -> list[Part]:
        raise BadPayload("a feed's hook belongs to one channel")

    def parse(self, part: RawPart) -> Parsed:
        """The articles in it. Relative addresses are the final address's where it was polled, else the channel's."""
        if not part.body.strip():
            return Parsed(ignored=("an empty push: the feed is polled",))
        headers = {name.lower(): value for name, value in part.headers.items()}
        address = headers.get("content-location") or part.channel_external_id
        return feed_reading.read(part.body, headers.get("content-type", ""), Place(address, part.stamp)).parsed

    def new_secret(self) -> str:
        """Shorter than 200 bytes, as WebSub wants it."""
        return secrets.token_hex(32)

    def count(self, text: str) -> Length:
        return Length(len(text), feed_text.MAX_TEXT, "characters")

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
        raise outcome.cannot(self.card, Capability.FETCH)

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        """The feed at the address that was given, or that the web page there names."""
        address, feed = await feed_fetching.find(http, login)
        external_id = address if len(address) <= LONGEST_ID else hashlib.sha256(address.encode()).hexdigest()
        return Choice(external_id, feed.title or httpx.URL(address).host, login.credentials, base_url=address)

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        return await feed_fetching.poll(http, login, cursor)

    async def backfill(self, http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
        raise outcome.cannot(self.card, Capability.BACKFILL)

    async def search(
        self, http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
    ) -> Page:
        raise outcome.cannot(self.card, Capability.SEARCH)

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        raise outcome.cannot(self.card, Capability.RECHECK)

    async def prepare(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
        raise outcome.cannot(self.card, Capability.PUBLISH)

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        raise outcome.cannot(self.card, Capability.PUBLISH)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        raise outcome.cannot(self.card, Capability.FIND)

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        raise outcome.cannot(self.card, Capability.MEASURE)

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        raise outcome.cannot(self.card, Capability.RENEW)

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription | None:
        return await feed_websub.subscribe(http, login, hook)

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        return await feed_checking.check(http, login)
