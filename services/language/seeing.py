"""Labelled texts as rows of features, for fitting and for calibrating."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.language.corpus import Sheet
from services.language.fitting import Rows
from shared.analysis import model
from shared.analysis.features import BUCKETS, Features, features
from shared.analysis.text import cleaned
from shared.analysis.words import words

_TOGETHER = 1000


def seen(texts: Sequence[str], language: str) -> Features:
    """The features of texts that are known to be in a language."""
    return features(words([cleaned(text) for text in texts]), [language] * len(texts))


def kind(sheet: Sheet) -> int:
    """The row of a sheet's kind of source in the weights."""
    return model.kind_of(sheet.source.kind)


def rows(sheets: Sequence[Sheet], *, kinds: bool, least: int = 1, without: str = "") -> Rows:
    """All lines of the sheets, one sheet after the other. With `kinds` each kind of source has columns of its own; the
    characters of `without` are taken out first."""
    columns: list[NDArray[np.int64]] = []
    sizes: list[NDArray[np.int64]] = []
    figures: list[NDArray[np.float64]] = []
    group: list[int] = []
    blank = str.maketrans(without, " " * len(without))
    for sheet in sheets:
        texts = [line.text.translate(blank) for line in sheet.lines]
        offset = kind(sheet) * BUCKETS if kinds else 0
        for begin in range(0, len(texts), _TOGETHER):
            found = seen(texts[begin : begin + _TOGETHER], sheet.language)
            columns.append(found.grams.bucket + offset)
            sizes.append(found.grams.sizes)
            figures.append(np.append(found.figures, np.ones((found.words.size, 1)), axis=1))
        group += [model.group_of(sheet.language)] * len(texts)
    return Rows.of(
        np.concatenate(columns),
        np.concatenate(sizes),
        np.concatenate(figures),
        np.array(group, dtype=np.int64),
        least=least,
    )
