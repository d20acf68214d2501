"""`python -m tests.faults.soak`: a steady load on a whole house, and whether anything grows that should not."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.soak import verdict, watch
from tests.faults.soak.house import Soaked, house, soak
from tests.faults.soak.verdict import MB, Finding


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the load lasts (30)")
    parser.add_argument("--rate", type=float, default=50.0, help="deliveries a second (50)")
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two samples (5)")
    parser.add_argument("--seed", type=int, default=1, help="of the load's chance (1)")
    parser.add_argument("--json", type=Path, help="where to write every sample and verdict")
    return parser.parse_args()


def main() -> int:
    """Run the soak; 0 where nothing is lost, doubled, left behind or growing."""
    given = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 110)
    with tempfile.TemporaryDirectory(prefix="parvis-soak-") as place:
        up = house(Path(place) / "house")
        console.print("Starting a house.")
        up.start()
        try:
            found = asyncio.run(
                soak(
                    up, seconds=given.minutes * 60, interval=given.interval, rate=given.rate, seed=given.seed,
                    say=console.print,
                )
            )  # fmt: skip
        finally:
            up.stop()
    series = watch.aligned(found.samples)
    verdicts = verdict.judge(found.at, found.sent, series)
    show(console, found, verdicts)
    if given.json:
        given.json.write_text(json.dumps(_report(given, found, verdicts, series), indent=1))
    return 1 if found.wrong or any(one.grows for one in verdicts) else 0


def _report(
    given: argparse.Namespace, found: Soaked, verdicts: list[Finding], series: dict[str, list[float]]
) -> dict[str, object]:
    told = found.told
    return {
        "minutes": given.minutes,
        "rate": given.rate,
        "seed": given.seed,
        "deliveries": told.deliveries,
        "done": dict(told.done),
        "wrong": found.wrong,
        "verdicts": verdict.to_json(verdicts),
        "worked": found.worked,
        "at": found.at,
        "sent": found.sent,
        "series": series,
    }


def show(console: Console, found: Soaked, verdicts: list[Finding]) -> None:
    """The table: what has drifted or grown, everything about processes, and the rest in one line."""
    table = Table(title=f"Soak: {found.told.deliveries:,} deliveries in {found.at[-1] / 60:.0f} minutes")
    for name in ("series", "at first", "second half", "drift there", "allowed", ""):
        table.add_column(name, justify="left" if name in {"series", ""} else "right", no_wrap=True)
    quiet = 0
    for one in verdicts:
        if not one.grows and one.name.split(" ")[0] in {"rows", "size"} and abs(one.drift) < one.limit / 4:
            quiet += 1
            continue
        cells = (one.first, one.level, one.drift, one.limit)
        table.add_row(
            one.name, *(_number(one.name, cell) for cell in cells), "[bold red]grows[/]" if one.grows else "flat"
        )
    console.print(table)
    console.print(f"{quiet} series of tables moved by less than a quarter of what they may.")
    _show_work(console, found)
    for sentence in found.wrong:
        console.print(f"[bold red]wrong:[/] {sentence}")
    if not found.wrong:
        told = found.told
        console.print(
            f"Counted: {len(told.heard):,} mentions, {len(told.deleted):,} of them deleted, {told.repeats:,} repeats,"
            f" {len(told.said):,} polled, {len(told.posts):,} posts published once, {told.done['events']:,} events"
            " pushed in their order; nothing lost, nothing twice, nothing left behind."
        )


def _show_work(console: Console, found: Soaked) -> None:
    """What one delivery cost each process in either half, reads and posts included."""
    table = Table(title="Processor time by delivery, all that was done meanwhile included; resident memory")
    for name in ("process", "first half", "second half", "resident"):
        table.add_column(name, justify="left" if name == "process" else "right")
    (first, a), (middle, b), (last, c) = found.worked
    for name in a:
        halves = [(b[name] - a[name], middle - first), (c[name] - b[name], last - middle)]
        shown = [f"{1000 * seconds / max(1, count):.2f} ms" for seconds, count in halves]
        table.add_row(name, *shown, f"{found.resident[name] / MB:.0f} MB")
    console.print(table)
    console.print(f"Logs: {found.logs / MB:.1f} MB.")


def _number(name: str, value: float) -> str:
    in_bytes = name.split(" ", maxsplit=1)[0] in {"memory", "size", "redis"}
    return f"{value / MB:,.2f} MB" if in_bytes else f"{value:,.1f}"


if __name__ == "__main__":
    sys.exit(main())
