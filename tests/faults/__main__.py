"""`python -m tests.faults [names…]`: the long forms, one after the other, and a page of what came of them."""

import argparse
import asyncio
import contextlib
import fnmatch
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.faults import report
from tests.faults.catalogue import FAULTS, REFERENCES
from tests.faults.effects import report as effects
from tests.faults.effects.catalogue import RUNS, WRONG, found_out
from tests.faults.effects.report import EffectsOutcome
from tests.faults.effects.stage import stage
from tests.faults.rig import Rig, rig
from tests.faults.run import RATE, Calm, Outcome, Plan, run, run_wrong
from tests.faults.scene import Fault
from tests.faults.surroundings import small_disk

_LONG, _SHORT = 60.0, 8.0  # seconds of deliveries, unless the fault takes longer
_HOW = (
    {name: fault.how for name, fault in FAULTS.items()}
    | {name: wrong.what for name, wrong in REFERENCES.items()}
    | {name: f"{run.what}: {run.how}" for name, run in RUNS.items()}
    | {name: wrong.what for name, wrong in WRONG.items()}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    names: Sequence[str]
    seed: int
    short: bool
    out: Path | None
    results: Path


def _asked(words: Sequence[str] | None = None) -> Asked:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="which faults, `*` for any word; none: all of them")
    parser.add_argument("--seed", type=int, default=1, help="what is said and what is hurt when follow from it")
    parser.add_argument("--short", action="store_true", help="the short forms, as in the suite")
    parser.add_argument("--list", action="store_true", help="name the faults and end")
    parser.add_argument("--json", type=Path, help="the file of results; beside --out if not given")
    parser.add_argument("--out", type=Path, help="the page to write, such as docs/promises.md")
    given = parser.parse_args(words)
    if given.list:
        for name, how in _HOW.items():
            print(f"{name:32} {how}")
        sys.exit(0)
    if unknown := [pattern for pattern in given.names if not fnmatch.filter(_HOW, pattern)]:
        parser.error(f"there is no fault {', '.join(sorted(unknown))}; --list names them")
    names = [name for name in _HOW if not given.names or any(fnmatch.fnmatchcase(name, it) for it in given.names)]
    results = given.json or (given.out.with_suffix(".json") if given.out else Path(".parvis-faults.json"))
    return Asked(names, given.seed, given.short, given.out, results)


def plan_for(fault: Fault, *, seed: int, short: bool) -> Plan:
    """Enough deliveries to last through the injury at the rate."""
    seconds = _SHORT if short else max(_LONG, fault.seconds + 20)
    return Plan(seed, short, int(RATE * seconds))


async def one(on: Rig, calm: Calm, name: str, asked: Asked) -> Outcome:
    """One fault, or one wrong design under its fault."""
    if name in REFERENCES:
        plan = plan_for(FAULTS[REFERENCES[name].fault], seed=asked.seed, short=asked.short)
        return await run_wrong(on, calm, name, plan, _say)
    return await run(on, calm, name, FAULTS[name], plan_for(FAULTS[name], seed=asked.seed, short=asked.short), _say)


async def everything(asked: Asked) -> bool:
    """Run what was asked for; whether all of it came out as it must."""
    calm, good = Calm(), True
    for small in (False, True):
        under_load = [name for name in asked.names if name in FAULTS or name in REFERENCES]
        names = [name for name in under_load if (name in FAULTS and FAULTS[name].small_disk) is small]
        if not names:
            continue
        async with _house(small=small) as house:
            for name in names:
                good = await _row(house, calm, name, asked) and good
    return await _effects([name for name in asked.names if name in RUNS or name in WRONG], asked) and good


async def _effects(names: Sequence[str], asked: Asked) -> bool:
    """The runs for effects, all on one stage."""
    if not names:
        return True
    good = True
    with tempfile.TemporaryDirectory(prefix="parvis-faults-", ignore_cleanup_errors=True) as place:
        async with stage(Path(place) / "house") as on:
            for name in names:
                began = time.monotonic()
                print(f"{name}: {_HOW[name]}", flush=True)
                tally = await (found_out(on, name) if name in WRONG else RUNS[name].inflict(on))
                made = effects.outcome(name, tally)
                _keep(made, asked)
                is_good = set(WRONG[name].breaks) <= set(made.breaches) if name in WRONG else made.held
                good = good and is_good
                word = (
                    ("found out" if is_good else "NOT FOUND OUT") if name in WRONG else "held" if is_good else "BROKEN"
                )
                print(f"  {word}: {effects.told(made)} ({time.monotonic() - began:.0f} s)")
                _tell_breaches(made.breaches)
    return good


def _keep(outcome: Outcome | EffectsOutcome, asked: Asked) -> None:
    results = report.keep(asked.results, outcome)
    if asked.out is not None:
        asked.out.write_text(report.render(results, rate=RATE), "utf-8")


async def _row(house: Rig | None, calm: Calm, name: str, asked: Asked) -> bool:
    began = time.monotonic()
    print(f"{name}: {FAULTS[name].how if name in FAULTS else REFERENCES[name].what}")
    if house is None:
        outcome = Outcome(name, asked.seed, "", {}, 0, 0.0, 0, None, skipped=FAULTS[name].missing())
    else:
        outcome = await one(house, calm, name, asked)
    _keep(outcome, asked)
    good = outcome.held or outcome.skipped is not None
    if name in REFERENCES:
        good = set(REFERENCES[name].breaks) <= set(outcome.breaches)
    _tell(outcome, good, time.monotonic() - began)
    return good


def _tell(outcome: Outcome, good: bool, seconds: float) -> None:
    if outcome.skipped:
        print(f"  skipped: {outcome.skipped}")
        return
    word = ("found out" if good else "NOT FOUND OUT") if outcome.name in REFERENCES else "held" if good else "BROKEN"
    recover = f"{outcome.recover:.1f} s" if outcome.recover is not None else "never"
    print(
        f"  {word}: {outcome.deliveries:,} deliveries, {outcome.posts} posts, recovered in {recover} ({seconds:.0f} s)"
    )
    _tell_breaches(outcome.breaches)


def _tell_breaches(breaches: Mapping[str, Sequence[str]]) -> None:
    for invariant, ways in breaches.items():
        print(f"  {invariant}:")
        for breach in ways:
            print(f"    {breach}")


@contextlib.asynccontextmanager
async def _house(*, small: bool) -> AsyncIterator[Rig | None]:
    """A house for some runs; None where the small disk that they need can't be made here."""
    if small and FAULTS["disk-full"].missing():
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="parvis-faults-", ignore_cleanup_errors=True) as place:
        disk = small_disk(Path(place) / "disk") if small else contextlib.nullcontext(Path(place))
        with disk as folder:
            async with rig(folder / "house") as house:
                yield house


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    """The entry point: exit code 1 where a promise did not hold, or a wrong design was not found out."""
    asked = _asked()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(0 if runner.run(everything(asked)) else 1)


if __name__ == "__main__":
    main()
