"""What goes out: who acts for a channel, what it shall bring about, and what a network answers to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.contract.incoming import RawArrival
from shared.models.enums import MentionKind, OutgoingKind


@dataclass(frozen=True, slots=True)
class Login:
    """What a connector needs to act for a channel. Never logged.

    `terms` are the hashtags and searches that the channel follows, where its network has them. `expires_at`: when the
    credentials have to be renewed at the latest; None where they last until revoked, or where it is not known.
    """

    channel_external_id: str
    base_url: str | None
    credentials: Mapping[str, str] = field(repr=False)
    terms: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One account, page or feed that a login or a person's consent can speak for, and what a channel of it needs.

    `missing` names the rights that were asked for and not given, in the network's own words. `granted_by` is the person
    who consented, by the id under which the network will say that they take it back. `limits` are this server's or
    account's own where they differ from the network's card: `text`, `media`.
    """

    external_id: str
    name: str
    credentials: Mapping[str, str] = field(repr=False)
    base_url: str | None = None
    expires_at: datetime | None = None
    missing: tuple[str, ...] = ()
    granted_by: str | None = None
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutgoingMedia:
    """A picture, film or sound to go with an effect. `url` is where anybody can fetch it, signed for some hours where
    it is our own; `key` names our own copy, and is None for what stands elsewhere on the web.

    `size` is in bytes, `width` and `height` in pixels, `seconds` the length; None where it is not known.
    """

    url: str
    kind: str  # image, video, gif, audio
    alt: str | None = None
    key: str | None = None
    type: str | None = None  # MIME
    size: int | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


class Files(Protocol):
    """Where the bytes of media come from."""

    async def read(self, media: OutgoingMedia) -> bytes:
        """All of it. Raises Unavailable(unsent) where it can't be had now, Refused where it is gone or too large."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """What somebody said, or (kind None) an account, that an effect answers or acts on.

    `author_external_id` is who said it; `root_external_id` the thing at the top of its thread, where that is known.
    """

    external_id: str
    kind: MentionKind | None = None
    author_external_id: str | None = None
    root_external_id: str | None = None
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class OutgoingEffect:
    """One effect to bring about. `id` is the receiver's idempotency key where it takes one; it is made from `seed`,
    a UUIDv7, from which a key of another form can be made as well: the same at every try.

    Beneath a post of ours (`first_comment`, `thread_part`), `parent_external_id` is what it hangs beneath and
    `root_external_id` the first part. `target` is what is answered or acted on. `marks` is what `prepare` left,
    `undoes` the external id that the effect got which is now undone (`unlike`, `unblock`). `due_at`: the moment meant.
    """

    id: str
    kind: OutgoingKind
    text: str
    thing_id: str  # what is brought about: the post; what is acted on: the mention, the identity
    media: tuple[OutgoingMedia, ...] = ()
    link: str | None = None
    parent_external_id: str | None = None
    root_external_id: str | None = None
    target: Target | None = None
    audience: str | None = None
    language: str | None = None
    seed: int = 0
    due_at: datetime | None = None
    first_attempt_at: datetime | None = None
    marks: Mapping[str, Any] = field(default_factory=dict)
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """How many more of such calls a network takes before `resets_in` is over, by its own headers.

    `whole_app`: from all channels of our registration together, not from this one.
    """

    left: int
    resets_in: timedelta
    whole_app: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was laid ready, as JSON. `wait`: the network is still at work on it; prepare again after that."""

    marks: Mapping[str, Any]
    wait: timedelta | None = None
    room: Room | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The effect is live. Of an effect on something that is there already, `external_id` is that thing's, or the id by
    which it can be undone."""

    external_id: str
    url: str | None = None
    room: Room | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Page:
    """What one poll brought, and where the next one starts. `more`: poll again at once.

    `wait`: how long the network wants to be left alone, by its own headers. `moved`: the channel's address from now
    on. `reached` (of a backfill): the moment back to which everything has now been brought.
    """

    arrivals: tuple[RawArrival, ...]
    cursor: str | None
    more: bool = False
    wait: timedelta | None = None
    moved: str | None = None
    reached: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a self-test, in words. `mend` says what to do where it is not ok."""

    ok: bool
    code: str
    message: str
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the network answered when it was asked to push to our hook.

    `renew_after`: when to ask again, where a subscription ends by itself. `verify_token`: what its handshake has to
    name, where the network and not we chose it.
    """

    hook_url: str
    secret: str | None = None
    verify_token: str | None = None
    renew_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class HookAddress:
    """Where a network shall push, and what it shall sign with."""

    url: str
    secret: str = field(repr=False)
    verify_token: str | None = None


@dataclass(frozen=True, slots=True)
class AppLogin:
    """Our registration with a network, or with one server of it (`base_url`), by which people give consent."""

    client_id: str
    client_secret: str = field(repr=False)
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """What a consent is asked with. `challenge` is the PKCE challenge (S256) of the verifier that we keep.

    `scopes` is what this installation's app may ask for, where that is not all that the network's `scopes` name.
    """

    state: str
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consented:
    """What a network gave back for a consent, to be exchanged for logins."""

    code: str = field(repr=False)
    redirect_uri: str
    verifier: str = field(repr=False)
