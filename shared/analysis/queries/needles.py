"""Texts as bytes to search in: one byte a character, and words between spaces.

A letter or digit of ASCII is itself, folded; any other letter, mark or digit is one of 128 bytes by its code point, so
two may fall together; all else is a space. What is found in such bytes is possible, what is not found is certain.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
import regex

from shared.analysis.folding import folded, is_word_character, written_out
from shared.analysis.queries.tree import Piece
from shared.analysis.tokens import TokenKind

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]

_SPACE = 32
_HALF = 128
_READ = 0x3100  # of these, as of the emoji, each is looked up
_EMOJI = range(0x1F300, 0x1FB00)
_WIDE = (range(0x4E00, 0xA000), range(0xAC00, 0xD7A4))  # han and hangul, which folding leaves alone
_MARKS = regex.compile(r"[\p{M}\u1100-\u11FF]")
_LITERALS = regex.compile(r"[^*?]+")


@lru_cache(maxsize=4096)
def byte_of(character: str) -> int:
    """The byte of a folded character."""
    if not is_word_character(character):
        return _SPACE
    code = ord(character)
    return code if code < _HALF else _HALF + code % _HALF


def _byte_of_raw(character: str) -> int:
    """The byte of a character that is not folded yet; 0 if that depends on others, or it becomes none or several."""
    if _MARKS.match(character):
        return 0
    new = folded(character)
    return byte_of(new) if len(new) == 1 else 0


@lru_cache(maxsize=1)
def _table() -> Bytes:
    """The byte of every code point up to the emoji; 0 where the text has to be folded first."""
    table = np.zeros(_EMOJI.stop + 1, dtype=np.uint8)
    for code in (*range(_READ), *_EMOJI):
        table[code] = _byte_of_raw(chr(code))
    for wide in _WIDE:
        table[wide.start : wide.stop] = _HALF + np.arange(wide.start, wide.stop) % _HALF
    return table


@lru_cache(maxsize=1)
def _ascii() -> bytes:
    return bytes([*_table()[:_HALF].tolist(), *[_SPACE] * _HALF])


@dataclass(frozen=True, slots=True)
class Haystack:
    """Many texts in one row of bytes, a space before, between and after. Text `n` is from `starts[n]` to `ends[n]`.

    `moved` are those texts whose bytes do not stand where their characters do.
    """

    hay: bytes
    starts: Sequence[int]
    ends: Sequence[int]
    moved: Set[int] = frozenset()

    def of(self, n: int) -> bytes:
        """One text's, with the spaces around it."""
        return self.hay[self.starts[n] - 1 : self.ends[n] + 1]


def haystack(texts: Sequence[str]) -> Haystack:
    """The texts as bytes to search in."""
    joined = _joined(texts)
    starts, ends = _places(texts)
    if joined.isascii():
        return Haystack(joined.encode("ascii").translate(_ascii()), starts, ends)
    found = _bytes(joined)
    moved = _unclear(found, starts)
    if not moved:
        return Haystack(found.tobytes(), starts, ends)
    texts = [written_out(text) if n in moved else text for n, text in enumerate(texts)]
    joined = _joined(texts)
    starts, ends = _places(texts)
    found = _bytes(joined)
    unclear = _unclear(found, starts)
    if unclear:
        texts = [folded(text) if n in unclear else text for n, text in enumerate(texts)]
        joined = _joined(texts)
        starts, ends = _places(texts)
        found = _bytes(joined)
        for at in np.flatnonzero(found == 0).tolist():
            found[at] = byte_of(joined[at])
    return Haystack(found.tobytes(), starts, ends, moved)


def _unclear(found: Bytes, starts: Sequence[int]) -> set[int]:
    """The texts that hold something that could not be looked up."""
    places = np.flatnonzero(found == 0)
    return set((np.searchsorted(np.asarray(starts), places, side="right") - 1).tolist()) if places.size else set()


def _joined(texts: Iterable[str]) -> str:
    return "\n" + "\n".join(texts) + "\n"


def _places(texts: Sequence[str]) -> tuple[list[int], list[int]]:
    ends = list(accumulate([len(text) + 1 for text in texts]))
    return [end - len(text) for end, text in zip(ends, texts, strict=True)], ends


def _bytes(text: str) -> Bytes:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return np.take(_table(), codes, mode="clip")


def needles(piece: Piece) -> tuple[bytes, ...] | None:
    """What has to be in the bytes of a text for a piece to be in it, for each of its forms; None of an emoji."""
    if piece.kind is TokenKind.EMOJI:
        return None
    return tuple(dict.fromkeys(_needle(form, piece.wild) for form in piece.forms))


def _needle(form: str, wild: bool) -> bytes:
    form = f" {form} "
    longest = max(_LITERALS.findall(form), key=lambda part: len(part.strip())) if wild else form
    return bytes(byte_of(character) for character in longest)
