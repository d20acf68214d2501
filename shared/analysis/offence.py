"""How likely a text is rude, insulting or hateful."""

import numpy as np
from numpy.typing import NDArray

from shared.analysis import model
from shared.analysis.features import Features

Array = NDArray[np.float64]


def scores(features: Features, weights: model.Weights, groups: NDArray[np.int64]) -> Array:
    """The calibrated log-odds that each text is offensive."""
    raw = model.logits(features, weights.heads["offence"], groups, np.zeros(len(groups), dtype=np.int64))
    calibration = weights.calibrations["offence"][groups]
    return np.asarray(raw * calibration[:, 0] + calibration[:, 1])


def read(features: Features, weights: model.Weights, groups: NDArray[np.int64]) -> Array:
    """The chance of each text, 0 to 1."""
    return model.chance(scores(features, weights, groups))
