"""What the door counts of its answers, told to Prometheus when it asks.

The library's own counters take a lock at every change, for threads that the door does not have: 2 µs of the 40 that a
delivery costs.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Tally(Collector):
    """Requests by outcome, and the seconds that their answers took."""

    def __init__(self) -> None:
        self._outcomes: dict[str, int] = {}
        self._took = [0] * (len(BOUNDS) + 1)  # how many were within each bound and over the one before
        self._seconds = 0.0

    def add(self, outcome: str, seconds: float) -> None:
        """One more request was answered."""
        self.leave(outcome)
        self._took[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def leave(self, outcome: str) -> None:
        """One more request ended so, without an answer."""
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        outcomes = CounterMetricFamily(
            "parvis_door_deliveries", "Requests at the door, by outcome.", labels=["outcome"]
        )
        for outcome, number in self._outcomes.items():
            outcomes.add_metric([outcome], number)
        yield outcomes
        bounds = [*map(str, BOUNDS), "+Inf"]
        within = list(zip(bounds, map(float, accumulate(self._took)), strict=True))
        yield HistogramMetricFamily(
            "parvis_door_seconds", "Time from a delivery's headers to its answer.", within, self._seconds
        )


tally = Tally()
REGISTRY.register(tally)
