"""The ways in which a network says less than the truth, each once for an effect, as both networks of the runs do it."""

from dataclasses import dataclass, field
from typing import Any

LATE_SECONDS = 3.0
AWAY_TIMES = 2
TOKEN_SECONDS = 5.0  # after which a login runs out, where that is the lie; its refresh token is good for one exchange

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lie:
    """`effect` is told to the practice network for its next `times` requests: those that have an effect, or all.

    `done`: whether the request that is lied to has its effect nevertheless. `runs_out`: logins last for seconds.
    """

    name: str
    says: str
    effect: Json | None = field(default=None, hash=False)
    times: int = 1
    to_all: bool = False
    done: bool = True
    runs_out: bool = False


HONEST = Lie("honest", "tells the truth")
LIES: dict[str, Lie] = {
    lie.name: lie
    for lie in (
        HONEST,
        Lie("accepts-then-silence", "takes it and never answers", {"type": "timeout"}),
        Lie("400-after-creating", "takes it and answers 400", {"type": "created_then", "status": 400}),
        Lie("500-after-creating", "takes it and answers 500", {"type": "created_then", "status": 500}),
        Lie(
            "shows-late",
            f"takes it, answers 500 and shows it {LATE_SECONDS:.0f} s later",
            {"type": "created_then", "status": 500, "show_late": LATE_SECONDS},
        ),
        Lie("rate-limited", "answers 429", {"type": "status", "status": 429, "retry_after": 1}, done=False),
        Lie("503", "answers 503 and does nothing", {"type": "status", "status": 503}, done=False),
        Lie("expired-token", "says that the token has run out, as it has; it can be renewed once", runs_out=True),
        Lie(
            "away",
            f"hangs up {AWAY_TIMES} times, whatever it is asked",
            {"type": "reset", "done": False},
            AWAY_TIMES,
            to_all=True,
            done=False,
        ),
    )
}
