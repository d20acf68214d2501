"""Networks, and what becomes of a connection to one."""

from enum import StrEnum


class Network(StrEnum):
    GENERIC = "generic"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    FEED = "feed"
    SANDBOX = "sandbox"
    MASTODON = "mastodon"
    BLUESKY = "bluesky"


class ChannelStatus(StrEnum):
    """`paused` is a person's wish; `login_dead` is the network's word. Both stop polling and sending, never hearing."""

    ACTIVE = "active"
    PAUSED = "paused"
    LOGIN_DEAD = "login_dead"
    REMOVED = "removed"


class ConsentStatus(StrEnum):
    """`asked`: the person is on the network's pages. `returned`: what they gave is being fetched."""

    ASKED = "asked"
    RETURNED = "returned"
    GIVEN = "given"
    FAILED = "failed"


class WithdrawalKind(StrEnum):
    """`deauthorize`: our logins end. `erase`: what we keep of the person goes, too."""

    DEAUTHORIZE = "deauthorize"
    ERASE = "erase"


class CoverageKind(StrEnum):
    """`backfilled`: looked back upon, which is not the same as watched: what was deleted before is not seen."""

    OBSERVED = "observed"
    HOLE = "hole"
    BACKFILLED = "backfilled"


class UpkeepKind(StrEnum):
    """What is looked after so that a channel goes on."""

    LOGIN = "login"
    SUBSCRIPTION = "subscription"
