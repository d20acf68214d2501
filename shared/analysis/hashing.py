"""Hashes of whole batches: the polynomial hash of every slice of an array of characters, by prefix sums modulo 2^64."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15
"""Odd, so that it has an inverse modulo 2^64: a slice's hash does not depend on where it stands."""
_INVERSE = pow(_BASE, -1, 1 << 64)


def mixed(values: Hashes) -> Hashes:
    """Each value with its bits spread (the finalizer of MurmurHash3, by Appleby, in the public domain)."""
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


@cache
def _powers(size: int, base: int) -> Hashes:
    steps = np.full(size, base, dtype=np.uint64)
    steps[:1] = 1
    return np.cumprod(steps, dtype=np.uint64)


def _room(size: int) -> int:
    """The next power of two, so that few tables of powers are kept."""
    return 1 << max(10, int(size).bit_length())


def prefixes(characters: NDArray[np.uint32]) -> Hashes:
    """The hash of what stands before each place: one longer than `characters`."""
    powers = _powers(_room(len(characters)), _BASE)[: len(characters)]
    found = np.zeros(len(characters) + 1, dtype=np.uint64)
    np.cumsum((characters.astype(np.uint64) + np.uint64(1)) * powers, out=found[1:])
    return found


def slices(before: Hashes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Hashes:
    """The hash of each slice from `starts` to `ends`, given the `prefixes` of the whole."""
    inverses = _powers(_room(len(before)), _INVERSE)
    return mixed((before[ends] - before[starts]) * inverses[starts])


def pairs(first: Hashes, second: Hashes) -> Hashes:
    """The hash of two hashes in this order."""
    return mixed(first * np.uint64(0xD6E8FEB86659FD93) + second)


def of_words(words: Sequence[str]) -> Hashes:
    """The hash of each word, as `slices` gives it for the same characters."""
    if not words:
        return np.zeros(0, dtype=np.uint64)
    lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    ends = np.cumsum(lengths)
    characters = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return slices(prefixes(characters), ends - lengths, ends)
