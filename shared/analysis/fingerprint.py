"""What a text is beneath its dressing, so that copies of it can be told: a normal form, its digest, and a signature.

The normal form is the words alone: case, accents, punctuation, addresses, handles, hash signs, emoji, and the "RT"
before a text are no part of it. Two texts of one normal form are copies. Texts of six words or more also have a
signature (MinHash: Broder, On the resemblance and containment of documents, 1997): of two signatures, as many places
are equal as their sets of words and pairs of words overlap (Jaccard). A signature's bands are what an index knows it
by: near texts share one of them, far texts hardly ever do.
"""

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from shared.analysis.folding import Folded, fold, written_out
from shared.analysis.hashing import mixed
from shared.analysis.tokens import TokenKind, in_haste

PLACES = 64
BANDS = 16
NEAR = 0.5
FEWEST_WORDS = 6
MOST_CHARACTERS = 20_000  # of a text: what comes behind them makes no other text

Signatures = NDArray[np.uint32]
Bands = NDArray[np.int64]

_ROWS = PLACES // BANDS
_FEWEST_EQUAL = round(PLACES * NEAR)
_PASSED_ON = frozenset({"rt", "mt", "via", "fwd", "fw", "wg", "tr"})
_SMILEY = re.compile(r"(?<!\w)(?:[:;=8x]['^o-]?[dpo3]|x[dp]|<3)(?!\w)")
_AT_ONCE = 1 << 15  # words and pairs hashed together: so many fit a processor's cache, 64 times over
_PAIR = np.uint64(0x9E3779B97F4A7C15)
_random = np.random.Generator(np.random.PCG64(20261126))  # the same for ever: signatures are kept
_FACTORS = (_random.integers(1 << 63, size=(PLACES, 1), dtype=np.uint64) << np.uint64(1)) | np.uint64(1)
_SUMMANDS = _random.integers(1 << 63, size=(PLACES, 1), dtype=np.uint64)
_HIGH = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A text's normal form by its digest, and its words in their order, for the signature. Under six it has none."""

    digest: UUID
    words: tuple[str, ...]

    @property
    def is_long(self) -> bool:
        """Whether near copies of it can be told, and not only exact ones."""
        return len(self.words) >= FEWEST_WORDS


def of(text: str) -> Fingerprint | None:
    """The fingerprint of a text; None where nothing is said in words. Any string is taken; time is linear in it."""
    said = " ".join(_words(fold(written_out(text[:MOST_CHARACTERS]))))
    if not said:
        return None
    # The two ways of writing an umlaut, and of œ and æ, are one.
    said = said.replace("ue", "u").replace("oe", "o").replace("ae", "a")
    digest = hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=16).digest()
    return Fingerprint(UUID(bytes=digest), tuple(said.split(" ")))


def _words(text: Folded) -> list[str]:
    if _SMILEY.search(text.text):
        plain = _SMILEY.sub(" ", text.text)
        text = Folded(plain, plain)
    found: list[str] = []
    for some in in_haste(text):
        if isinstance(some, list):
            found += _said(some) if not found else some
        elif some.kind is TokenKind.HANDLE:
            if found and found[-1] == "via":
                found.pop()
        elif some.kind is TokenKind.WORD or some.kind is TokenKind.TAG:
            found += _said([some.name]) if not found else [some.name]
    return found


def _said(names: list[str]) -> list[str]:
    """A text's first words, without those that only say that it was passed on."""
    start = 0
    while start < len(names) and names[start] in _PASSED_ON:
        start += 1
    return names[start:]


def signatures(fingerprints: Sequence[Fingerprint]) -> Signatures:
    """The signatures of long texts, a row each."""
    rows = np.empty((len(fingerprints), PLACES), dtype=np.uint32)
    start = size = 0
    for end, one in enumerate(fingerprints, 1):
        size += 2 * len(one.words)
        if size >= _AT_ONCE or end == len(fingerprints):
            _sign(fingerprints[start:end], rows[start:end])
            start, size = end, 0
    return rows


def _sign(fingerprints: Sequence[Fingerprint], rows: Signatures) -> None:
    spelled = (word.encode("utf-8", "replace") for one in fingerprints for word in one.words)
    words = mixed(np.fromiter(map(zlib.crc32, spelled), np.uint64))
    pairs = mixed(words[:-1] * _PAIR + words[1:])
    # A text's words, then its pairs: the place of its last word holds a pair that goes into the next text, and is left
    # out by putting the word itself there once more.
    ends = np.cumsum([len(one.words) for one in fingerprints])
    shingles = np.empty((len(words), 2), dtype=np.uint64)
    shingles[:, 0] = words
    shingles[:-1, 1] = pairs
    shingles[ends - 1, 1] = words[ends - 1]
    starts = 2 * np.concatenate(([0], ends[:-1]))
    flat = shingles.reshape(1, -1)
    for place in range(PLACES):
        hashed = flat * _FACTORS[place] + _SUMMANDS[place]
        rows[:, place] = np.minimum.reduceat((hashed >> _HIGH).astype(np.uint32).ravel(), starts)


def bands(rows: Signatures) -> Bands:
    """The bands of signatures, 16 a row. The same four places make another band elsewhere in a signature."""
    groups = rows.reshape(len(rows), BANDS, _ROWS).astype(np.uint64)
    hashed = np.broadcast_to(np.arange(1, BANDS + 1, dtype=np.uint64), groups.shape[:2])
    for row in range(_ROWS):
        hashed = mixed(hashed * _PAIR + groups[:, :, row])
    return hashed.view(np.int64)


def similarity(one: Signatures, others: Signatures) -> NDArray[np.float64]:
    """How much of one text's words and pairs of words each of the others shares, as their signatures tell."""
    shared: NDArray[np.float64] = (others == one).mean(axis=-1)
    return shared


def are_near(one: Signatures, others: Signatures) -> NDArray[np.bool_]:
    """Which of the others are near: half of their places are equal or more, a whole band among them.

    The same both ways, and of the two signatures alone.
    """
    equal = others == one
    in_band = equal.reshape(*equal.shape[:-1], BANDS, _ROWS).all(axis=-1).any(axis=-1)
    near: NDArray[np.bool_] = (equal.sum(axis=-1) >= _FEWEST_EQUAL) & in_band
    return near
