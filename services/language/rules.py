"""The heads of intents, from lines whose intents somebody wrote down: signals and words, learned together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.language import fitting, seeing
from services.language.corpus import BadCorpus, Sheet
from services.language.fitting import Array, Penalty, Rows, Sizes
from services.language.training import Trained
from shared.analysis import intent, model, sentiment
from shared.analysis.features import BUCKETS

HELD = Penalty(grams=1.0, kind=1.0, figures=1.0, group=3.0)
LEAST = 2
"""Lines that an n-gram has to be in."""


@dataclass(frozen=True)
class Lines:
    """Lines as intents are learned from: n-grams (`column`, `sizes` a line), signals, languages' rows, and what is
    wanted of each, of shape (lines, INTENTS)."""

    column: NDArray[np.int64]
    sizes: NDArray[np.int64]
    signals: Array
    group: NDArray[np.int64]
    wanted: Array

    def rows(self) -> Rows:
        """The same for fitting."""
        return Rows.of(self.column, self.sizes, self.signals, self.group, least=LEAST)


def _targets(sheet: Sheet) -> Array:
    rows = []
    for line in sheet.lines:
        names = set(line.label.split(",")) - {"none"}
        if not names <= set(intent.INTENTS):
            raise BadCorpus(f"{sheet.path}: `{line.label}` is not made of {', '.join(intent.INTENTS)} or none.")
        rows.append([float(name in names) for name in intent.INTENTS])
    return np.array(rows)


def lines(sheets: Sequence[Sheet], weights: model.Weights) -> Lines:
    """The lines of all sheets. Raises BadCorpus at a label that is none."""
    found = []
    for sheet in sheets:
        features = seeing.seen([line.text for line in sheet.lines], sheet.language)
        group = np.full(len(sheet.lines), model.group_of(sheet.language), dtype=np.int64)
        moods = sentiment.read(features, weights, group, np.zeros_like(group))
        signals = intent.signals(features, weights, group, moods.chances)
        found.append(Lines(features.grams.bucket, features.grams.sizes, signals, group, _targets(sheet)))
    return Lines(*(np.concatenate([getattr(part, name) for part in found]) for name in Lines.__dataclass_fields__))


def fitted(given: Lines) -> Trained:
    """The head of each intent: weights of n-grams, and of signals for each language."""
    # Few of all buckets are met: the others are left out of the fitting.
    met, column = np.unique(given.column, return_inverse=True)
    rows = replace(given, column=column.astype(np.int64)).rows()
    sizes = Sizes(len(met), 1, given.signals.shape[1], len(model.GROUPS), 1)
    grams, figures = {}, {}
    for place, name in enumerate(intent.INTENTS):
        wanted = given.wanted[:, place : place + 1]
        point = fitting.fitted(rows, wanted, np.ones(len(wanted)), sizes, HELD, rounds=80)
        table = np.zeros((1, BUCKETS))
        table[0, met] = sizes.table(point)[0, :, 0] * fitting.STRENGTH
        grams[name], figures[name] = table, sizes.own(point)[:, 0]
    return Trained(grams, figures, np.zeros((0,)))
