"""The deep reader's weights: a regression over embeddings of a sample, and how much it counts beside the fast model."""

import hashlib
import itertools
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.language import fitting, keeping, seeing, training
from services.language.corpus import BadCorpus, Line, Sheet
from services.language.embeddings import Cached
from services.language.fitting import Array
from shared.analysis import deep, model, sentiment
from shared.analysis.deep import Weights
from shared.analysis.embedding import DIMENSIONS, prepared

MOST = {"social": 1200, "review": 360}
"""Lines of a file that are learned from, of the first four languages; of others as many as of reviews."""

KEPT = 400
"""Lines of a file that are kept for choosing and judging."""

HELD, HELD_KIND = 3.0, 6.0
"""How strongly weights are held to zero: those that all kinds of source have in common, and those of reviews."""

_SMALL = 0.1  # what standardised vectors are multiplied by: they converge about as fast as offsets
_SHARES = np.linspace(0.0, 1.0, 21)
_THRESHOLDS = np.linspace(0.4, 1.0, 25)
_GAIN = 0.9  # of what reading everything deep would gain, reading only what is unsure has to gain this much


def _order(line: Line) -> tuple[int, str]:
    return zlib.crc32(line.text.encode("utf-8", "surrogatepass")), line.text


def sampled(sheet: Sheet) -> Sheet:
    """The lines of a sheet that are embedded, chosen by their text: to learn from, as many of each label as of the
    others, as far as they go; to judge by, as they come."""
    ordered = sorted(sheet.lines, key=_order)
    if sheet.split == "dev":
        return replace(sheet, lines=tuple(ordered[:KEPT]))
    is_first = sheet.source.kind == "social" and sheet.language in model.GROUPS
    labels = sorted({line.label for line in ordered})
    columns = [[line for line in ordered if line.label == label] for label in labels]
    mixed = [line for row in itertools.zip_longest(*columns) for line in row if line is not None]
    return replace(sheet, lines=tuple(mixed[: MOST["social" if is_first else "review"]]))


@dataclass(frozen=True)
class Seen:
    """Lines as the deep model sees them: vectors (lines, DIMENSIONS), the fast model's calibrated logits (lines,
    LABELS), labels, and the rows of their languages and kinds."""

    vectors: Array
    fast: Array
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    kinds: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> "Seen":
        """Those of the lines."""
        return Seen(
            self.vectors[chosen], self.fast[chosen], self.labels[chosen], self.groups[chosen], self.kinds[chosen]
        )


def seen(sheets: Sequence[Sheet], embed: Cached, fast: model.Weights) -> Seen:
    """All lines of the sheets. Raises BadCorpus at a label that is no mood."""
    parts = []
    for sheet in sheets:
        texts = [line.text for line in sheet.lines]
        if not {line.label for line in sheet.lines} <= {"0", "1", "2"}:
            raise BadCorpus(f"{sheet.path.name}: expected labels 0 to 2.")
        groups = np.full(len(texts), model.group_of(sheet.language), dtype=np.int64)
        kinds = np.full(len(texts), seeing.kind(sheet), dtype=np.int64)
        logits = sentiment.scores(seeing.seen(texts, sheet.language), fast, groups, kinds)
        labels = np.array([int(line.label) for line in sheet.lines], dtype=np.int64)
        vectors = embed.embed([prepared(text) for text in texts]).astype(np.float64)
        parts.append((vectors, logits, labels, groups, kinds))
    return Seen(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _counted(lines: Seen) -> Array:
    """How much each line counts: the labels of a kind of source together as much as each other."""
    weights = np.ones(len(lines.labels))
    for kind, label in itertools.product(range(len(model.KINDS)), range(len(sentiment.LABELS))):
        chosen = (lines.kinds == kind) & (lines.labels == label)
        weights[chosen] = (lines.kinds == kind).sum() / len(sentiment.LABELS) / max(int(chosen.sum()), 1)
    return weights


def _columns(lines: Seen, mean: Array, scale: Array) -> Array:
    """Vectors, the same for reviews alone, and a constant for each kind and language."""
    vectors = (lines.vectors - mean) * scale * _SMALL
    constants = np.zeros((len(vectors), len(model.KINDS) * len(model.GROUPS)))
    constants[np.arange(len(vectors)), lines.kinds * len(model.GROUPS) + lines.groups] = 1.0
    return np.concatenate((vectors, vectors * (lines.kinds == 1)[:, None], constants), axis=1)


def fitted(lines: Seen, *, version: str) -> Weights:
    """The regression, which does not know yet how much it counts beside the fast model of `version`."""
    mean, scale = lines.vectors.mean(axis=0), 1.0 / (lines.vectors.std(axis=0) + 1e-6)
    columns, weights = _columns(lines, mean, scale), _counted(lines)
    wanted = np.eye(len(sentiment.LABELS))[lines.labels]
    held = np.repeat((HELD, HELD_KIND, HELD), (DIMENSIONS, DIMENSIONS, columns.shape[1] - 2 * DIMENSIONS))
    total = weights.sum()

    def objective(point: Array) -> tuple[float, Array]:
        table = point.reshape(len(sentiment.LABELS), -1)
        chances = fitting.softmax(columns @ table.T)
        loss = -np.log(np.maximum((chances * wanted).sum(axis=1), 1e-12))
        error = (chances - wanted) * weights[:, None]
        value = float(weights @ loss + 0.5 * (held * table * table).sum()) / total
        return value, ((error.T @ columns + held * table) / total).ravel()

    start = np.zeros(len(sentiment.LABELS) * columns.shape[1])
    point = fitting.minimised(objective, start, rounds=300, tolerance=1e-7).reshape(len(sentiment.LABELS), -1)
    common, own, constants = np.split(point, (DIMENSIONS, 2 * DIMENSIONS), axis=1)
    groups, kinds = len(model.GROUPS), len(model.KINDS)
    return Weights(
        version="", fast=version, mean=mean, scale=scale,
        table=np.stack((common, common + own)) * _SMALL,
        offsets=constants.T.reshape(kinds, groups, len(sentiment.LABELS)),
        share=np.full((groups, kinds), 0.5), slope=np.ones((groups, kinds)), sure=np.ones(groups),
    )  # fmt: skip


def _loss(lines: Seen, chances: Array) -> Array:
    return np.asarray(-np.log(np.maximum(chances[np.arange(len(lines.labels)), lines.labels], 1e-12)))


def _blended(lines: Seen, used: Weights) -> Array:
    own = deep.own_logits(lines.vectors, used, lines.groups, lines.kinds)
    at = lines.groups, lines.kinds
    return deep.blended(own, lines.fast, used.share[at], used.slope[at])


def chosen(kept: Seen, used: Weights) -> Weights:
    """The weights with their shares, slopes and thresholds, chosen on lines that were not learned from: for each
    language and kind of source, near what is best for the kind where there are few."""
    share, slope = used.share.copy(), used.slope.copy()
    for kind in range(len(model.KINDS)):
        whole = _pair(kept.of(kept.kinds == kind), used, None)
        for group in range(len(model.GROUPS)):
            lines = kept.of((kept.kinds == kind) & (kept.groups == group))
            share[group, kind], slope[group, kind] = _pair(lines, used, whole)
    found = replace(used, share=share, slope=slope)
    sure = [_threshold(kept.of(kept.groups == group), found) for group in range(len(model.GROUPS))]
    return replace(found, sure=np.array(sure))


def _pair(lines: Seen, used: Weights, whole: tuple[float, float] | None) -> tuple[float, float]:
    """The share at which labels, each counting the same, are likeliest, and the slope that then makes chances right."""
    near = whole or (0.5, 1.0)
    if not len(lines.labels):
        return near
    own = deep.own_logits(lines.vectors, used, lines.groups, lines.kinds)
    weights, ones = _counted(lines), np.ones(len(lines.labels))

    def loss(share: float) -> float:
        # A sum of logits is flatter than either: at each share it is judged with the slope that suits it.
        away = 0.0 if whole is None else 20.0 * (share - near[0]) ** 2
        return min(
            float(weights @ _loss(lines, deep.blended(own, lines.fast, ones * share, ones * slope))) + away
            for slope in (0.7, 1.0, 1.4, 2.0)
        )

    share = float(_SHARES[int(np.argmin([loss(float(one)) for one in _SHARES]))])
    logits = share * own + (1.0 - share) * lines.fast

    def sharpness(factor: float) -> float:
        return float(_loss(lines, sentiment.chances(logits * factor)).sum())

    return share, training.best_temperature(sharpness, whole=near[1])


def _threshold(lines: Seen, used: Weights) -> float:
    """The least chance of the fast model's label from which on it is let stand, so that nearly all is gained."""
    if not len(lines.labels):
        return float(_THRESHOLDS[len(_THRESHOLDS) // 2])
    fast = sentiment.chances(lines.fast)
    quick, slow = _loss(lines, fast), _loss(lines, _blended(lines, used))
    gains = [float((quick - slow)[fast.max(axis=1) < threshold].sum()) for threshold in _THRESHOLDS]
    return float(_THRESHOLDS[int(np.argmax(np.array(gains) >= _GAIN * max(gains)))])


def keep(folder: Path, found: Weights, package: str, sheets: Sequence[Sheet]) -> str:
    """Write `deep.npz` and `deep.json`; the version, which is the weights' own digest."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "deep.npz"
    arrays = {name: getattr(found, name).astype(np.float32) for name in deep.ARRAYS}
    np.savez_compressed(path, allow_pickle=False, **arrays)
    version = f"deep-{hashlib.sha256(path.read_bytes()).hexdigest()[:10]}"
    card = {
        "version": version,
        "fast": found.fast,
        "embeddings": package,
        "dimensions": DIMENSIONS,
        "groups": list(model.GROUPS),
        "sources": keeping.drawn(sheets),
    }
    (folder / "deep.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return version


def train(sheets: Sequence[Sheet], embed: Cached, folder: Path) -> str:
    """Learn the deep reader's weights beside the fast ones in the folder, and keep them there; their version."""
    moods = [sampled(sheet) for sheet in sheets if sheet.source.task == "sentiment" and sheet.lines]
    learned, kept = ([sheet for sheet in moods if sheet.split == split] for split in ("train", "dev"))
    if not learned or not kept:
        raise BadCorpus("There are no moods to learn from, or none to choose by.")
    fast = model.folder_weights(folder)
    found = fitted(seen(learned, embed, fast), version=fast.learned)
    return keep(folder, chosen(seen(kept, embed, fast), found), embed.name, moods)
