"""What went through between two pictures, from the services' own counters."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.seeing.figures import Figures
from services.seeing.picture import Picture

_VISIBLE = "parvis_worker_visible_seconds_bucket"
_KEPT = frozenset({"accepted", "duplicate", "handshake"})


@dataclass(frozen=True, slots=True)
class Rates:
    """Things a second, and within which time half of the arrivals became visible (None: none did)."""

    kept: float
    turned_away: float
    settled: float
    sent: float
    answered: float
    visible_within: float | None

    def said(self) -> str:
        """In a sentence for people."""
        within = f", half of them visible within {_short(self.visible_within)}" if self.visible_within else ""
        return (
            f"Each second: {_count(self.kept, 'delivery', 'deliveries')} kept, {self.turned_away:,.0f} turned away;"
            f" {_count(self.settled, 'arrival', 'arrivals')} settled{within};"
            f" {_count(self.sent, 'effect', 'effects')} tried; {_count(self.answered, 'request', 'requests')} answered."
        )


def between(earlier: Picture, later: Picture) -> Rates | None:
    """What the counters say happened meanwhile; None where no service shows any."""
    seconds = (later.at - earlier.at).total_seconds()
    pairs = [(earlier.figures[name], one) for name, one in later.figures.items() if name in earlier.figures]
    if not pairs or seconds <= 0:
        return None
    outcomes: dict[str, float] = {}
    for before, now in pairs:
        for labels, value in now.all("parvis_door_deliveries_total").items():
            outcome = dict(labels)["outcome"]
            more = value - before.all("parvis_door_deliveries_total").get(labels, 0.0)
            outcomes[outcome] = outcomes.get(outcome, 0.0) + max(more, 0.0)
    kept = sum(value for outcome, value in outcomes.items() if outcome in _KEPT)

    def rate(name: str) -> float:
        return sum(max(now.total(name) - before.total(name), 0.0) for before, now in pairs) / seconds

    return Rates(
        kept=kept / seconds,
        turned_away=(sum(outcomes.values()) - kept) / seconds,
        settled=rate("parvis_worker_arrivals_total"),
        sent=rate("parvis_sends_total"),
        answered=rate("parvis_api_requests_total"),
        visible_within=_half(pairs),
    )


def _half(pairs: list[tuple[Figures, Figures]]) -> float | None:
    """The bound of the first bucket that holds half of what was observed meanwhile."""
    buckets = sorted(_grown(pairs))
    if not buckets or buckets[-1][1] <= 0:
        return None
    return next((bound for bound, count in buckets if count >= buckets[-1][1] / 2 and bound != float("inf")), None)


def _grown(pairs: list[tuple[Figures, Figures]]) -> Iterator[tuple[float, float]]:
    found: dict[float, float] = {}
    for before, now in pairs:
        was = before.all(_VISIBLE)
        for labels, value in now.all(_VISIBLE).items():
            bound = float(dict(labels)["le"])
            found[bound] = found.get(bound, 0.0) + max(value - was.get(labels, 0.0), 0.0)
    yield from found.items()


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:g} s"


def _count(number: float, one: str, more: str) -> str:
    return f"{number:,.0f} {one if round(number) == 1 else more}"
