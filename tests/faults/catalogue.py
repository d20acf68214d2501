"""Every fault by name, and the wrong designs that the same harness has to find out."""

from dataclasses import dataclass

from tests.faults import crowds, deaths, endings, invariants, surroundings
from tests.faults.scene import Fault

_NOTHING = "No acknowledged delivery is lost or recorded twice, no post goes out twice"

FAULTS: dict[str, Fault] = {
    "kill-door": Fault(
        f"{_NOTHING} when the door dies.",
        "kill -9 of the door",
        deaths.killed("ingest"),
    ),
    "kill-worker": Fault(
        f"{_NOTHING} when the worker dies.",
        "kill -9 of the ingest worker",
        deaths.killed("ingest_worker"),
    ),
    "kill-scheduler": Fault(
        f"{_NOTHING} when the scheduler dies.",
        "kill -9 of the scheduler",
        deaths.killed("scheduler"),
    ),
    "kill-api": Fault(
        "A reader goes on where it was when the api dies.",
        "kill -9 of the api",
        deaths.killed("api"),
    ),
    "kill-postgres": Fault(
        f"{_NOTHING} when PostgreSQL dies.",
        "kill -9 of PostgreSQL",
        deaths.killed("postgres"),
    ),
    "kill-valkey": Fault(
        "Redis is the doorbell: nothing is lost with it.",
        "kill -9 of Valkey",
        deaths.killed("valkey"),
    ),
    "kill-together": Fault(
        f"{_NOTHING} when several die at once.",
        "kill -9 of two to six at once, and of all",
        deaths.killed_together,
    ),
    "flush": Fault(
        "FLUSHALL at any moment loses nothing.",
        "FLUSHALL twice a second",
        deaths.flushed,
        seconds=30,
        short_seconds=3,
    ),
    "valkey-away": Fault(
        "Without Redis everything still happens.",
        "Valkey away for a minute",
        deaths.valkey_away,
        seconds=60,
    ),
    "postgres-away": Fault(
        f"{_NOTHING} when PostgreSQL is away and recovers from a crash.",
        "PostgreSQL away for half a minute",
        deaths.postgres_away,
        seconds=30,
    ),
    "worker-stands-still": Fault(
        "A worker that stands still holds nobody up, and does nothing twice when it goes on.",
        "SIGSTOP for a minute, a second worker, SIGCONT",
        deaths.worker_stands_still,
        seconds=60,
    ),
    "terminate": Fault(
        "SIGTERM fails no accepted request.",
        "SIGTERM of each service in turn, with requests half sent",
        endings.terminated,
    ),
    "wrong-clock": Fault(
        "A wrong clock of one machine loses and repeats nothing.",
        "one process an hour ahead, then behind",
        surroundings.wrong_clocks,
        seconds=48,
        short_seconds=3,
        missing=surroundings.no_libfaketime,
    ),
    "slow-callers": Fault(
        "Slow readers and half-open connections hold nobody up.",
        "stalled bodies, unread answers, silence, resets",
        crowds.slow_and_half_open,
        seconds=33,
        short_seconds=3,
    ),
    "overload": Fault(
        "Too much is refused by 503 and Retry-After, in flat memory, and passes.",
        "ten times more than there is room for",
        crowds.overloaded,
        seconds=20,
        short_seconds=3,
    ),
    "disk-full": Fault(
        "A full disk acknowledges nothing that is not kept; with room again all goes on.",
        "a full tmpfs, then room",
        surroundings.disk_full,
        seconds=15,
        short_seconds=3,
        missing=surroundings.no_small_disk,
        small_disk=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong design: which service it stands in for, the fault that shows it, and the invariants that must break."""

    what: str
    service: str
    module: str
    fault: str
    breaks: tuple[str, ...]


_ROOM = "tests.faults.references"
REFERENCES: dict[str, Wrong] = {
    "answers-before-commit": Wrong(
        "a door that answers 200 and commits later",
        "ingest",
        f"{_ROOM}.answers_before_commit",
        "kill-door",
        (invariants.SETTLED,),
    ),
    "counts-outside-the-transaction": Wrong(
        "a worker that counts outside its transaction",
        "ingest_worker",
        f"{_ROOM}.counts_outside_the_transaction",
        "kill-worker",
        (invariants.STATE,),
    ),
    "forgets-on-flushall": Wrong(
        "a door that keeps deliveries in Redis only",
        "ingest",
        f"{_ROOM}.forgets_on_flushall",
        "flush",
        (invariants.SETTLED,),
    ),
}
