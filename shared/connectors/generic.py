"""Our own signed JSON, for anything that has no connector: Standard Webhooks in, Standard Webhooks out."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import httpx

from shared.connectors import generic_envelope, generic_sending, outcome, standard_webhooks
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
    storable,
)
from shared.errors import BadPayload, NetworkError, Uncertain
from shared.models.enums import Network

LONGEST_KEY = 200


class Generic:
    """Anything that can send or receive a signed JSON request."""

    network: ClassVar[Network] = Network.GENERIC
    card: ClassVar[Card] = Card(
        network=Network.GENERIC,
        label="Generic webhook",
        capabilities=frozenset({Capability.WEBHOOKS, Capability.PUBLISH, Capability.FIND, Capability.CHECK}),
        effects=generic_sending.EFFECTS,
        shared_ids=False,
        credentials_optional=("url", "secret"),
    )

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        return None

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        return standard_webhooks.verify(request, secret)

    def key(self, request: RawRequest) -> str:
        """The webhook-id; a very long one by its digest, so that it fits into an index."""
        message_id = request.headers.get("webhook-id", "")
        if len(message_id) > LONGEST_KEY:
            return "sha256:" + hashlib.sha256(standard_webhooks.header_bytes(message_id)).hexdigest()
        return storable(message_id)

    def route(self, arrival: RawArrival) -> list[Part]:
        raise BadPayload("a generic hook belongs to one channel")

    def parse(self, part: RawPart) -> Parsed:
        return generic_envelope.read(part.body, part.stamp)

    def new_secret(self) -> str:
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()

    def count(self, text: str) -> Length:
        return Length(len(text), generic_envelope.MAX_TEXT, "characters")

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
        raise outcome.cannot(self.card, Capability.FETCH)

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        raise outcome.cannot(self.card, Capability.POLL)

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        raise outcome.cannot(self.card, Capability.IDENTIFY)

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
        return await generic_sending.send(http, login, outgoing)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        try:
            response = await generic_sending.look_up(http, login, outgoing.id)
        except NetworkError as error:
            raise Uncertain("generic", f"it could not be looked up: {error.message}") from error
        if response.status_code == 200:
            return generic_sending.sent(response, outgoing)
        if response.status_code == 404:
            return None
        raise Uncertain("generic", f"looking it up was answered with status {response.status_code}")

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        raise outcome.cannot(self.card, Capability.MEASURE)

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        raise outcome.cannot(self.card, Capability.RENEW)

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription:
        raise outcome.cannot(self.card, Capability.SUBSCRIBE)

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        """Ask the receiver for a post that was never sent: only 404 shows that it can settle a doubt."""
        if not login.credentials.get("url"):
            return [Finding(True, "hears_only", "this channel hears; with a url and a secret it can publish too")]
        try:
            response = await generic_sending.look_up(http, login, "parvis-self-test")
        except NetworkError as error:
            return [Finding(False, error.code, error.message, "check the channel's url and secret")]
        if response.status_code == 404:
            return [Finding(True, "reachable", "the receiver answers, and says which posts it does not have")]
        message = f"the receiver answered {response.status_code} when it was asked for a post that it can't have"
        return [Finding(False, "look_up", message, "let GET {url}/{webhook-id} answer 404 for unknown ids")]
