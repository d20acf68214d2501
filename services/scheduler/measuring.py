"""How much waits and since when, measured every few seconds for Prometheus."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter, Gauge, Histogram

from services.scheduler.house import House
from shared.domain import waiting

MEASURE_SECONDS = 5.0

_length = Gauge("parvis_queue_length", "Things that wait, by queue; at most 100,000 are counted.", ["queue"])
_oldest = Gauge("parvis_queue_oldest_seconds", "For how long the oldest thing in a queue waits; 0: none.", ["queue"])
_shelved = Gauge("parvis_arrivals_shelved", "Arrivals that are kept because nobody could settle them.", ["state"])
_failing = Gauge("parvis_polls_failing", "Polled channels whose last poll failed.")
_letters = Gauge("parvis_redis_queue_length", "Letters in Redis that nobody has taken yet.", ["queue"])
_redis_up = Gauge("parvis_redis_up", "Whether Redis answered when the queues were measured (1) or not (0).")
_measured = Gauge("parvis_queues_measured_timestamp_seconds", "When the queues were last measured.")
_numbered = Counter("parvis_events_numbered_total", "Events that got their number.")
_number_seconds = Histogram(
    "parvis_event_number_seconds",
    "From an event's writing to its number: the longest of each numbering.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)


def numbered(event_ids: Sequence[UUID], *, now: datetime) -> None:
    """Count events that were numbered and committed, longest waiting first. Their ids say when they were written."""
    if event_ids:
        _numbered.inc(len(event_ids))
        _number_seconds.observe(max(now.timestamp() - (event_ids[0].int >> 80) / 1000, 0.0))


async def measure(house: House) -> float:
    """Measure every queue once; seconds until the next time.

    Every scheduler does: the questions are cheap, and no figure stands still because its holder is gone.
    """
    async with house.db.reading() as session:
        found = await waiting.look(session)
    for queue in found.queues:
        _length.labels(queue.name).set(queue.length)
        _oldest.labels(queue.name).set(queue.oldest)
    for state, count in found.shelved.items():
        _shelved.labels(state).set(count)
    _failing.set(found.failing_polls)
    _measured.set_to_current_time()
    letters = await house.queues.lengths()
    _redis_up.set(letters is not None)
    if letters is None:
        _letters.clear()
        return MEASURE_SECONDS
    for name, length in letters.items():
        _letters.labels(name.removeprefix("parvis:")).set(length)
    return MEASURE_SECONDS
