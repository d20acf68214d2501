"""Our own signed JSON, for anything that has no connector: Standard Webhooks in, Standard Webhooks out."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

import httpx
import orjson

from shared.connectors import generic_envelope, outcome, standard_webhooks
from shared.connectors.reading import identifier, web_address
from shared.contract import (
    Answer,
    Capability,
    Card,
    Certainty,
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
    read_json,
    storable,
)
from shared.errors import BadPayload, NetworkError, Refused, Uncertain
from shared.models.enums import Network, OutgoingKind

LONGEST_KEY = 200
LONGEST_ID_BYTES = 1000  # of a post of ours: its id is indexed

# Statuses by which a receiver certainly did not take the post. 400 and 409 are looked up: both are also given to a
# second delivery of what the first one did.
_REFUSED = frozenset({403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 501})


class Generic:
    """Anything that can send or receive a signed JSON request."""

    network: ClassVar[Network] = Network.GENERIC
    card: ClassVar[Card] = Card(
        network=Network.GENERIC,
        label="Generic webhook",
        capabilities=frozenset({Capability.WEBHOOKS, Capability.PUBLISH, Capability.FIND, Capability.CHECK}),
        effects={OutgoingKind.PUBLISH: Certainty.LOOKED_UP},
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

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        raise outcome.cannot(self.card, Capability.RECHECK)

    async def prepare(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
        raise outcome.cannot(self.card, Capability.PUBLISH)

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        if outgoing.kind not in self.card.effects:
            raise outcome.cannot(self.card, outgoing.kind)
        url, secret = _receiver(login)
        post = {
            "id": outgoing.thing_id,
            "text": outgoing.text,
            "media": [{"url": item.url, "kind": item.kind, "alt": item.alt} for item in outgoing.media],
            "parent_id": outgoing.parent_external_id,
        }
        body = orjson.dumps({"type": "post.publish", "post": post})
        headers = _signed(secret, outgoing.id, body)
        response = await outcome.act(http, "generic", "POST", url, headers=headers, content=body)
        if response.is_success:
            return _sent(response, outgoing)
        raise outcome.failure("generic", response, _REFUSED)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        try:
            response = await _look_up(http, login, outgoing.id)
        except NetworkError as error:
            raise Uncertain("generic", f"it could not be looked up: {error.message}") from error
        if response.status_code == 200:
            return _sent(response, outgoing)
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
            response = await _look_up(http, login, "parvis-self-test")
        except NetworkError as error:
            return [Finding(False, error.code, error.message, "check the channel's url and secret")]
        if response.status_code == 404:
            return [Finding(True, "reachable", "the receiver answers, and says which posts it does not have")]
        message = f"the receiver answered {response.status_code} when it was asked for a post that it can't have"
        return [Finding(False, "look_up", message, "let GET {url}/{webhook-id} answer 404 for unknown ids")]


def _receiver(login: Login) -> tuple[str, str]:
    url, secret = login.credentials.get("url"), login.credentials.get("secret")
    if not url or not secret:
        raise Refused("generic", "this channel only hears: to publish it needs the credentials “url” and “secret”")
    return url, secret


async def _look_up(http: httpx.AsyncClient, login: Login, outgoing_id: str) -> httpx.Response:
    url, secret = _receiver(login)
    try:
        base = httpx.URL(url)
        place = str(base.copy_with(path=f"{base.path.rstrip('/')}/{outgoing_id}"))
    except httpx.InvalidURL as error:
        raise Refused("generic", f"this is not an address: {error}") from None
    headers = _signed(secret, outgoing_id, b"")
    return await outcome.ask(http, "generic", place, headers=headers)


def _sent(response: httpx.Response, outgoing: OutgoingEffect) -> Sent:
    """What the receiver calls the post; live under our own id where it does not say."""
    try:
        answer = read_json(response.content)
    except BadPayload:
        answer = None
    if not isinstance(answer, dict):
        return Sent(outgoing.id)
    external_id = identifier(answer.get("id"))
    if external_id is None or len(external_id.encode()) > LONGEST_ID_BYTES:
        external_id = outgoing.id
    return Sent(external_id, web_address(answer.get("url")))


def _signed(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    try:
        return standard_webhooks.sign(secret, message_id, body, datetime.now(UTC))
    except ValueError:
        raise Refused("generic", "the credential “secret” is not whsec_ followed by base64") from None
