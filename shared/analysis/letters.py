"""What each character is and what it is folded to, as tables that numpy looks whole batches up in."""

import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SPACE, LETTER, STOP, MARK, TICK, PICTURE, HASH, AT = range(8)

_LIMIT = 0x20000
"""Characters beyond (rare ideographs, tags, private planes) are letters as they stand, or nothing."""

_EXPANDED = {"ß": "ss", "ẞ": "ss", "œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ĳ": "ij", "Ĳ": "ij"}
_DOTTED = frozenset("äöü")
_STOPS = frozenset(".!?…\n\r‽？！。")
_TICKS = frozenset("'’‘`´ʼ")
_HYPHENS = frozenset("-‐‑")


@dataclass(frozen=True)
class Letters:
    """Tables by code point: `lower` and `folded` the lower-case character with and without accents (of an expansion its
    first character), `kind` one of the constants above, `length` the characters it becomes: 0 vanishes, 2 is in
    `second`."""

    lower: NDArray[np.uint32]
    folded: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    length: NDArray[np.uint8]
    second: dict[int, int]
    capital: NDArray[np.bool_]


_SINGLE = {**dict.fromkeys(_STOPS, STOP), **dict.fromkeys(_TICKS, TICK), "#": HASH, "@": AT, "_": LETTER}


def _kind(character: str, category: str) -> int:
    if character in _SINGLE:
        return _SINGLE[character]
    if category[0] in "LN":
        return LETTER
    if category == "So" or (category == "Sk" and ord(character) > 0x1F000):
        return PICTURE
    return MARK if category[0] in "PS" else SPACE


def _vanishes(code: int, category: str) -> bool:
    """Accents that stand alone, joiners, variation and direction marks, skin tones."""
    return category in {"Mn", "Me", "Cf"} or 0x1F3FB <= code <= 0x1F3FF


@cache
def _bare(lower: str) -> str:
    """`lower` without accents and compatibility forms; itself where that would be more than one character. The dots of
    German stay: who leaves them out writes an e."""
    if lower in _DOTTED:
        return lower
    bare = [c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c)]
    return bare[0].lower() if len(bare) == 1 else lower


@cache
def letters() -> Letters:
    """The tables, made once a process (about 0.2 s)."""
    lower = np.arange(_LIMIT + 1, dtype=np.uint32)
    folded = lower.copy()
    kind = np.full(_LIMIT + 1, SPACE, dtype=np.uint8)
    length = np.ones(_LIMIT + 1, dtype=np.uint8)
    capital = np.zeros(_LIMIT + 1, dtype=np.bool_)
    second: dict[int, int] = {}
    for code in range(_LIMIT):
        character = chr(code)
        category = unicodedata.category(character)
        if category in {"Cn", "Cs", "Co", "Cc"} and character not in _STOPS:
            continue
        if _vanishes(code, category):
            length[code] = 0
            continue
        kind[code] = _kind(character, category)
        if kind[code] != LETTER:
            continue
        small = _EXPANDED.get(character, character.lower())
        capital[code] = category == "Lu"
        if character in _EXPANDED:
            length[code], second[code] = 2, ord(small[1])
        compatible = unicodedata.normalize("NFKC", small[0]).lower()
        lower[code] = ord(compatible) if len(compatible) == 1 else ord(small[0])
        folded[code] = ord(_bare(small[0]))
    kind[_LIMIT] = LETTER
    return Letters(lower=lower, folded=folded, kind=kind, length=length, second=second, capital=capital)


def plain(word: str) -> str:
    """A word of a list as the tables would have it: lower case, expanded, accents kept."""
    if word.isascii():
        return word.lower()
    return "".join(_EXPANDED.get(c, c) for c in unicodedata.normalize("NFC", word)).lower()


def bare(word: str) -> str:
    """`plain` without accents."""
    if word.isascii():
        return word.lower()
    return "".join(_bare(c) for c in plain(word))


def joins(character: int) -> bool:
    """Whether a character that stands alone only ties words together (an apostrophe, a hyphen)."""
    return character < _LIMIT and (chr(character) in _TICKS or chr(character) in _HYPHENS)
