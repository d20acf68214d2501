"""Weights from labelled texts: the moods, offence, and what a question is without its mark."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.language import fitting, seeing
from services.language.corpus import BadCorpus, Sheet
from services.language.fitting import Array, Penalty, Sizes
from services.language.sources import Task
from shared.analysis import model
from shared.analysis.features import BUCKETS, FIGURES

MOODS = Penalty(grams=40.0, kind=100.0, figures=5.0, group=30.0)
RUDE = Penalty(grams=20.0, kind=20.0, figures=3.0, group=30.0)
ASKS = Penalty(grams=20.0, kind=20.0, figures=3.0, group=10.0)
LEAST = 2
"""Texts that an n-gram has to be in."""

_SHARES = {"mabsa": 0.1, "potts": 0.5, "mlma": 0.6}
"""How much a text counts of sources that are large, or labelled by something else than a reader (1 for all others)."""

_WORSE = {"olid": 1.5, "ge18": 1.5}
"""How many times more an offensive text counts where most are not: what is missed weighs more than a false alarm."""

_BESIDE = 0.5
"""How much a text counts that is taken as harmless, because nobody looked for offence where it comes from."""


@dataclass(frozen=True)
class Trained:
    """The heads of one task by name, and its calibration."""

    grams: dict[str, Array]
    figures: dict[str, Array]
    calibration: Array


def _of(sheets: Sequence[Sheet], task: Task, split: str) -> list[Sheet]:
    return [sheet for sheet in sheets if sheet.source.task == task and sheet.split == split and sheet.lines]


def _labels(sheets: Sequence[Sheet], classes: int) -> NDArray[np.int64]:
    found = [line.label for sheet in sheets for line in sheet.lines]
    if not set(found) <= {str(number) for number in range(classes)}:
        raise BadCorpus(f"{', '.join(sheet.path.name for sheet in sheets)}: expected labels 0 to {classes - 1}.")
    return np.array(found, dtype=np.int64)


def _counted(sheets: Sequence[Sheet]) -> Array:
    return np.concatenate([np.full(len(sheet.lines), _SHARES.get(sheet.name, 1.0)) for sheet in sheets])


def _sizes(kinds: int, outputs: int) -> Sizes:
    return Sizes(buckets=BUCKETS, kinds=kinds, figures=len(FIGURES) + 1, groups=len(model.GROUPS), outputs=outputs)


def _heads(names: Sequence[str], point: Array, sizes: Sizes) -> tuple[dict[str, Array], dict[str, Array]]:
    """The weights by name, n-grams' (kinds, BUCKETS) and figures' (groups, figures); of several outputs less their
    mean, which changes no chance and takes fewer bits."""
    table, own = sizes.table(point) * fitting.STRENGTH, sizes.own(point)
    if sizes.outputs > 1:
        table = table - table.mean(axis=2, keepdims=True)
        own = own - own.mean(axis=1, keepdims=True)
    grams = {name: np.ascontiguousarray(table[:, :, place]) for place, name in enumerate(names)}
    return grams, {name: own[:, place] for place, name in enumerate(names)}


def best_temperature(loss: Callable[[float], float], *, whole: float = 1.0) -> float:
    """The factor of logits, from 0.4 to 2.5, at which `loss` is least, near `whole` where little is gained."""
    tried = np.exp(np.linspace(np.log(0.4), np.log(2.5), 81))
    return float(tried[int(np.argmin([loss(float(factor)) + 0.5 * np.log(factor / whole) ** 2 for factor in tried]))])


def sentiment(sheets: Sequence[Sheet]) -> Trained:
    """The three moods, learned from tweets and reviews of all languages at once; their chances made right on what was
    kept, for each language and kind of source."""
    learned = _of(sheets, "sentiment", "train")
    targets = np.eye(3)[_labels(learned, 3)]
    sizes = _sizes(len(model.KINDS), 3)
    table = seeing.rows(learned, kinds=True, least=LEAST)
    point = fitting.fitted(table, targets, _counted(learned), sizes, MOODS, rounds=40)
    calibration = np.zeros((len(model.GROUPS), len(model.KINDS), 4))
    kept = _of(sheets, "sentiment", "dev")
    logits = fitting.logits(seeing.rows(kept, kinds=True), sizes, point)
    labels = _labels(kept, 3)
    group = np.concatenate([np.full(len(s.lines), model.group_of(s.language)) for s in kept])
    kind = np.concatenate([np.full(len(s.lines), seeing.kind(s)) for s in kept])
    for row in range(len(model.GROUPS)):
        for column in range(len(model.KINDS)):
            whole = _temperature(logits[kind == column], labels[kind == column], 1.0)
            chosen = (kind == column) & (group == row)
            calibration[row, column, 0] = _temperature(logits[chosen], labels[chosen], whole)
    grams, figures = _heads(("negative", "neutral", "positive"), point, sizes)
    return Trained(grams, figures, calibration)


def _temperature(logits: Array, labels: NDArray[np.int64], whole: float) -> float:
    def loss(factor: float) -> float:
        chances = fitting.softmax(logits * factor)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(chances, 1e-12)).sum())

    return best_temperature(loss, whole=whole) if len(labels) else whole


def _harmless(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Ordinary talk, reviews and complaints, as what offends nobody: without it French would be known by hate alone."""
    return [
        replace(sheet, lines=tuple(replace(line, label="0") for line in sheet.lines[::step]))
        for sheet in [*_of(sheets, "sentiment", "train"), *_of(sheets, "intent", "train")]
        for step in [6 if sheet.source.kind == "review" else 1]
        if sheet.language != "en" or sheet.source.task == "intent"
    ]


def offence(sheets: Sequence[Sheet]) -> Trained:
    """Offence, learned from labelled tweets beside ordinary texts."""
    labelled, harmless = _of(sheets, "offence", "train"), _harmless(sheets)
    learned = labelled + harmless
    weights = np.concatenate((_counted(labelled), np.full(sum(len(sheet.lines) for sheet in harmless), _BESIDE)))
    sizes = _sizes(1, 1)
    table = seeing.rows(learned, kinds=False, least=LEAST)
    targets = _labels(learned, 2).astype(np.float64)[:, None]
    worse = np.concatenate([np.full(len(sheet.lines), _WORSE.get(sheet.name, 1.0)) for sheet in learned])
    weights *= np.where(targets[:, 0] > 0, worse, 1.0)
    point = fitting.fitted(table, targets, weights, sizes, RUDE, rounds=40)
    kept = _of(sheets, "offence", "dev")
    logits = fitting.logits(seeing.rows(kept, kinds=False), sizes, point)[:, 0]
    labels = _labels(kept, 2)
    group = np.concatenate([np.full(len(s.lines), model.group_of(s.language)) for s in kept])
    calibration = np.zeros((len(model.GROUPS), 2))
    for row in range(len(model.GROUPS)):
        calibration[row, 0] = _slope(logits[group == row], labels[group == row])
    grams, figures = _heads(("offence",), point, sizes)
    # A language of which nothing offensive was there to learn from has the weights that all have in common.
    known = {model.group_of(sheet.language) for sheet in labelled}
    for row in set(range(len(model.GROUPS))) - known:
        figures["offence"][row] = sizes.parts(point)[1][0, 0]
    return Trained(grams, figures, calibration)


def _slope(logits: Array, labels: NDArray[np.int64]) -> float:
    def loss(factor: float) -> float:
        return float((np.logaddexp(0.0, logits * factor) - labels * logits * factor).sum())

    return best_temperature(loss) if len(labels) else 1.0


def _asking(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Lines labelled by whether they have a question mark; of those without, as many as three for each with one."""
    found = []
    for sheet in sheets:
        if sheet.split != "train" or sheet.source.task == "intent":
            continue
        marked = {line.text for line in sheet.lines if "?" in line.text}
        step = max(1, (len(sheet.lines) - len(marked)) // max(3 * len(marked), 1))
        lines = [
            replace(line, label=str(int(line.text in marked)))
            for line in sheet.lines
            if line.text in marked or zlib.crc32(line.text.encode("utf-8", "surrogatepass")) % step == 0
        ]
        found.append(replace(sheet, lines=tuple(lines)))
    return found


def question(sheets: Sequence[Sheet]) -> Trained:
    """What a question is by its words: learned from any texts, whose question marks are the labels and are then taken
    out."""
    learned = _asking(sheets)
    sizes = _sizes(1, 1)
    table = seeing.rows(learned, kinds=False, least=LEAST, without="?")
    targets = _labels(learned, 2).astype(np.float64)[:, None]
    point = fitting.fitted(table, targets, np.ones(len(targets)), sizes, ASKS, rounds=30)
    grams, figures = _heads(("question",), point, sizes)
    return Trained(grams, figures, np.zeros((0,)))
