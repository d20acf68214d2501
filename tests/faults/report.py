"""docs/promises.md, rendered from a file of results in which every run keeps its own row."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.catalogue import FAULTS, REFERENCES
from tests.faults.effects import report as effects
from tests.faults.effects.report import EffectsOutcome
from tests.faults.run import Outcome

_HEAD = """# Promises

A promise without a test that could fail is advertising. Each row below was run by the command beside it; the same
command runs it anew, with the same seed. While a fault is inflicted, several senders deliver at {rate:.0f} deliveries a
second and repeat what was not taken, posts are published, and two readers follow what happens.

After each fault these have to hold, looked at from outside (HTTP, the subscription, SQL):

- every delivery is taken in the end, and every acknowledged one is one arrival, settled
- mentions, texts, history, deletions, parents, threads, counters, sums and search rows equal those of the same
  deliveries sent to another brand in peace; and they are what a few plain rules make of the deliveries
- the numbers of events have no holes and no repeats, for a reader of the table and for a client of the subscription
- each post is on the practice network once
- nothing is left claimed, locked, waiting or half done, and in the end no process runs

`make faults` runs all of it; `make faults ONLY="kill-door flush"` some, and `ONLY=publish-kill-*` all that are called
alike. The suite holds a short form of each (`tests/faults/test_faults.py`, `tests/faults/effects/test_effects.py`).

## Faults

| Promise | Tested by | Command | Seed | Date | Done meanwhile | Deliveries | Recovered in | Outcome |
|---|---|---|---|---|---|---|---|---|
"""

_WRONG = """
“Recovered in” is the longest time from the end of an injury until a new delivery was seen through the api, with all
processes up again; starting a Python process is most of it.

## Wrong designs, found out

The same harness is run against designs that are wrong in one act each. If it did not find them out, it would prove
nothing about ours.

| Wrong design | File | Fault | Seed | Date | Deliveries | Broken invariants |
|---|---|---|---|---|---|---|
"""

_OTHERS = """
## Other promises

| Promise | Tested by |
|---|---|
"""
_ELSEWHERE = {
    "The same arrivals in any order with any duplication give the same state.": (
        "tests/domain/listening/test_convergence.py",
    ),
    "A tenant sees nothing of another's, over REST, GraphQL, subscriptions, cursors and error texts.": (
        "tests/tenancy/test_isolation_rest.py",
        "tests/tenancy/test_isolation_graphql.py",
    ),
    "A post's wall-clock time is kept with its zone through both changes of the year.": (
        "tests/domain/publishing/test_drafts.py",
    ),
    "Bad input gets an error that says what, where and what to do; nothing is half-written.": (
        "tests/contract/test_generic_bad_input.py",
        "tests/contract/test_rest_problems.py",
    ),
    "What is not known to have failed is looked up and not sent again.": (
        "tests/contract/test_sending.py",
        "tests/domain/publishing/test_attempts.py",
    ),
    "Half an hour of steady load leaves memory, connections, files, tables and queues flat"
    " (2026-11-26, beside other work: 84,226 deliveries, 601 posts, 94,741 events; none lost, none twice,"
    " nothing grew).": ("make soak",),
}
_CELL = 90  # characters of a breach that a table shows

Results = dict[str, dict[str, Any]]


def read(path: Path) -> Results:
    """The results so far; none where there is no file yet."""
    try:
        found: Results = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found


def keep(path: Path, outcome: Outcome | EffectsOutcome) -> Results:
    """Put one outcome in the place of the one before."""
    results = read(path)
    results[outcome.name] = asdict(outcome)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(sorted(results.items())), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return results


def render(results: Results, *, rate: float) -> str:
    """The whole page."""
    page = _HEAD.format(rate=rate)
    for name, fault in FAULTS.items():
        page += _row(fault.promise, fault.how, f"`make faults ONLY={name}`", *_told(results.get(name)))
    page += _WRONG
    for name, wrong in REFERENCES.items():
        row = results.get(name)
        file = f"`{wrong.module.replace('.', '/')}.py`"
        if row is None:
            page += _row(wrong.what, file, wrong.fault, *["not run yet", "", "", ""])
            continue
        broken = _breaches(row)
        words = (
            "; ".join(f"{which} ({_short(wrongs[0])})" for which, wrongs in broken.items()) or "**none: not found out**"
        )
        page += _row(wrong.what, file, wrong.fault, row["seed"], row["date"], f"{row['deliveries']:,}", words)
    page += effects.HEAD + "".join(_row(*cells) for cells in effects.rows(results))
    page += effects.HEAD_OF_WRONG + "".join(_row(*cells) for cells in effects.wrong_rows(results))
    page += _OTHERS
    for promise, places in _ELSEWHERE.items():
        page += _row(promise, ", ".join(f"`{place}`" for place in places))
    return page


def _told(row: Mapping[str, object] | None) -> list[object]:
    if row is None:
        return ["", "", "", "", "", "not run yet"]
    if row["skipped"]:
        return [row["seed"], row["date"], "", "", "", f"skipped: {row['skipped']}"]
    faults = row["faults"]
    assert isinstance(faults, dict)
    done = ", ".join(f"{deed}{f' ×{n}' if n > 1 else ''}" for deed, n in _few(faults).items())
    recover = f"{row['recover']:.1f} s" if isinstance(row["recover"], float) else "–"
    wrong = "; ".join(f"{name}: {found[0]}" for name, found in _breaches(row).items())
    sent = f"{row['deliveries']:,} at {row['rate']:.0f}/s, {row['posts']} posts"
    return [row["seed"], row["date"], done, sent, recover, f"**broken**: {wrong}" if wrong else "held"]


def _few(faults: dict[str, int]) -> dict[str, int]:
    """At most four deeds; the rest together."""
    if len(faults) <= 4:
        return faults
    first, others = list(faults.items())[:3], list(faults.values())[3:]
    return {**dict(first), "others like these": sum(others)}


def _breaches(row: Mapping[str, object]) -> dict[str, list[str]]:
    found = row["breaches"]
    assert isinstance(found, dict)
    return found


def _short(words: str) -> str:
    return words if len(words) <= _CELL else f"{words[:_CELL].rstrip(' ,')}…"


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"
