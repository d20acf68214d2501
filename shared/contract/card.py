"""What a network is like, as far as the domain has to know."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from shared.models.enums import MentionKind, Network


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
    IDENTIFY = "identify"
    RECHECK = "recheck"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class Card:
    """What a network is like: what the domain needs to know of it, without knowing the network.

    `shared_ids`: mention and identity ids mean the same on every channel of the network; otherwise each channel has
    ids of its own. `secret_keyword` names the credential that signs deliveries, where the network brings its own.
    `follows_terms`: its channels can follow hashtags or searches. `poll_every`: the wait between two polls where the
    settings' would be too short or too long. `pushes_everything`: nothing is missed while it pushes, so that a channel
    counts as observed from connecting on; otherwise only what is polled does. What was published within `rechecks_for`
    is looked at again, `recheck_at_once` things a turn. `asks_with` names the credential without which the network is
    asked nothing: such a channel only hears.
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

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities
