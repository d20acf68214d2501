"""What a network must be able to say of itself, and the neutral forms that pass between connectors and the domain.

A connector is one file in `shared/connectors`. It knows neither the database nor another connector. Its pure half turns
bytes into facts (`Heard`); its other half talks to the network through the client that it is handed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol

import httpx
import orjson

from shared.errors import BadPayload, Problem
from shared.models.enums import AuthorKind, MentionKind, Network, OutgoingKind, Visibility

# ---------------------------------------------------------------- what comes in


class RawRequest(NamedTuple):
    """A request at the door, as it came. Header names are lower case; the body is the exact bytes."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Secret:
    """What a hook shares with its network: signing keys, newest first (rotation), and the handshake's token."""

    keys: tuple[str, ...]
    verify_token: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door says back to a network."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class RawArrival:
    """One raw thing received, polled or fetched. `key` is the delivery's own identity, unique within its hook."""

    key: str
    body: bytes
    stamp: datetime  # the signed time of the delivery, else of receiving or fetching
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """The slice of an arrival that concerns one channel, by the id under which the network knows it."""

    channel_external_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class RawPart:
    """A part on its way to `parse`; `channel_external_id` is the channel that it is attributed to."""

    channel_external_id: str
    body: bytes
    stamp: datetime


# ---------------------------------------------------------------- what was heard


@dataclass(frozen=True, slots=True)
class Author:
    """An account on a network, as a payload names it."""

    external_id: str
    handle: str | None = None
    name: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class MediaDraft:
    url: str
    kind: str
    alt: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One version of a mention. `stamp` is the delivery's; `published_at` is None where the payload does not say."""

    external_id: str
    kind: MentionKind
    stamp: datetime
    text: str | None = None
    author: Author | None = None
    author_kind: AuthorKind = AuthorKind.UNKNOWN
    published_at: datetime | None = None
    edited_at: datetime | None = None
    url: str | None = None
    parent_external_id: str | None = None
    language: str | None = None
    rating: float | None = None
    media: tuple[MediaDraft, ...] = ()
    visibility: Visibility = Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class Deleted:
    """The mention is gone on the network; final, before or after its creation."""

    external_id: str
    stamp: datetime


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody's reaction to a mention, given or (`on=False`) taken back. One a person and mention."""

    external_id: str
    actor_external_id: str
    reaction: str
    on: bool
    stamp: datetime


@dataclass(frozen=True, slots=True)
class Hidden:
    """The mention was hidden or shown again on the network; it still exists."""

    external_id: str
    hidden: bool
    stamp: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """The network's own counters of a mention at `stamp`; None is unknown, not zero."""

    external_id: str
    stamp: datetime
    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None


Heard = Said | Deleted | Reacted | Hidden | Counted


@dataclass(frozen=True, slots=True)
class Pointer:
    """Something that was only named and must be fetched; what comes back is an arrival."""

    external_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a part said: facts, things to fetch, what was knowingly passed over (a reason each), and what was wrong.

    A `Problem`'s path starts with the index of the bad item; its neighbours stand.
    """

    heard: tuple[Heard, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    ignored: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


# ---------------------------------------------------------------- what goes out


@dataclass(frozen=True, slots=True)
class Login:
    """What a connector needs to act for a channel. Never logged."""

    channel_external_id: str
    base_url: str | None
    credentials: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutgoingEffect:
    """One effect to bring about. `id` is the receiver's idempotency key where it takes one."""

    id: str
    kind: OutgoingKind
    text: str
    thing_id: str  # what is brought about: the post
    media: tuple[MediaDraft, ...] = ()
    parent_external_id: str | None = None
    first_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The effect is live."""

    external_id: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What one poll brought, and where the next one starts. `more`: poll again at once."""

    arrivals: tuple[RawArrival, ...]
    cursor: str | None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a self-test, in words. `mend` says what to do where it is not ok."""

    ok: bool
    code: str
    message: str
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the network answered when it was asked to push to our hook."""

    hook_url: str
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class HookAddress:
    """Where a network shall push, and what it shall sign with."""

    url: str
    secret: str = field(repr=False)
    verify_token: str | None = None


@dataclass(frozen=True, slots=True)
class Length:
    """A text's length as the network counts it, and the most it takes (None: no limit known)."""

    used: int
    limit: int | None
    unit: str

    @property
    def fits(self) -> bool:
        return self.limit is None or self.used <= self.limit


class Capability(StrEnum):
    """What a connector can do here; what is not on the card raises Refused."""

    WEBHOOKS = "webhooks"
    APP_WEBHOOKS = "app_webhooks"
    POLL = "poll"
    FETCH = "fetch"
    PUBLISH = "publish"
    FIND = "find"
    MEASURE = "measure"
    RENEW = "renew"
    SUBSCRIBE = "subscribe"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Card:
    """What a network is like: what the domain needs to know of it, without knowing the network.

    `shared_ids`: mention and identity ids mean the same on every channel of the network; otherwise each channel has
    ids of its own. `secret_keyword` names the credential that signs deliveries, where the network brings its own.
    """

    network: Network
    label: str
    capabilities: frozenset[Capability]
    shared_ids: bool = True
    credentials_required: tuple[str, ...] = ()
    credentials_optional: tuple[str, ...] = ()
    secret_keyword: str | None = None
    needs_external_id: bool = False
    needs_base_url: bool = False
    hears: frozenset[MentionKind] = frozenset(MentionKind)
    accepted_status: int = 200

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities


class Hears(Protocol):
    """The pure half: bytes to facts. No network, no clock, no state."""

    network: ClassVar[Network]
    card: ClassVar[Card]

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        """The answer to a subscription's challenge; None where this request is none."""
        ...

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        """Check the signature over the raw bytes; the signed time where the scheme signs one. Raises BadSignature."""
        ...

    def key(self, request: RawRequest) -> str:
        """The delivery's own identity: equal for a repeat, different for anything else."""
        ...

    def route(self, arrival: RawArrival) -> list[Part]:
        """Which channel speaks in which slice, for deliveries to an app's hook. Raises BadPayload."""
        ...

    def parse(self, part: RawPart) -> Parsed:
        """The facts in a slice. Raises BadPayload where nothing in it is usable."""
        ...

    def new_secret(self) -> str:
        """A fresh signing key, in the form that this network's signature wants."""
        ...


class Speaks(Protocol):
    """The half that talks to the network, through the client it is handed. Failures are `NetworkError`s."""

    def count(self, text: str) -> Length: ...

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival: ...

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page: ...

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        """Bring the effect about, once. Raises Uncertain where it may have happened."""
        ...

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        """Settle an uncertain send: what is live, or None where it certainly is not. Raises Uncertain."""
        ...

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]: ...

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login: ...

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription: ...

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]: ...


class Connector(Hears, Speaks, Protocol):
    """A whole network."""


# ---------------------------------------------------------------- reading outside JSON


def read_json(body: bytes) -> object:
    """The JSON value in `body`. Raises BadPayload with a sentence about what is wrong with it.

    Lone surrogates are legal in JSON text and refused by the fast parser, so the standard one has the last word.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        value: object = json.loads(body, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BadPayload(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise BadPayload("the body is nested too deeply") from None
    except ValueError as error:
        raise BadPayload(f"the body is not JSON: {error}") from None
    return value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def storable(text: str) -> str:
    """The nearest text that PostgreSQL takes: U+0000 and lone surrogates become U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
