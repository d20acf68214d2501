"""Key phrases of texts."""

from collections.abc import Sequence

import numpy as np

from shared.analysis import lexicon
from shared.analysis.words import WORD, Flags, Ints, Words

LIMIT = 5
LONGEST = 4
"""Words of a phrase; a longer run of words without a stop word is cut there."""


def _content(words: Words, languages: Sequence[str]) -> Flags:
    salt = lexicon.salts(languages)[words.text]
    stops = lexicon.stops().knows(words.hash + salt) | lexicon.stops().knows(words.bare + salt)
    long = words.end - words.start > 1
    return np.asarray((words.kind == WORD) & ~stops & ~words.named & ~words.link & ~words.numeral & long)


def _runs(words: Words, content: Flags) -> tuple[Ints, Ints]:
    """The first and the last word but one of each run of words that carry something."""
    goes_on = np.zeros(len(content), dtype=np.bool_)
    goes_on[1:] = (
        content[1:]
        & content[:-1]
        & (words.text[1:] == words.text[:-1])
        & (words.start[1:] - words.end[:-1] <= 1)
        & ~words.tagged[1:]
        & ~words.tagged[:-1]
    )
    starts = np.flatnonzero(content & ~goes_on)
    ends = np.flatnonzero(content & ~np.append(goes_on[1:], np.zeros(min(1, len(content)), dtype=np.bool_))) + 1
    sizes = ends - starts
    cuts = (sizes + LONGEST - 1) // LONGEST
    owner = np.repeat(np.arange(len(starts)), cuts)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    first = starts[owner] + step * LONGEST
    return first, np.minimum(first + LONGEST, ends[owner])


def _weights(words: Words, first: Ints, last: Ints) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """RAKE's score of each run (Rose and others, 2010): the sum over its words of degree by frequency."""
    sizes = last - first
    inside = np.repeat(first - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
    key = words.hash[inside] + words.text[inside].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    _, word = np.unique(key, return_inverse=True)
    frequency = np.bincount(word)
    degree = np.bincount(word, weights=np.repeat(sizes, sizes).astype(np.float64))
    before = np.concatenate(([0.0], np.cumsum((degree / np.maximum(frequency, 1))[word])))
    ends = np.cumsum(sizes)
    return np.asarray(before[ends] - before[ends - sizes])


def phrases(words: Words, texts: Sequence[str], languages: Sequence[str]) -> list[tuple[str, ...]]:
    """The key phrases of each cleaned text, the weightiest first, at most LIMIT, each once, in lower case."""
    first, last = _runs(words, _content(words, languages))
    weight = np.round(_weights(words, first, last), 6) if len(first) else np.zeros(0)
    order = np.lexsort((first, -weight, words.text[first]))
    starts, ends = words.start[first[order]].tolist(), words.end[last[order] - 1].tolist()
    bounds = np.searchsorted(words.text[first[order]], np.arange(words.size + 1)).tolist()
    found = []
    for text, begin, end in zip(texts, bounds[:-1], bounds[1:], strict=True):
        kept: dict[str, None] = {}
        for place in range(begin, end):
            kept[text[starts[place] : ends[place]].lower()] = None
            if len(kept) == LIMIT:
                break
        found.append(tuple(kept))
    return found
