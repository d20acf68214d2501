"""`python -m tests.benchmarks [NAME…]`: run them, show what they found, and write it into the page. See --help."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from tests.benchmarks import (
    calendar,
    copying,
    door,
    due,
    growth,
    latency,
    matching,
    memory,
    page,
    report,
    search,
    share,
    voice,
    worker,
)
from tests.benchmarks.conditions import conditions
from tests.benchmarks.measuring import Plan, Result, Unverified
from tests.benchmarks.report import Taken
from tests.benchmarks.rig import DidNotStart, Rig, rig

Benchmark = Callable[[Rig, Plan], Coroutine[Any, Any, Result]]

# Every benchmark, in the order of the page.
BENCHMARKS: dict[str, Benchmark] = {
    "door": door.measure,
    "latency": latency.measure,
    "worker": worker.measure,
    "due": due.measure,
    "page": page.measure,
    "share": share.measure,
    "voice": voice.measure,
    "growth": growth.measure,
    "calendar": calendar.measure,
    "search": search.measure,
    "matching": matching.measure,
    "copies": copying.measure,
    "memory": memory.measure,
}


def main(arguments: Sequence[str]) -> int:
    """Run what is named, or all; 1 where one failed or could not be proved. A missed target is no failure."""
    told = _read(arguments)
    console = Console(highlight=False)
    if told.list:
        for name, benchmark in BENCHMARKS.items():
            console.print(f"[bold]{name:10}[/] {(benchmark.__doc__ or '').strip().splitlines()[0]}")
        return 0
    logging.disable(logging.INFO)
    names = [name for name in BENCHMARKS if name in told.names] if told.names else list(BENCHMARKS)
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder:
        plan = Plan(Path(folder), rounds=told.rounds or (1 if told.short else 5), short=told.short, seed=told.seed)
        with rig(plan.work) as made:
            taken = {name: _run(name, made, plan, console) for name in names}
    _keep(taken, told.out, told.json)
    return int(any(one.failure for one in taken.values()))


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure Parvis beside others.")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help="which ones; none: all")
    parser.add_argument("--rounds", type=int, help="measured rounds of each side (5; 1 in the short form)")
    parser.add_argument("--short", action="store_true", help="small amounts: to see that it works, not to measure")
    parser.add_argument("--seed", type=int, default=1, help="seed of whatever is left to chance (1)")
    parser.add_argument("--out", type=Path, help="page to write; what it holds of other benchmarks stays")
    parser.add_argument("--json", type=Path, help="write what was found now, with every sample, to this file too")
    parser.add_argument("--list", action="store_true", help="say which there are")
    return parser.parse_args(arguments)


def _run(name: str, made: Rig, plan: Plan, console: Console) -> Taken:
    before, began = conditions(plan), time.monotonic()
    result: Result | None = None
    failure: str | None = None
    console.print(f"[dim]{name} …[/]")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(BENCHMARKS[name](made, plan))
    except (Unverified, DidNotStart) as error:
        failure = str(error)
    except Exception as error:
        console.print_exception()
        failure = f"it broke: {type(error).__name__}: {error}"
    taken = Taken(name, before, time.monotonic() - began, result, failure)
    report.show(console, taken)
    return taken


def _keep(taken: dict[str, Taken], out: Path | None, json: Path | None) -> None:
    if json is not None:
        report.write(json, taken)
    if out is not None:
        beside = out.with_suffix(".json")
        every = report.read(beside) | taken
        report.write(beside, every)
        out.write_text(report.page(report.in_order(every, list(BENCHMARKS))), "utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
