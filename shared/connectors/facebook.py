"""Facebook Pages: what Meta's webhooks say. Publishing and polling are not offered yet."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import httpx
import orjson

from shared.connectors import outcome
from shared.connectors.facebook_feed import Entry, Told, Unusable, hear_change
from shared.connectors.facebook_messages import FIELDS as MESSAGE_FIELDS
from shared.connectors.facebook_messages import hear_message
from shared.connectors.reading import identifier, unix_time
from shared.contract import (
    Answer,
    Capability,
    Card,
    Choice,
    Counted,
    Finding,
    Heard,
    HookAddress,
    Length,
    Login,
    OutgoingEffect,
    Page,
    Parsed,
    Part,
    Pointer,
    RawArrival,
    RawPart,
    RawRequest,
    Secret,
    Sent,
    Subscription,
    read_json,
)
from shared.errors import BadPayload, BadSignature, Problem
from shared.models.enums import MentionKind, Network

MAX_TEXT = 63_206
_EVENT_LISTS = ("changes", "messaging", "standby")


def _digest(app_secret: str, body: bytes) -> bytes:
    return hmac.digest(app_secret.encode(), body, "sha256").hex().encode()


def signature(app_secret: str, body: bytes) -> str:
    """The X-Hub-Signature-256 header that Facebook puts over these bytes."""
    return f"sha256={_digest(app_secret, body).decode()}"


class Facebook:
    """A Page's feed, mentions, ratings and messages."""

    network: ClassVar[Network] = Network.FACEBOOK
    card: ClassVar[Card] = Card(
        network=Network.FACEBOOK,
        label="Facebook Page",
        capabilities=frozenset({Capability.WEBHOOKS, Capability.APP_WEBHOOKS, Capability.CHECK}),
        shared_ids=True,
        credentials_required=("app_secret",),
        credentials_optional=("access_token", "verify_token"),
        secret_keyword="app_secret",  # noqa: S106 - the name of a credential, not one
        hears=frozenset(
            {
                MentionKind.POST,
                MentionKind.COMMENT,
                MentionKind.REPLY,
                MentionKind.MESSAGE,
                MentionKind.REVIEW,
                MentionKind.STORY,
            }
        ),
    )

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        """Meta asks with `hub.mode=subscribe` and wants the bare challenge back."""
        if request.method != "GET" or "hub.mode" not in request.query:
            return None
        given = request.query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
        wanted = (secret.verify_token or "").encode()
        if request.query["hub.mode"] != "subscribe" or not wanted or not hmac.compare_digest(given, wanted):
            return Answer(403, b"the verify token is wrong")
        return Answer(200, request.query.get("hub.challenge", "").encode("utf-8", "replace"))

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        """None: Meta signs the raw body by the app secret, and no time."""
        given = request.headers.get("x-hub-signature-256", "")
        if not given.startswith("sha256="):
            raise BadSignature("X-Hub-Signature-256 is required")
        signature = given[7:].lower().encode("utf-8", "surrogatepass")
        for key in secret.keys:
            if hmac.compare_digest(_digest(key, request.body), signature):
                return None
        raise BadSignature("the signature does not fit")

    def key(self, request: RawRequest) -> str:
        """The body's digest: Meta gives a delivery no id, and repeats it byte for byte."""
        return hashlib.sha256(request.body).hexdigest()

    def route(self, arrival: RawArrival) -> list[Part]:
        """One part a page; entries without a usable id stay together under none, to be kept as unattributed."""
        by_page: dict[str, list[object]] = {}
        for entry in _entries(arrival.body):
            page = identifier(entry.get("id")) if isinstance(entry, Mapping) else None
            by_page.setdefault(page or "", []).append(entry)
        return [Part(page, _canonical({"object": "page", "entry": entries})) for page, entries in by_page.items()]

    def parse(self, part: RawPart) -> Parsed:
        reading = _Reading()
        for index, entry in enumerate(_entries(part.body)):
            reading.entry(index, entry, part)
        if not reading.heard and not reading.ignored:
            raise BadPayload("nothing in it is usable" if reading.problems else "nothing in it", reading.problems)
        return Parsed(tuple(reading.heard), (), tuple(reading.ignored), tuple(reading.problems))

    def new_secret(self) -> str:
        """The form of an app secret; a real one comes from Meta."""
        return secrets.token_hex(16)

    def count(self, text: str) -> Length:
        return Length(len(text), MAX_TEXT, "characters")

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

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        raise outcome.cannot(self.card, Capability.PUBLISH)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        raise outcome.cannot(self.card, Capability.FIND)

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        raise outcome.cannot(self.card, Capability.MEASURE)

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        raise outcome.cannot(self.card, Capability.RENEW)

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription:
        raise outcome.cannot(self.card, Capability.SUBSCRIBE)

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        """What can be said without calling Meta: whether deliveries could be verified and attributed."""
        secret = bool(login.credentials.get("app_secret"))
        page = bool(login.channel_external_id)
        return [
            Finding(
                secret,
                "app_secret",
                "deliveries are verified by the app secret"
                if secret
                else "there is no app secret: every delivery is refused",
                None if secret else "give the app secret of the Meta app that sends to this hook",
            ),
            Finding(
                page,
                "page_id",
                "what the page itself says is told apart"
                if page
                else "without the page's id an app's hook can't reach this channel",
                None if page else "give the page's id as external_id",
            ),
        ]


class _Reading:
    """One delivery being read: what was heard, what was passed over, and what was wrong."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.ignored: list[str] = []
        self.problems: list[Problem] = []

    def entry(self, index: int, entry: object, part: RawPart) -> None:
        if not isinstance(entry, Mapping):
            self._wrong("an entry is an object", "entry", index)
            return
        page = identifier(entry.get("id"))
        pages = frozenset(known for known in (page, part.channel_external_id) if known)
        place = Entry(pages, unix_time(entry.get("time")) or part.stamp)
        present = [which for which in _EVENT_LISTS if entry.get(which) is not None]
        for which in present:
            self._events(place, which, entry[which], index)
        if present:
            return
        if entry.get("changed_fields"):
            self.ignored.append("changed_fields: names without values; subscribe with include_values")
        else:
            self._wrong("an entry holds changes, messaging or standby", "entry", index)

    def _events(self, place: Entry, which: str, events: object, index: int) -> None:
        if not isinstance(events, list):
            self._wrong(f"{which} is a list", "entry", index, which)
            return
        for number, event in enumerate(events):
            try:
                found = _change(place, event) if which == "changes" else hear_message(place, event)
            except Unusable as error:
                self._wrong(error.message, "entry", index, which, number, *error.path)
                continue
            self.heard.extend(fact for fact in found if not isinstance(fact, str))
            self.ignored.extend(reason for reason in found if isinstance(reason, str))

    def _wrong(self, message: str, *path: str | int) -> None:
        self.problems.append(Problem("unusable", message, path))


def _change(place: Entry, change: object) -> Told:
    if not isinstance(change, Mapping):
        raise Unusable("a change is an object")
    field = change.get("field")
    if not isinstance(field, str) or not field:
        raise Unusable("a change needs a field", "field")
    if field in MESSAGE_FIELDS:
        return hear_message(place, change.get("value"))
    return hear_change(place, field, change.get("value"))


def _entries(body: bytes) -> list[object]:
    envelope = read_json(body)
    if not isinstance(envelope, dict):
        raise BadPayload("the body is not an object")
    if envelope.get("object") != "page":
        raise BadPayload(f"object is {str(envelope.get('object'))[:40]!r}, not 'page'")
    entries = envelope.get("entry")
    if not isinstance(entries, list) or not entries:
        raise BadPayload("entry is not a list with something in it")
    return entries


def _canonical(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        pass
    # Lone surrogates, integers beyond 64 bits and deep nesting are more than the fast writer takes.
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except RecursionError:
        raise BadPayload("the body is nested too deeply") from None
