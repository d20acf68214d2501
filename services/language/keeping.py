"""Writing weights into a folder, with the card that says what they were learned from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.language.corpus import Sheet
from services.language.training import Trained
from shared.analysis import model
from shared.analysis.features import BITS, FIGURES
from shared.analysis.signals import SIGNALS


def _drawn(sheets: Sequence[Sheet]) -> list[dict[str, str | int]]:
    return [
        {
            "file": sheet.path.name,
            "lines": len(sheet.lines),
            "use": "learned from" if sheet.split == "train" else "kept for calibrating and judging",
            "origin": sheet.source.origin,
            "licence": sheet.source.licence,
        }
        for sheet in sheets
    ]


@dataclass(frozen=True)
class _Packed:
    """What was learned, as it is written."""

    arrays: dict[str, np.ndarray]
    scales: dict[str, float]
    calibrations: list[str]


def _packed(trained: Mapping[str, Trained]) -> _Packed:
    kept = _Packed({}, {}, [])
    for task, found in trained.items():
        for name, grams in found.grams.items():
            kept.arrays[f"{name}.table"], kept.scales[name], kept.arrays[f"{name}.figures"] = model.packed(
                grams, found.figures[name]
            )
        if found.calibration.size:
            kept.arrays[f"{task}.calibration"] = found.calibration
            kept.calibrations.append(task)
    return kept


def as_kept(trained: Mapping[str, Trained]) -> model.Weights:
    """What was learned so far, as it will be read."""
    kept = _packed(trained)
    return model.assembled("unkept", kept.arrays, kept.scales, kept.calibrations)


def keep(folder: Path, trained: Mapping[str, Trained], sheets: Sequence[Sheet]) -> str:
    """Write `weights.npz` and `model.json`; the version, which is the weights' own digest."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = _packed(trained)
    path = folder / "weights.npz"
    np.savez_compressed(path, allow_pickle=False, **kept.arrays)
    version = f"fast-{hashlib.sha256(path.read_bytes()).hexdigest()[:10]}"
    card = {
        "version": version,
        "bits": BITS,
        "groups": list(model.GROUPS),
        "figures": list(FIGURES),
        "signals": list(SIGNALS),
        "scales": kept.scales,
        "calibrations": kept.calibrations,
        "sources": _drawn(sheets),
    }
    (folder / "model.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return version
