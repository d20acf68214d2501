"""A second look at a mood: what the whole text is close to, weighed with what the fast model says of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.analysis import model, reading, sentiment
from shared.analysis.embedding import DIMENSIONS, Embed, prepared
from shared.analysis.reading import LABELS, Label, Text

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mood:
    """The label and its calibrated chance, and the chances of negative, neutral and positive."""

    label: Label
    score: float
    chances: tuple[float, float, float]


@dataclass(frozen=True)
class Weights:
    """`table` (kinds, LABELS, DIMENSIONS) over vectors less `mean` and times `scale`; `offsets` (kinds, groups, LABELS)
    are added. `share` (groups, kinds) is how much of the sum is this and not the fast model, `slope` (groups, kinds)
    what the sum is multiplied by to be right. `sure` (groups) is the fast model's chance from which on little is won.
    `version` is this file's own digest, and `fast` what the
    fast model had `learned` that the shares were found with."""

    version: str
    fast: str
    mean: Array
    scale: Array
    table: Array
    offsets: Array
    share: Array
    slope: Array
    sure: Array

    def is_unsure(self, language: str | None, score: float) -> bool:
        """Whether the fast model's chance of its label leaves something to gain in this language."""
        return score < float(self.sure[model.group_of(language or "")])


ARRAYS = ("mean", "scale", "table", "offsets", "share", "slope", "sure")


def folder_weights(folder: Path) -> Weights:
    """The weights in a folder. Raises BadWeights where they are for other languages or vectors."""
    card = json.loads((folder / "deep.json").read_text(encoding="utf-8"))
    if tuple(card["groups"]) != model.GROUPS or card["dimensions"] != DIMENSIONS:
        raise model.BadWeights(f"{folder}: made for other languages or vectors; train anew with `parvis train deep`.")
    with np.load(folder / "deep.npz", allow_pickle=False) as data:
        arrays = {name: data[name].astype(np.float64) for name in ARRAYS}
    return Weights(version=card["version"], fast=card["fast"], **arrays)


@cache
def weights() -> Weights:
    """The weights that the code comes with, read once a process."""
    return folder_weights(model.FOLDER)


def own_logits(vectors: Array, used: Weights, groups: NDArray[np.int64], kinds: NDArray[np.int64]) -> Array:
    """What the vectors alone say: logits (texts, LABELS)."""
    known = (vectors - used.mean) * used.scale
    found = used.offsets[kinds, groups]
    for kind, table in enumerate(used.table):
        found = np.where((kinds == kind)[:, None], found + known @ table.T, found)
    return np.asarray(found)


def blended(own: Array, fast: Array, share: Array, slope: Array) -> Array:
    """The chances (texts, LABELS) of both logits, where `share` and `slope` have a number a text."""
    part = share[:, None]
    return sentiment.chances(slope[:, None] * (part * own + (1.0 - part) * fast))


def read(batch: Sequence[Text], embed: Embed, weights_: Weights | None = None) -> list[Mood | None]:
    """The moods of texts; None where there is nothing to read. A text gives the same in any batch."""
    used = weights_ or weights()
    seen = reading.see(batch)
    fast = sentiment.scores(seen.features, model.weights(), seen.groups, seen.kinds)
    vectors = embed([prepared(one.text) for one in batch]).astype(np.float64)
    own = np.stack(
        [own_logits(row[None], used, seen.groups[[at]], seen.kinds[[at]])[0] for at, row in enumerate(vectors)]
    )
    found = blended(own, fast, used.share[seen.groups, seen.kinds], used.slope[seen.groups, seen.kinds])
    return [
        _mood(row) if readable else None for row, readable in zip(found.tolist(), seen.readable.tolist(), strict=True)
    ]


def _mood(chances: list[float]) -> Mood:
    place = int(np.argmax(chances))
    return Mood(LABELS[place], chances[place], (chances[0], chances[1], chances[2]))
