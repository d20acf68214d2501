"""`parvis train` and `parvis evaluate`."""

import json
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.language import corpus, deepening, embeddings, judging, keeping, rules, showing, training
from services.language.corpus import BadCorpus
from services.language.embeddings import Cached
from services.language.sources import Kind, Task
from shared.analysis import model
from shared.analysis.deep import read as read_deep


class Tier(StrEnum):
    """What is learned: the fast reader of everything, or the deep one of moods, which stands beside it."""

    FAST = "fast"
    DEEP = "deep"


def train(
    tier: Annotated[Tier, typer.Argument(help="The deep one needs the extra `parvis[deep]`.")] = Tier.FAST,
    *,
    data: Annotated[
        list[Path], typer.Option("--data", metavar="DIR", help="A folder of labelled texts; may be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the weights are written.")] = model.FOLDER,
    only_intents: Annotated[bool, typer.Option("--only-intents", help="Only the weights of intents' signals.")] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="FILE", help="Where the deep tier's embeddings are kept.")
    ] = None,
) -> None:
    """Learn the weights by which texts are read, from folders of label<TAB>text (some minutes)."""
    sheets = [sheet for folder in data for sheet in corpus.sheets(folder)]
    if tier is Tier.DEEP:
        if not (out / "model.json").exists():
            raise BadCorpus(f"{out} holds no fast weights yet, which the deep ones stand beside.")
        found = embeddings.installed()
        embed = Cached(found.embed, found.name, cache, lambda done, of: typer.echo(f"Embedded {done:,} of {of:,} …"))
        typer.echo(f"Kept as {deepening.train(sheets, embed, out)} in {out}.")
        return
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
    deep: Annotated[bool, typer.Option("--deep", help="Moods also by the deep tier, beside the fast one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show how well texts are read, by labelled ones: <task>_<language>….tsv, or a known source's name."""
    if not data.is_dir():
        raise BadCorpus(f"{data} is no folder.")
    files = judging.given(data, task=task, kind=kind, language=language)
    second = partial(read_deep, embed=embeddings.installed().embed) if deep else None
    verdicts = [verdict for file in files for verdict in judging.both(file, second)]
    if as_json:
        typer.echo(json.dumps([asdict(verdict) for verdict in verdicts], indent=1, ensure_ascii=False))
    else:
        Console(width=None if Console().is_terminal else 200).print(showing.table(verdicts))
