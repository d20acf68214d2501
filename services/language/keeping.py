"""Writing weights into a folder, with the card that says what they were learned from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from services.language.corpus import Sheet
from services.language.training import Trained
from shared.analysis import model
from shared.analysis.features import BITS, FIGURES


def drawn(sheets: Sequence[Sheet]) -> list[dict[str, str | int]]:
    """What a card says of the sheets."""
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


def keep(folder: Path, trained: Mapping[str, Trained], sheets: Sequence[Sheet]) -> str:
    """Write `weights.npz` and `model.json`; what was learned by its name, the digest of the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    scales: dict[str, float] = {}
    calibrations = []
    for task, found in trained.items():
        for name, grams in found.grams.items():
            table, scales[name], figures = model.packed(grams, found.figures[name])
            arrays[f"{name}.table"], arrays[f"{name}.figures"] = table, figures
        if found.calibration.size:
            arrays[f"{task}.calibration"] = found.calibration
            calibrations.append(task)
    path = folder / "weights.npz"
    np.savez_compressed(path, allow_pickle=False, **arrays)
    version = f"fast-{hashlib.sha256(path.read_bytes()).hexdigest()[:10]}"
    card = {
        "version": version,
        "bits": BITS,
        "groups": list(model.GROUPS),
        "figures": list(FIGURES),
        "scales": scales,
        "calibrations": calibrations,
        "sources": drawn(sheets),
    }
    (folder / "model.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return version


def keep_rules(folder: Path, found: Mapping[str, Mapping[str, float]]) -> None:
    """Write `intent.json`."""
    (folder / "intent.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
