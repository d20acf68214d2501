"""What was found, as JSON, as a page and on a terminal. A benchmark that runs alone replaces its own section only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.benchmarks.conditions import Conditions
from tests.benchmarks.measuring import Figure, Measurement, Result, Side, Target


@dataclass(frozen=True, slots=True)
class Taken:
    """One benchmark that ran: its result, or why there is none."""

    name: str
    conditions: Conditions
    seconds: float
    result: Result | None = None
    failure: str | None = None

    @property
    def spread(self) -> float:
        """The widest range of any measurement, as a share of its median."""
        sides = self.result.sides if self.result else ()
        return max((it.spread for side in sides for it in side.measurements), default=0.0)


_FILE = TypeAdapter(dict[str, Taken])


def read(path: Path) -> dict[str, Taken]:
    """What earlier runs left in this JSON file, by benchmark."""
    return _FILE.validate_json(path.read_bytes()) if path.exists() else {}


def write(path: Path, taken: Mapping[str, Taken]) -> None:
    """Write the JSON file whole."""
    path.write_bytes(_FILE.dump_json(dict(taken), indent=2) + b"\n")


def in_order(taken: Mapping[str, Taken], order: Sequence[str]) -> list[Taken]:
    """The benchmarks that ran, in this order; those that no longer exist are left out."""
    return [taken[name] for name in order if name in taken]


# ---------------------------------------------------------------- words and numbers


def number(value: float) -> str:
    """Three figures, or all of them before the point."""
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 3
    return f"{value:,.{places}f}"


def amount(value: float, unit: str) -> str:
    """A number with its unit."""
    gap = "" if unit.startswith(("/", "×")) else " "
    return f"{number(value)}{gap}{unit}" if unit else number(value)


def said(target: Target) -> str:
    """What is to be reached."""
    return f"{target.sign} {amount(target.limit, target.unit)}"


def judged(target: Target) -> str:
    return "met" if target.is_met else "missed"


def _span(found: Measurement) -> str:
    if len(found.samples) < 2:
        return ""
    return f"{number(found.lowest)}–{number(found.highest)}"


def figures(sides: Sequence[Side]) -> list[Figure]:
    """The columns: every figure that some side has, in the order in which they come."""
    return list(dict.fromkeys(it.figure for side in sides for it in side.measurements))


def _cell(side: Side, figure: Figure) -> Measurement | None:
    return next((it for it in side.measurements if it.figure == figure), None)


# ---------------------------------------------------------------- the page

_HEAD = """# Performance

Parvis beside what one would use instead, and beside the limit of what the machine does. Written by `make bench`; run it
on your own machine, for rates differ from one to the next. Hold on to the ratios, and to processor time.

Each comparison runs both sides in one run: on the same servers (PostgreSQL with fsync on, Valkey), under the same
database roles and policies, both started by the program and warmed up, then measured in turns (A, B, A, B, …). The
tables give the median of the rounds and, behind it, the lowest and the highest. What is measured has the machine's last
core to itself; load and database share the others. After each round the work is proved: a benchmark whose proof fails
is reported as failed and gives no figure. The references are small fixed files in `tests/benchmarks/references`.

```
make bench                            # all of it, into this page
make bench ONLY="door page"           # these alone; the other sections stay as they are
make bench ARGS="--short"             # few and small rounds: to see that it works
python -m tests.benchmarks --list     # what there is
```

The figures of this page, with every sample, are also in `performance.json` beside it.
"""


def page(taken: Sequence[Taken]) -> str:
    """The whole page in Markdown."""
    parts = [_HEAD, *_where(taken), "## Targets\n", *_targets(taken)]
    for one in taken:
        parts += _section(one)
    return "\n".join(parts).rstrip() + "\n"


def _where(taken: Sequence[Taken]) -> list[str]:
    if not taken:
        return ["Nothing was measured yet.\n"]
    newest = max(taken, key=lambda it: it.conditions.taken_at).conditions
    versions = ", ".join(f"{name} {number}" for name, number in newest.versions.items())
    return [f"Measured on {newest.machine}.", f"{versions}.\n"]


def _targets(taken: Sequence[Taken]) -> list[str]:
    rows = ["| | wanted | reached | |", "|---|---|---|---|"]
    for one in taken:
        if one.result is None:
            rows.append(f"| [{one.name}](#{one.name}) | | | **failed** |")
            continue
        for target in one.result.targets:
            mark = judged(target) if target.is_met else f"**{judged(target)}**"
            reached = amount(target.value, target.unit)
            rows.append(f"| [{one.name}](#{one.name}): {target.text} | {said(target)} | {reached} | {mark} |")
    return [*rows, ""]


def _section(one: Taken) -> list[str]:
    lines = [f"## {one.name}\n"]
    if one.result is None:
        return [*lines, f"**No figures: {one.failure}**\n", _taken(one)]
    result = one.result
    lines += [f"**{result.title}.** {result.what}\n", *_table(result.sides), ""]
    for target in result.targets:
        found = f"{target.text}: {amount(target.value, target.unit)}, wanted {said(target)}"
        lines.append(f"- {found}: " + ("met." if target.is_met else "**missed**."))
    if result.targets:
        lines.append("")
    lines += [f"Proved: {result.verified}\n", *(f"{note}\n" for note in result.notes), _taken(one)]
    return lines


def _table(sides: Sequence[Side]) -> list[str]:
    columns = figures(sides)
    rows = ["| | " + " | ".join(f"{it.name}, {it.unit}" if it.unit else it.name for it in columns) + " |"]
    rows.append("|---" * (len(columns) + 1) + "|")
    for side in sides:
        cells = [_told(_cell(side, figure)) for figure in columns]
        rows.append(f"| {side.name} | " + " | ".join(cells) + " |")
    return rows


def _told(found: Measurement | None) -> str:
    if found is None:
        return ""
    span = _span(found)
    return f"**{number(found.median)}**" + (f" ({span})" if span else "")


def _taken(one: Taken) -> str:
    at = one.conditions
    form = " in the short form, which is no measurement" if at.short else ""
    return (
        f"*{at.taken_at:%Y-%m-%d %H:%M} UTC, {at.rounds} rounds{form}, {one.seconds:.0f} s; load average before it"
        f" {at.load:.2f}, widest range of a figure {one.spread:.0%} of its median; {at.machine}.*\n"
    )


# ---------------------------------------------------------------- the terminal


def show(console: Console, one: Taken) -> None:
    """Print one benchmark."""
    console.rule(f"[bold]{one.name}")
    if one.result is None:
        console.print(f"[bold red]failed[/] {escape(one.failure or '')}")
        return
    console.print(escape(f"{one.result.title}. {one.result.what}"), style="dim")
    columns = figures(one.result.sides)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("")
    for column in columns:
        table.add_column(f"{column.name}\n{column.unit}", justify="right")
    for side in one.result.sides:
        table.add_row(side.name, *(_shown(_cell(side, column)) for column in columns))
    console.print(table)
    for target in one.result.targets:
        colour = "green" if target.is_met else "bold red"
        reached = escape(f"{target.text}: {amount(target.value, target.unit)}")
        console.print(f"[{colour}]{judged(target):>6}[/] {reached} [dim](wanted {said(target)})[/]")
    console.print(f"[green]proved[/] {escape(one.result.verified)}")
    for note in one.result.notes:
        console.print(escape(note), style="dim")
    at = one.conditions
    console.print(f"[dim]{one.seconds:.0f} s, {at.rounds} rounds, load {at.load:.2f}, spread {one.spread:.0%}[/]")


def _shown(found: Measurement | None) -> str:
    if found is None:
        return ""
    span = _span(found)
    return f"[bold]{number(found.median)}[/]" + (f"\n[dim]{span}[/]" if span else "")
