"""Key phrases of texts, and which phrases rise."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Rising:
    """A phrase that is said more than before: how often now and before, and by how many standard errors of the
    log-odds."""

    phrase: str
    now: int
    before: int
    score: float


def rising(
    now: Mapping[str, int], before: Mapping[str, int], *, least: int = 3, score: float = 1.96, limit: int = 20
) -> list[Rising]:
    """The phrases of `now` whose share is greater than in `before`, the surest first: log-odds with an informative
    Dirichlet prior (Monroe, Colaresi and Quinn, Fightin' Words, 2008), where the prior is both together. What is said
    fewer than `least` times is left out, and what lies under `score`."""
    all_now, all_before = sum(now.values()), sum(before.values())
    whole = max(all_now + all_before, 1)
    strength = max(min(all_now, all_before), 10) / whole
    found = []
    for phrase, count in now.items():
        earlier = before.get(phrase, 0)
        if count < least:
            continue
        prior = (count + earlier) * strength
        rest_now = all_now + whole * strength - count - prior
        rest_before = all_before + whole * strength - earlier - prior
        odds = math.log((count + prior) / max(rest_now, 0.5)) - math.log((earlier + prior) / max(rest_before, 0.5))
        error = math.sqrt(1.0 / (count + prior) + 1.0 / (earlier + prior))
        if odds / error >= score:
            found.append(Rising(phrase=phrase, now=count, before=earlier, score=odds / error))
    return sorted(found, key=lambda one: (-one.score, one.phrase))[:limit]
