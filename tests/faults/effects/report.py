"""The part of docs/promises.md that is about effects on networks."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.faults.effects.catalogue import RUNS, WRONG
from tests.faults.effects.tally import Tally

HEAD = """
## Effects on networks happen once

An effect is a post, a reply, a hiding, a deletion. Each run asks for one by REST, on a spot of its own, from a
scheduler that is hurt; then another one takes over. A *point* is an await of the sending path that suspends (a
statement, a COMMIT before it is sent and after it came back, a step of an HTTP exchange), as a tracer numbers them;
the scheduler ends itself there, at each in turn. The networks are the practice network and a partner behind `generic`
that does twice what it is asked twice, and they lie. Afterwards it is counted on the network what is live, and asked
by REST what is told of it.

Leases last four seconds here, calls two, and the first back-off two; that nothing is there is never believed within
ten seconds of the send. What waits for a person is brought to its end as a person does it: a login that died between
the network's new tokens and our keeping them is given anew, what is uncertain is looked at and settled. Either must
then end with one copy. “Load” is the machine's, of two cores, in the last minute.

"""
_COLUMNS = (
    *("Effect", "Done to it", "Command", "Date", "Load", "Points", "Runs", "Live copies > 1", "Lost"),
    *("Settled by themselves", "Left for a person", "Slowest recovery", "Outcome"),
)
HEAD_OF_WRONG = """
There are more runs than points where the machine was so slow that an effect went another way, and the point was tried
again. “Settled by themselves” are those of which it was not known for a while whether they had happened.

Wrong publishers, found out by the same harness:

| Wrong publisher | File | Date | Runs | Live copies > 1 | Lost | Broken invariants |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class EffectsOutcome:
    """What came of one run, as the table shows it."""

    name: str
    date: str
    load: float
    points: int
    runs: int
    twice: int
    lost: int
    by_itself: int
    by_person: int
    slowest: float
    breaches: dict[str, list[str]] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        return not self.breaches


def outcome(name: str, tally: Tally) -> EffectsOutcome:
    """A run's row, as of now."""
    return EffectsOutcome(
        name, datetime.now(UTC).date().isoformat(), os.getloadavg()[0], tally.points, len(tally.fates), tally.twice,
        tally.lost, tally.by_itself, tally.by_person, tally.slowest, tally.breaches(),
    )  # fmt: skip


def told(made: EffectsOutcome) -> str:
    """The row in a line, for whoever waits at a terminal."""
    return (
        f"{made.points} points, {made.runs} runs: {made.twice} live more than once, {made.lost} lost,"
        f" {made.by_itself} settled by themselves, {made.by_person} by a person, slowest {made.slowest:.1f} s"
    )


def rows(results: Mapping[str, Mapping[str, Any]]) -> list[list[object]]:
    """The cells of the table of runs, its head among them."""
    found: list[list[object]] = [list(_COLUMNS), ["---"] * len(_COLUMNS)]
    for name, run in RUNS.items():
        cells: list[object] = [run.what, run.how, f"`make faults ONLY={name}`"]
        row = results.get(name)
        if row is None:
            found.append([*cells, "", "", "", "", "", "", "", "", "", "not run yet"])
            continue
        wrong = "; ".join(f"{which}: {ways[0]}" for which, ways in row["breaches"].items())
        found.append([
            *cells, row["date"], f"{row['load']:.0f}", row["points"] or "–", row["runs"], row["twice"], row["lost"],
            row["by_itself"], row["by_person"], f"{row['slowest']:.1f} s", f"**broken**: {wrong}" if wrong else "held",
        ])  # fmt: skip
    return found


def wrong_rows(results: Mapping[str, Mapping[str, Any]]) -> list[list[object]]:
    """The cells of the table of wrong publishers."""
    found: list[list[object]] = []
    for name, wrong in WRONG.items():
        cells: list[object] = [wrong.what, f"`{wrong.module.replace('.', '/')}.py`"]
        row = results.get(name)
        if row is None:
            found.append([*cells, "", "", "", "", "not run yet"])
            continue
        broken = "; ".join(f"{which} ({ways[0]})" for which, ways in row["breaches"].items())
        found.append([*cells, row["date"], row["runs"], row["twice"], row["lost"], broken or "**none: not found out**"])
    return found
