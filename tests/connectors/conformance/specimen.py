"""What the suite needs to know of a network to put its connector through everything.

A specimen is data and closures: payloads in the network's own shapes, its signature made by other means than the
connector's where there are any, its errors, its ways of counting text, and a fake of it on loopback.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, assert_never

import httpx

from shared.contract import (
    Capability,
    Connector,
    Files,
    HookAddress,
    Login,
    OutgoingEffect,
    OutgoingMedia,
    Pointer,
    Preparing,
    RawRequest,
    Secret,
    Target,
)
from shared.errors import NetworkError, Refused
from shared.models.enums import OutgoingKind
from tests.connectors.conformance.line import Line, Reply

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Verb(StrEnum):
    """What a payload can tell of a thing. UNKNOWN is an event that no connector knows; BROKEN can't be used."""

    SAID = "said"
    EDITED = "edited"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to thing `number` at that moment."""

    verb: Verb
    number: int
    at: datetime = NOW
    text: str = "Bonjour"


@dataclass(frozen=True, slots=True)
class Written:
    """A payload, and the headers that the connector's own half gives to what it polls."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handshake:
    """A challenge and the answer that the network wants to it."""

    name: str
    request: RawRequest
    secret: Secret
    status: int
    body: bytes | None = None  # None: whatever


@dataclass(frozen=True, slots=True)
class Pushing:
    """How a network signs what it pushes. `sign` takes a key, the body, the time and the delivery's number.

    `header` holds the signature, `digest` says where its digest is. `tolerance`: how old a signed time may be; None
    where none is signed. `over_the_body`: whether the signature depends on the body, or is a token that is compared.
    `several`: one delivery about several channels, for a hook of the app's.
    """

    keys: tuple[str, str]
    sign: Callable[[str, bytes, datetime, int], Mapping[str, str]]
    signed_headers: tuple[str, ...]
    digest: Callable[[str], slice]
    header: str
    tolerance: timedelta | None = None
    over_the_body: bool = True
    handshakes: tuple[Handshake, ...] = ()
    several: Callable[[Mapping[str, Sequence[Event]]], bytes] | None = None

    def deliver(
        self,
        body: bytes,
        *,
        key: str | None = None,
        at: datetime = NOW,
        received_at: datetime | None = None,
        number: int = 1,
    ) -> RawRequest:
        """A delivery as the network would make it."""
        return RawRequest("POST", self.sign(key or self.keys[0], body, at, number), {}, body, received_at or at)


@dataclass(frozen=True, slots=True)
class Shown:
    """What anybody sees of a thing on the network now; `liked`, `hidden`: by our channel."""

    text: str
    parent: str | None = None
    media: tuple[str | None, ...] = ()  # the alt text of each
    hidden: bool = False
    liked: bool = False


@dataclass
class World:
    """The network on loopback with our channel on it, and what people do there.

    `given` is the login as a person types it in. Deeds that a network does not have, or that no capability of its
    connector needs, are None.
    """

    line: Line
    http: httpx.AsyncClient
    login: Login
    given: Login
    say: Callable[[str], Awaitable[str]] | None = None
    edit: Callable[[str, str], Awaitable[None]] | None = None
    delete: Callable[[str], Awaitable[None]] | None = None
    revoke: Callable[[], None] | None = None
    published: Callable[[], Awaitable[list[str]]] | None = None
    shown: Callable[[str], Awaitable[Shown | None]] | None = None  # None: it is not there (any more)
    blocked: Callable[[str], Awaitable[bool]] | None = None
    target: Callable[[str], Awaitable[Target]] | None = None  # what `say` said, as something to answer or act on
    files: Files | None = None
    subscribed: Callable[[], Awaitable[bool]] | None = None
    hook: HookAddress | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen anywhere: everything in the credentials that is no name or address."""
        told = {**self.given.credentials, **self.login.credentials}
        return tuple(
            value for name, value in told.items() if name not in {"url", "identifier", "did", "service", "username"}
        )


class Call(StrEnum):
    """What is called while the network answers with an error."""

    POLL = "poll"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer of the network and what it means; None: it is taken as done."""

    name: str
    call: Call
    reply: Reply
    error: type[NetworkError] | None
    after: timedelta | None = None


@dataclass(frozen=True)
class Specimen:
    """One network. `name(number)` is the external id under which the payloads of `write` speak of a thing."""

    connector: Connector
    channel: str
    name: Callable[[int], str]
    write: Callable[[Sequence[Event]], Written]
    vectors: tuple[tuple[str, int, str], ...]  # text, its length, the unit
    longest: tuple[str, str]  # a text that just fits, and one that just does not
    pushing: Pushing | None = None
    world: Callable[[], AbstractAsyncContextManager[World]] | None = None
    failures: tuple[Failure, ...] = ()
    echo: Callable[[str], Reply] | None = None  # an error in whose words the network repeats what it was sent
    pointer: Callable[[str], Pointer] | None = None
    later: Callable[[str | None], str | None] = lambda cursor: cursor  # the cursor, as it is when time has passed
    several_deleted: bool = True  # whether one payload can tell of several deletions, and of other things besides
    clock_moves: bool = False  # its clock is moved on purpose, to practise: its times are taken as they are
    deletes_posts: bool = True  # whether an app may delete what it published, and not comments alone
    unknown_is_a_problem: bool = False  # the network has one kind of event only: whatever else is called is a mistake
    recorded: frozenset[Capability] = frozenset()
    real: frozenset[Capability] = frozenset()
    real_by: str = ""
    is_real: bool = False  # its world is the network itself
    seen_on: date = date(2026, 11, 26)


@dataclass(frozen=True, slots=True)
class Pictures:
    """The bytes of our own media, by their key."""

    kept: Mapping[str, bytes]

    async def read(self, media: OutgoingMedia) -> bytes:
        if media.key is None or media.key not in self.kept:
            raise Refused("files", "there is no such file")
        return self.kept[media.key]


_FILE = Path(__file__).with_name("plein.jpg").read_bytes()
PICTURES = Pictures({"plein": _FILE})
PICTURE = OutgoingMedia(
    "https://media.example/plein.jpg", "image", "Een plein in de zon", "plein", "image/jpeg", len(_FILE), 640, 640
)


def seed_of(outgoing_id: str) -> int:
    """A UUIDv7 of this moment's hour that is the same at every try of an effect."""
    told = int.from_bytes(hashlib.sha256(outgoing_id.encode()).digest()[:10])
    hour = int(datetime.now(UTC).replace(minute=0, second=0, microsecond=0).timestamp() * 1000)
    return hour << 80 | 7 << 76 | (told >> 64 & 0xFFF) << 64 | 2 << 62 | told & (1 << 62) - 1


def effect(
    outgoing_id: str = "out_1",
    *,
    kind: OutgoingKind = OutgoingKind.PUBLISH,
    attempted: timedelta = timedelta(0),
    text: str = "Bonjour",
    **more: Any,
) -> OutgoingEffect:
    """An effect to be brought about, first tried so long ago; a post where nothing else is said."""
    tried_at = datetime.now(UTC) - attempted
    return OutgoingEffect(
        outgoing_id,
        kind,
        text,
        more.pop("thing_id", "post_1"),
        **{"seed": seed_of(outgoing_id), "due_at": tried_at, "first_attempt_at": tried_at, **more},
    )


async def laid_ready(specimen: Specimen, world: World, wanted: OutgoingEffect) -> OutgoingEffect:
    """The effect as it may be sent: with what its network has to have first, if anything, and that laid ready there."""
    card = specimen.connector.card
    if wanted.kind is OutgoingKind.PUBLISH and card.needs_media and not wanted.media:
        wanted = replace(wanted, media=(PICTURE,))
    if not prepares(specimen, wanted):
        return wanted
    for _ in range(50):
        found = await specimen.connector.prepare(world.http, world.login, wanted, world.files or PICTURES)
        wanted = replace(wanted, marks=found.marks)
        if found.wait is None:
            return wanted
        await asyncio.sleep(min(found.wait.total_seconds(), 0.1))
    raise AssertionError("it is never ready")


def prepares(specimen: Specimen, wanted: OutgoingEffect) -> bool:
    """Whether the card wants something laid ready before this effect."""
    match specimen.connector.card.prepares:
        case Preparing.NEVER:
            return False
        case Preparing.WITH_MEDIA:
            return bool(wanted.media)
        case Preparing.ALWAYS:
            return wanted.kind is OutgoingKind.PUBLISH
        case other:
            assert_never(other)
