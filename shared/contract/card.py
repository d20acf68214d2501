"""What a network is like, as far as the domain has to know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.models.enums import MentionKind, Network, OutgoingKind


@dataclass(frozen=True, slots=True)
class Length:
    """A text's length as the network counts it, and the most it takes (None: no limit known)."""

    used: int
    limit: int | None
    unit: str

    @property
    def fits(self) -> bool:
        return self.limit is None or self.used <= self.limit


def uncounted(text: str) -> Length:
    """A text on a network of which no limit is known."""
    return Length(len(text), None, "characters")


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
    IDENTIFY = "identify"
    RECHECK = "recheck"
    BACKFILL = "backfill"
    SEARCH = "search"


class Certainty(StrEnum):
    """How it is settled whether an effect of unknown outcome happened.

    `looked_up`: `find` can tell. `repeated`: done twice it is as if done once, so it is done again. `asked`: nobody can
    tell but a person who looks.
    """

    LOOKED_UP = "looked_up"
    REPEATED = "repeated"
    ASKED = "asked"


class Preparing(StrEnum):
    """Which effects have something laid ready on the network before they are sent, seen by nobody until then."""

    NEVER = "never"
    WITH_MEDIA = "with_media"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class MediaLimit:
    """What a network takes of one kind of media; None: no limit known. `ratio` is width by height, from and to.

    `types` are MIME types; `sides` the shortest and the longest side in pixels, `length` of a film or sound.
    """

    types: frozenset[str]
    most_bytes: int | None = None
    most_pixels: int | None = None
    sides: tuple[int, int] | None = None
    ratio: tuple[float, float] | None = None
    length: tuple[timedelta, timedelta] | None = None
    longest_alt: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What a network is like: what the domain needs to know of it, without knowing the network.

    `shared_ids`: mention and identity ids mean the same on every channel of the network; otherwise each channel has
    ids of its own. `secret_keyword` names the credential that signs deliveries, where the network brings its own.
    `follows_terms`: its channels can follow hashtags or searches. `poll_every`: the wait between two polls where the
    settings' would be too short or too long. `pushes_everything`: nothing is missed while it pushes, so that a channel
    counts as observed from connecting on; otherwise only what is polled does. What was published within `rechecks_for`
    is looked at again, `recheck_at_once` things a turn. `asks_with` names the credential without which the network is
    asked nothing: such a channel only hears. `count` measures a text as the network does: it is the
    connector's own, which the registry puts on the card. `most_media`: how many a post takes there, where there is a
    limit.

    `effects` are what it can bring about, each with how its unknown outcome is settled. `prepares`: which posts have
    something laid ready first; it may begin `prepares_ahead` of the moment. `media` says what is taken of each kind
    (`image`, `video`, `gif`, `audio`); a kind that is not named is not taken, and an empty mapping knows no limits.
    `mixes_media`: kinds may stand together in one post. `needs_media`: no post without. `link_apart`: a link is a thing
    of its own there; elsewhere it is put beneath the text. `audiences` are the circles that a post can be for, in the
    network's own words, the usual one first. `keeps_time`: it has a clock of its own, which people move to practise.
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
    follows_terms: bool = False
    poll_every: timedelta | None = None
    pushes_everything: bool = True
    asks_with: str | None = None
    rechecks_for: timedelta = timedelta(days=7)
    recheck_at_once: int = 25
    count: Callable[[str], Length] = uncounted
    most_media: int | None = None
    effects: Mapping[OutgoingKind, Certainty] = field(default_factory=dict)
    prepares: Preparing = Preparing.NEVER
    prepares_ahead: timedelta = timedelta(minutes=2)
    media: Mapping[str, MediaLimit] = field(default_factory=dict)
    mixes_media: bool = True
    needs_media: bool = False
    link_apart: bool = False
    audiences: tuple[str, ...] = ()
    keeps_time: bool = False

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities
