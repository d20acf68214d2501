"""`parvis query …`: nothing is read but what is given; no database is needed."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from shared.analysis.matcher import Matcher, listening
from shared.analysis.queries.evaluating import Span
from shared.analysis.queries.explaining import explain
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.printing import canonical
from shared.analysis.queries.problems import QueryProblem, QueryRefused
from shared.analysis.queries.subject import Subject
from shared.analysis.queries.tree import Node

query = typer.Typer(no_args_is_help=True, help="The boolean queries that listen.")
_AT_ONCE = 500


@query.callback()
def _of_queries() -> None:
    """A group, although it has one command."""


@query.command("test")
def try_out(
    written: Annotated[str, typer.Argument(metavar="QUERY", help="The query, in quotation marks of the shell.")],
    file: Annotated[Path | None, typer.Option(help="Texts to try it on, one a line; - is the standard input.")] = None,
) -> None:
    """Say what a query means, and which of some texts it matches, with what in them."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        node = parse(written)
    except QueryRefused as refused:
        _show_problem(console, written, refused.problem)
        raise typer.Exit(1) from None
    console.print(Text(explain(node)))
    console.print(Text(canonical(node), style="dim"))
    if file is not None:
        _try(console, node, _lines(file))


def _lines(file: Path) -> Iterator[str]:
    if str(file) == "-":
        yield from (line.rstrip("\n") for line in sys.stdin)
        return
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            yield from (line.rstrip("\n") for line in opened)
    except OSError as error:
        typer.echo(f"{file} can't be read: {error.strerror}.", err=True)
        raise typer.Exit(1) from None


def _try(console: Console, node: Node, lines: Iterable[str]) -> None:
    matcher = Matcher([listening(0, node)])
    read = matched = 0
    for some in _portions(lines):
        for number, (line, found) in enumerate(zip(some, matcher.match([Subject(one) for one in some]), strict=True)):
            if not found:
                continue
            matched += 1
            shown = _marked(line, found[0].spans, "bold reverse", console)
            console.print(Text(f"{read + number + 1}: ", style="dim") + shown)
        read += len(some)
    console.print(f"{matched:,} of {read:,} texts match.")


def _portions(lines: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for line in lines:
        some.append(line)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _marked(text: str, spans: Sequence[Span], style: str, console: Console) -> Text:
    """A text with its spans shown: by colour, or where there is none by brackets."""
    shown = Text()
    done = 0
    for start, end in spans:
        part = text[start:end]
        shown.append(text[done:start])
        shown.append(part if console.is_terminal else f"⟦{part}⟧", style)
        done = end
    return shown.append(text[done:])


def _show_problem(console: Console, written: str, problem: QueryProblem) -> None:
    console.print(_marked(written, [(problem.start, problem.end)], "bold reverse red", console))
    console.print(Text(f"{problem.message} ({problem.code}, characters {problem.start} to {problem.end})"))
