"""What goes out: who acts for a channel, what it shall bring about, and what a network answers to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.contract.incoming import MediaDraft, RawArrival
from shared.models.enums import OutgoingKind


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
    who consented, by the id under which the network will say that they take it back.
    """

    external_id: str
    name: str
    credentials: Mapping[str, str] = field(repr=False)
    base_url: str | None = None
    expires_at: datetime | None = None
    missing: tuple[str, ...] = ()
    granted_by: str | None = None


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
