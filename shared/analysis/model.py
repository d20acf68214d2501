"""The weights: linear heads over hashed n-grams and figures, with the calibration of their chances."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.analysis import lexicon
from shared.analysis.features import BITS, BUCKETS, FIGURES, Features

FOLDER = Path(__file__).parent / "weights"
GROUPS = ("fr", "nl", "de", "en", "other")
"""The languages that have weights of their own for figures; all others share theirs."""

KINDS = ("social", "review")
"""The kinds of source that have weights of their own for n-grams."""

_READ = frozenset({".npz", ".json", ".txt", ".tsv"})
REVISION = 1
"""Of the code that reads: one more whenever it gives a text something else than before (a test holds it to that)."""

FINE = 65536.0
"""Weights of figures are multiples of 1/FINE."""

Array = NDArray[np.float64]


class BadWeights(Exception):
    """Weights that were made for other features than these."""


@dataclass(frozen=True)
class Head:
    """One number that is read from a text: `table` (kinds, BUCKETS) times `scale` for n-grams, `figures` (groups,
    FIGURES and the constant) for figures."""

    table: NDArray[np.int8]
    scale: float
    figures: Array


@dataclass(frozen=True)
class Weights:
    """All heads by name, calibrations by name (see `calibrated`), what was `learned` by its digest, and the version
    that readings carry; the weights of intents and the lists of words have part in it too."""

    version: str
    learned: str
    heads: dict[str, Head]
    calibrations: dict[str, Array]


def group_of(language: str) -> int:
    """The row of a language in a head's weights for figures."""
    return GROUPS.index(language) if language in GROUPS else len(GROUPS) - 1


def kind_of(source: str | None) -> int:
    """The kind of a source's name: reviews are written otherwise than everything else."""
    return int(source is not None and source.lower().startswith("review"))


def folder_weights(folder: Path) -> Weights:
    """The weights in a folder. Raises BadWeights where they do not fit this code."""
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if card["bits"] != BITS or tuple(card["figures"]) != FIGURES or tuple(card["groups"]) != GROUPS:
        raise BadWeights(f"{folder}: made for other features; train anew with `parvis train`.")
    with np.load(folder / "weights.npz", allow_pickle=False) as data:
        heads = {
            name: Head(
                data[f"{name}.table"], float(card["scales"][name]), data[f"{name}.figures"].astype(np.float64) / FINE
            )
            for name in card["scales"]
        }
        calibrations = {name: data[f"{name}.calibration"].astype(np.float64) for name in card["calibrations"]}
    return Weights(version=_version(folder), learned=card["version"], heads=heads, calibrations=calibrations)


def _version(folder: Path) -> str:
    """All that a reading is told by, as one digest."""
    files = (folder / "weights.npz", folder / "intent.json", *sorted(lexicon.FOLDER.iterdir()))
    found = hashlib.sha256(str(REVISION).encode())
    for path in files:
        if path.suffix in _READ and path.exists():
            found.update(path.read_bytes())
    return f"fast-{found.hexdigest()[:10]}"


@cache
def weights() -> Weights:
    """The weights that the code comes with, read once a process."""
    return folder_weights(FOLDER)


def norms(features: Features) -> Array:
    """By what a text's n-grams are divided: the root of their number."""
    return np.sqrt(np.maximum(features.grams.sizes, 1)).astype(np.float64)


def gram_sums(features: Features, table: NDArray[np.int8]) -> NDArray[np.int64]:
    """The exact sum of a table over each text's n-grams."""
    values = table[features.grams.bucket]
    before = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(values, dtype=np.int64)))
    return np.asarray(before[features.grams.first[1:]] - before[features.grams.first[:-1]])


def logits(features: Features, head: Head, groups: NDArray[np.int64], kinds: NDArray[np.int64]) -> Array:
    """What the head gives each text. The same text gives the same to the last bit, whatever stands beside it: sums are
    of whole numbers, or of numbers on a grid."""
    found = (features.figures * head.figures[groups, :-1]).sum(axis=1) + head.figures[groups, -1]
    for kind in range(len(head.table)):
        chosen = kinds == kind if len(head.table) > 1 else np.ones(len(kinds), dtype=np.bool_)
        if chosen.any():
            found = np.where(
                chosen, found + gram_sums(features, head.table[kind]) * head.scale / norms(features), found
            )
    return np.asarray(found)


def chance(odds: Array) -> Array:
    """The chance of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -40.0, 40.0))))


def packed(grams: Array, figures: Array) -> tuple[NDArray[np.int8], float, NDArray[np.int32]]:
    """A head's weights as they are kept: `grams` (kinds, BUCKETS) in eight bits, their scale, `figures` on the fine
    grid."""
    assert grams.shape[1] == BUCKETS
    scale = max(float(np.quantile(np.abs(grams[grams != 0.0]), 0.9999)) if grams.any() else 1.0, 1e-9) / 127.0
    table = np.clip(np.round(grams / scale), -127, 127).astype(np.int8)
    return table, scale, np.round(figures * FINE).astype(np.int32)
