"""The weights of intents' signals, from lines whose intents somebody wrote down."""

from collections.abc import Sequence

import numpy as np

from services.language import seeing
from services.language.corpus import BadCorpus, Sheet
from services.language.fitting import Array, minimised
from shared.analysis import intent, model, sentiment

HELD = 0.5
"""How strongly weights are held to zero: they are few, and so are the lines."""


def signals(sheet: Sheet, weights: model.Weights) -> Array:
    """The signals of a sheet's lines: shape (lines, SIGNALS)."""
    found = seeing.seen([line.text for line in sheet.lines], sheet.language)
    groups = np.full(len(sheet.lines), model.group_of(sheet.language), dtype=np.int64)
    kinds = np.zeros_like(groups)
    moods = sentiment.read(found, weights, groups, kinds)
    return intent.signals(found, moods.chances, model.logits(found, weights.heads["question"], groups, kinds))


def targets(sheet: Sheet) -> Array:
    """Which intents each line has: shape (lines, INTENTS). Raises BadCorpus at a label that is none."""
    rows = []
    for line in sheet.lines:
        names = set(line.label.split(",")) - {"none"}
        if not names <= set(intent.INTENTS):
            raise BadCorpus(f"{sheet.path}: `{line.label}` is not made of {', '.join(intent.INTENTS)} or none.")
        rows.append([float(name in names) for name in intent.INTENTS])
    return np.array(rows)


def fitted(found: Array, wanted: Array) -> Array:
    """The weights of signals for each intent: shape (INTENTS, SIGNALS)."""
    shape = wanted.shape[1], found.shape[1]
    held = np.full(shape, HELD)
    held[:, -1] = 0.01

    def objective(point: Array) -> tuple[float, Array]:
        table = point.reshape(shape)
        odds = found @ table.T
        value = float((np.logaddexp(0.0, odds) - wanted * odds).sum() + 0.5 * (held * table * table).sum())
        error = 1.0 / (1.0 + np.exp(-odds)) - wanted
        return value, (error.T @ found + held * table).ravel()

    return minimised(objective, np.zeros(shape[0] * shape[1]), rounds=300, tolerance=1e-9).reshape(shape)


def rules(sheets: Sequence[Sheet], weights: model.Weights) -> dict[str, dict[str, float]]:
    """The weights by intent and signal, rounded, without those that are nothing."""
    found = np.concatenate([signals(sheet, weights) for sheet in sheets])
    table = np.round(fitted(found, np.concatenate([targets(sheet) for sheet in sheets])), 2)
    return {
        name: {signal: float(value) for signal, value in zip(intent.SIGNALS, row, strict=True) if value}
        for name, row in zip(intent.INTENTS, table, strict=True)
    }
