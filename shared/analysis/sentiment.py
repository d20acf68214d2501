"""Whether a text is positive, neutral or negative, with the chance that this is so."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.analysis import model
from shared.analysis.features import Features

LABELS = ("negative", "neutral", "positive")
Array = NDArray[np.float64]


def chances(values: Array) -> Array:
    """Softmax, row by row."""
    found = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Sentiments:
    """Of each text the index of its label, the calibrated chance of it, the polarity (chance of positive less that of
    negative, -1 to 1), and all chances (texts, LABELS)."""

    label: NDArray[np.int64]
    score: Array
    polarity: Array
    chances: Array


def scores(features: Features, weights: model.Weights, groups: NDArray[np.int64], kinds: NDArray[np.int64]) -> Array:
    """The calibrated logits of LABELS: each divided by its group's and kind's temperature, plus their offsets."""
    raw = np.stack([model.logits(features, weights.heads[label], groups, kinds) for label in LABELS], axis=1)
    calibration = weights.calibrations["sentiment"][groups, kinds]
    return np.asarray(raw * calibration[:, :1] + calibration[:, 1:])


def read(features: Features, weights: model.Weights, groups: NDArray[np.int64], kinds: NDArray[np.int64]) -> Sentiments:
    """The sentiments of a batch."""
    found = chances(scores(features, weights, groups, kinds))
    label = found.argmax(axis=1)
    return Sentiments(
        label=label,
        score=found[np.arange(len(found)), label],
        polarity=found[:, 2] - found[:, 0],
        chances=found,
    )
