"""What a call to a network came to, as the domain is told of it."""

from dataclasses import dataclass
from datetime import timedelta

from shared.contract import Prepared, Room, Sent


@dataclass(frozen=True, slots=True)
class Live:
    sent: Sent


@dataclass(frozen=True, slots=True)
class Ready:
    """What was to be laid ready is, or the network is at work on it."""

    prepared: Prepared


@dataclass(frozen=True, slots=True)
class NotThere:
    """A look-up found nothing."""


@dataclass(frozen=True, slots=True)
class Denied:
    message: str


@dataclass(frozen=True, slots=True)
class SlowDown:
    message: str
    after: timedelta
    whole_app: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    message: str


@dataclass(frozen=True, slots=True)
class NotReady:
    """What was laid ready is gone from the network; nothing was sent."""

    message: str


@dataclass(frozen=True, slots=True)
class LoginDied:
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    message: str


Outcome = Live | Ready | NotThere | Denied | SlowDown | NotSent | NotReady | LoginDied | Unknown


def room(outcome: Outcome) -> Room | None:
    """How much more the network takes, as far as its answer told."""
    match outcome:
        case Live(sent):
            return sent.room
        case Ready(prepared):
            return prepared.room
        case SlowDown(_, after, whole_app):
            return Room(0, after, whole_app)
        case _:
            return None
