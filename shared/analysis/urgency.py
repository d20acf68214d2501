"""How soon somebody should look: a sum of what can be named, turned into 0 to 1."""

import numpy as np
from numpy.typing import NDArray

from shared.analysis import cues, model
from shared.analysis.features import Features

Array = NDArray[np.float64]

REASONS = (
    "safety", "legal", "press", "deadline", "leaving", "anger", "fear", "criticism", "request", "negative", "shouted",
    "exclaims", "advert", "the constant",
)  # fmt: skip
WEIGHTS = {
    "safety": 2.0,
    "legal": 1.5,
    "press": 0.9,
    "deadline": 1.1,
    "leaving": 0.9,
    "anger": 0.6,
    "fear": 0.8,
    "criticism": 0.3,
    "request": 0.5,
    "negative": 1.6,
    "shouted": 0.3,
    "exclaims": 0.2,
    "advert": -1.2,
    "the constant": -3.4,
}
"""Log-odds that each reason adds, for one occurrence; two count as 1.4, four as 2."""


def reasons(features: Features, chances: Array) -> Array:
    """What speaks for urgency in each text: shape (texts, REASONS). Words that a negation turns round do not count."""
    words, hits = features.words, features.hits
    plain = ~features.negated[hits.first]
    known = cues.cues()
    counts = np.zeros((words.size, len(known.names)), dtype=np.int64)
    np.add.at(counts, hits.text[plain], known.members[hits.combination[plain]])
    columns = []
    for reason in REASONS:
        match reason:
            case "negative":
                columns.append(chances[:, 0])
            case "shouted":
                columns.append(np.sqrt(np.minimum(words.count(words.shouted), 4)))
            case "exclaims":
                columns.append(np.sqrt(np.minimum(words.count(words.exclaims), 4)))
            case "the constant":
                columns.append(np.ones(words.size))
            case _:
                columns.append(np.sqrt(np.minimum(counts[:, known.index(reason)], 4)))
    return np.stack(columns, axis=1)


def scores(found: Array) -> Array:
    """The log-odds, from reasons."""
    weights = np.array([WEIGHTS[reason] for reason in REASONS])
    return np.asarray((found * weights).sum(axis=1))


def read(found: Array) -> Array:
    """The urgency of each text by its words alone, 0 to 1, from reasons."""
    return model.chance(scores(found))
