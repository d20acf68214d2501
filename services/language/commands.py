"""`parvis train` and `parvis evaluate`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.language import corpus, judging, keeping, rules, showing, training
from services.language.corpus import BadCorpus
from services.language.sources import Kind, Task
from shared.analysis import model


def train(
    data: Annotated[
        list[Path], typer.Option("--data", metavar="DIR", help="A folder of labelled texts; may be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the weights are written.")] = model.FOLDER,
    only_intents: Annotated[bool, typer.Option("--only-intents", help="Only the weights of intents' signals.")] = False,
) -> None:
    """Learn the weights by which texts are read, from folders of label<TAB>text (some minutes)."""
    sheets = [sheet for folder in data for sheet in corpus.sheets(folder)]
    intents = [sheet for sheet in sheets if sheet.source.task == "intent"]
    if only_intents and not (out / "model.json").exists():
        raise BadCorpus(f"{out} holds no weights yet, which intents are learned beside.")
    if not only_intents:
        trained = {}
        for task, learn in (
            ("sentiment", training.sentiment),
            ("offence", training.offence),
            ("question", training.question),
        ):
            typer.echo(f"Learning {task} …")
            trained[task] = learn(sheets)
        typer.echo(f"Kept as {keeping.keep(out, trained, sheets)} in {out}.")
    if intents:
        typer.echo("Learning intents …")
        keeping.keep_rules(out, rules.rules(intents, model.folder_weights(out)))


def evaluate(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="A folder of label<TAB>text files.")],
    task: Annotated[Task | None, typer.Option(help="What the labels are, where names do not say it.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="What the texts are, where names do not say it.")] = None,
    language: Annotated[str | None, typer.Option(help="Their language, where names do not say it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show how well texts are read, by labelled ones: <task>_<language>….tsv, or a known source's name."""
    if not data.is_dir():
        raise BadCorpus(f"{data} is no folder.")
    verdicts = [judging.judged(file) for file in judging.given(data, task=task, kind=kind, language=language)]
    if as_json:
        typer.echo(json.dumps([asdict(verdict) for verdict in verdicts], indent=1, ensure_ascii=False))
    else:
        Console(width=None if Console().is_terminal else 200).print(showing.table(verdicts))
