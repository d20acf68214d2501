"""What comes in: requests and pages as bytes, and the facts that a connector reads in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shared.errors import Problem
from shared.models.enums import AuthorKind, MentionKind, Visibility


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
    """A part on its way to `parse`; `channel_external_id` is the channel that it is attributed to.

    `headers` are the arrival's: for what was polled or fetched, whatever its connector put there to know it by.
    """

    channel_external_id: str
    body: bytes
    stamp: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Author:
    """An account on a network, as a payload names it; `followers` None where it does not say."""

    external_id: str
    handle: str | None = None
    name: str | None = None
    url: str | None = None
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class MediaDraft:
    """A picture, film or file. `key` is what it is known by where its address changes with every answer."""

    url: str
    kind: str
    alt: str | None = None
    key: str | None = None


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
