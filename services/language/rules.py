"""The weights of intents' signals, from lines whose intents somebody wrote down."""

from collections.abc import Sequence

import numpy as np

from services.language import seeing
from services.language.corpus import BadCorpus, Sheet
from services.language.fitting import Array, minimised
from shared.analysis import intent, model, sentiment

HELD = 1.0
"""How strongly weights are held to what is expected of them: they are few, and so are the lines."""


EXPECTED = {
    "criticism": {"negative": 4.0, "positive": -1.5, "criticism": 1.5},
    "praise": {"positive": 3.0, "negative": -1.5, "praise": 1.5},
    "question": {"asked with a mark": 3.0, "a mark alone": 3.0, "asked without a mark": 2.0, "unmarked": 1.5},
    "request": {"asked to do": 3.0, "asked whether able, for me": 2.0},
    "thanks": {"thanked": 4.0},
}
"""What weights are held to: what one would say without any line. The lists of cues grew with the lines, which therefore
make too much of cues and too little of moods."""

FIRM = 4.0
"""How many times more strongly moods' weights are held."""

FIRMEST = 100.0
"""And those of a handle for a mood: in the lines it is mostly a friend's, on networks mostly the brand's."""


_MOODS = ("criticism", "praise", "thanks")


def expected() -> tuple[Array, Array]:
    """What weights are held to, and how strongly: both of shape (INTENTS, SIGNALS)."""
    means = np.array([[EXPECTED[name].get(signal, 0.0) for signal in intent.SIGNALS] for name in intent.INTENTS])
    held = np.full(means.shape, HELD)
    held[:, [intent.SIGNALS.index(signal) for signal in ("negative", "positive")]] *= FIRM
    held[:, intent.SIGNALS.index("names somebody")] *= [FIRMEST if name in _MOODS else 1.0 for name in intent.INTENTS]
    held[:, -1] = 0.01
    return means, held


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
    means, held = expected()

    def objective(point: Array) -> tuple[float, Array]:
        table = point.reshape(means.shape)
        odds = found @ table.T
        away = table - means
        value = float((np.logaddexp(0.0, odds) - wanted * odds).sum() + 0.5 * (held * away * away).sum())
        error = 1.0 / (1.0 + np.exp(-odds)) - wanted
        return value, (error.T @ found + held * away).ravel()

    return minimised(objective, means.ravel(), rounds=300, tolerance=1e-9).reshape(means.shape)


def rules(sheets: Sequence[Sheet], weights: model.Weights) -> dict[str, dict[str, float]]:
    """The weights by intent and signal, rounded, without those that are nothing."""
    found = np.concatenate([signals(sheet, weights) for sheet in sheets])
    table = np.round(fitted(found, np.concatenate([targets(sheet) for sheet in sheets])), 2)
    return {
        name: {signal: float(value) for signal, value in zip(intent.SIGNALS, row, strict=True) if value}
        for name, row in zip(intent.INTENTS, table, strict=True)
    }
