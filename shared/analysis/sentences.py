"""The sentences of a batch, with their cues, and how much each asks by its words alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.analysis import cues
from shared.analysis.features import Features
from shared.analysis.model import Head
from shared.analysis.words import Flags, Ints

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sentences:
    """The sentences of a batch: the text of each, and what holds of each. `odds` are the log-odds that a sentence ends
    in a question mark, by its words."""

    text: Ints
    of_word: Ints
    asks: Flags
    counts: NDArray[np.int64]
    odds: Array

    def has(self, cue: str) -> Flags:
        """Which sentences have a cue."""
        return self.counts[:, cues.cues().index(cue)] > 0

    def greatest(self, chosen: Flags, size: int, least: float) -> Array:
        """The greatest odds among the chosen sentences of each text; `least` where there is none."""
        found = np.full(size, least)
        np.maximum.at(found, self.text[chosen], self.odds[chosen])
        return found


def sentences(features: Features, asking: Head, groups: Ints) -> Sentences:
    """The sentences of a batch. `asking` is the head that knows how questions sound, `groups` the languages' rows."""
    words = features.words
    of_word = np.cumsum(words.opens_sentence) - 1
    count = int(of_word[-1]) + 1 if len(of_word) else 0
    opening = np.flatnonzero(words.opens_sentence)
    text = words.text[opening]
    owner = of_word[features.grams.word]
    # Sums of whole numbers, so that a sentence gives the same in any batch.
    sums = np.bincount(owner, weights=asking.table[0][features.grams.bucket], minlength=count)
    sizes = np.bincount(owner, minlength=count)
    return Sentences(
        text=text,
        of_word=of_word,
        asks=np.bincount(of_word[words.asks], minlength=count) > 0,
        counts=features.hits.counts(of_word[features.hits.first], count),
        odds=sums * asking.scale / np.sqrt(np.maximum(sizes, 1)) + asking.figures[groups[text], -1],
    )
