"""What can go wrong, as types that say what to do. HTTP numbers live in the services, never here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and a code a program can act on.

    `path` is the place in the caller's input as keys and indexes, outermost first.
    """

    code: str
    message: str
    path: tuple[str | int, ...] = ()


class ParvisError(Exception):
    """The root of every failure that Parvis raises knowingly; `code` is stable, the text is for people."""

    code: str = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class NotFound(ParvisError):
    """Missing, foreign or malformed: the three are told apart by nobody outside."""

    code = "not_found"


class NotAllowed(ParvisError):
    """The principal is known and may not do this."""

    code = "not_allowed"


class NotAuthenticated(ParvisError):
    """No key, or one that is wrong, expired or revoked."""

    code = "not_authenticated"


class Invalid(ParvisError):
    """The input can't be taken; `problems` says what, where and what to do."""

    code = "invalid"

    def __init__(self, problems: Sequence[Problem] | str, *, code: str | None = None) -> None:
        found = (Problem("invalid", problems),) if isinstance(problems, str) else tuple(problems)
        super().__init__("; ".join(p.message for p in found), code=code)
        self.problems = found


class Conflict(ParvisError):
    """The thing is not in a state that allows this, or somebody else holds it."""

    code = "conflict"


class Stale(Conflict):
    """The caller's version is not the current one."""

    code = "stale"


class Over(ParvisError):
    """What gave access was good once and has ended; `language` is that of whoever it was made for."""

    code = "over"

    def __init__(self, message: str, *, language: str) -> None:
        super().__init__(message)
        self.language = language


class BadSignature(ParvisError):
    """A delivery whose signature is missing, wrong or too old."""

    code = "bad_signature"


class BadPayload(ParvisError):
    """Rightly signed, not understood: the arrival is kept as unreadable."""

    code = "bad_payload"

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class NetworkError(ParvisError):
    """A network did not do what was asked. `unsent` is true only when the effect certainly did not happen."""

    code = "network_error"

    def __init__(self, network: str, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.network = network
        self.unsent = unsent


class RateLimited(NetworkError):
    """Too fast: try again `after`. `whole_app`: not this channel alone, all that act by the same registration."""

    code = "rate_limited"

    def __init__(
        self,
        network: str,
        message: str = "the network asks to slow down",
        *,
        after: timedelta,
        whole_app: bool = False,
    ) -> None:
        super().__init__(network, message, unsent=True)
        self.after = after
        self.whole_app = whole_app


class Unavailable(NetworkError):
    """The network is away or answers nonsense for now: try again later."""

    code = "unavailable"


class Refused(NetworkError):
    """The network, or our own card for it, says no for good."""

    code = "refused"

    def __init__(self, network: str, message: str) -> None:
        super().__init__(network, message, unsent=True)


class Unprepared(NetworkError):
    """What was laid ready for an effect is not there any more: prepare it again."""

    code = "unprepared"

    def __init__(self, network: str, message: str) -> None:
        super().__init__(network, message, unsent=True)


class LoginDead(NetworkError):
    """The credentials are expired or revoked: pause sending and polling, ask a person to connect again."""

    code = "login_dead"

    def __init__(self, network: str, message: str = "the network no longer takes these credentials") -> None:
        super().__init__(network, message, unsent=True)


class LoginExpired(NetworkError):
    """The access token has run out as it was meant to: renew it and ask again."""

    code = "login_expired"

    def __init__(self, network: str, message: str = "the access token has run out") -> None:
        super().__init__(network, message, unsent=True)


class Gone(NetworkError):
    """What the channel was connected to is no longer there: stop asking, tell a person."""

    code = "gone"

    def __init__(self, network: str, message: str) -> None:
        super().__init__(network, message, unsent=True)


class Uncertain(NetworkError):
    """It is not known whether the effect happened: look it up, never repeat it blindly."""

    code = "uncertain"
