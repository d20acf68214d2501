"""What waits in each queue, how much of it and since when, by the database's clock.

Each question is answered from an index that holds only what waits, and stops counting at `MOST`: asking every few
seconds costs the same with a million settled arrivals behind it, or in front of an outage's.
"""

from dataclasses import dataclass

from sqlalchemy import TextClause, text

from shared.db import Session

MOST = 100_000


@dataclass(frozen=True, slots=True)
class Queue:
    """`length` things wait (at most `MOST` are counted), the oldest of them for `oldest` seconds; 0 where none does."""

    name: str
    length: int
    oldest: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Every queue, arrivals that nobody could settle (by state), and polled channels whose last poll failed."""

    queues: list[Queue]
    shelved: dict[str, int]
    failing_polls: int


_FREE = "({0} IS NULL OR {0} < clock_timestamp())"
_AGE = "coalesce(greatest(extract(epoch FROM clock_timestamp() - min({0})), 0), 0)::float"


def _claimable(table: str, waits: str, at: str, held: str) -> TextClause:
    """Two rows of (is it held, how many, how old): what is free to be taken, and what somebody has in hand."""
    return text(
        f"SELECT NOT {_FREE.format(held)}, count(*), {_AGE.format(at)}"  # noqa: S608  names of our own
        f" FROM (SELECT {at}, {held} FROM {table} WHERE {waits} ORDER BY {at} LIMIT {MOST}) AS x GROUP BY 1"
    )


_DUE = "due_at <= (SELECT clock_timestamp())"  # in a sub-select, so that it is a bound for the index
_CLAIMABLE = {
    "arrivals": _claimable("arrival", "state = 'received'", "received_at", "claimed_until"),
    "polls": _claimable("due_poll", _DUE, "due_at", "leased_until"),
    "fetches": _claimable("due_fetch", _DUE, "due_at", "leased_until"),
    "operations": _claimable("due_operation", _DUE, "due_at", "leased_until"),
    "upkeep": _claimable("due_upkeep", _DUE, "due_at", "leased_until"),
    "deepenings": _claimable("due_deepening", _DUE, "due_at", "leased_until"),
    "alerts": _claimable("due_alert", _DUE, "due_at", "leased_until"),
    "notices": _claimable("due_notice", _DUE, "due_at", "leased_until"),
    "webhooks": _claimable("due_webhook", _DUE, "due_at", "leased_until"),
    "mails": _claimable("mail", f"state IN ('waiting', 'sending', 'retrying') AND {_DUE}", "due_at", "leased_until"),
    "outgoing": _claimable("due_outgoing", _DUE, "due_at", "leased_until"),
}
# An event's id is a UUIDv7, which says when it was written.
_EVENTS = text(
    f"SELECT (SELECT count(*) FROM (SELECT FROM event_queue LIMIT {MOST}) AS x),"  # noqa: S608  a number of our own
    " coalesce(greatest(extract(epoch FROM clock_timestamp() - (SELECT uuid_extract_timestamp(event_id)"
    " FROM event_queue ORDER BY id LIMIT 1)), 0), 0)::float"
)
_SHELVED = text(
    "SELECT state, count(*) FROM (SELECT state FROM arrival WHERE state IN ('dead', 'unreadable')"  # noqa: S608
    f" LIMIT {MOST}) AS x GROUP BY 1"
)
_FAILING = text("SELECT count(*) FROM due_poll WHERE failures > 0")


async def look(session: Session) -> Waiting:
    """What waits now, over all brands; for the worker's role. What is in somebody's hands has a queue of its own."""
    queues: list[Queue] = []
    for name, question in _CLAIMABLE.items():
        found = {held: Queue("", length, oldest) for held, length, oldest in await session.execute(question)}
        for held, shown in ((False, name), (True, f"{name}_claimed")):
            one = found.get(held)
            queues.append(Queue(shown, one.length if one else 0, one.oldest if one else 0.0))
    length, oldest = (await session.execute(_EVENTS)).one()
    queues.append(Queue("events", length, oldest))
    counted = {str(state): int(count) for state, count in await session.execute(_SHELVED)}
    failing = int((await session.execute(_FAILING)).scalar_one())
    return Waiting(queues, {"dead": 0, "unreadable": 0} | counted, failing)
