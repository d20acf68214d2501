"""What a linear model sees of a text: hashed n-grams of words and of letters, and figures from word lists and signs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.analysis import cues, hashing, lexicon
from shared.analysis.words import FACE, SIGNS, WORD, Flags, Ints, Words

BITS = 18
BUCKETS = 1 << BITS
MUCH = 6.0
"""The sum of valences beyond which more of them say nothing more."""

REACH = 4
"""Words after a negation, within its clause, that it turns round."""

GRID = 256.0
"""Figures are rounded to 1/GRID: sums of their products with weights on a grid are exact, in any order and any
batch."""

_NEGATED, _PAIR, _TAG = (np.uint64(salt) for salt in (0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179, 0x3C6EF372FE94F82B))
_GRAM = {3: np.uint64(0x6A09E667F3BCC908), 4: np.uint64(0xBB67AE8584CAA73B), 5: np.uint64(0xA54FF53A5F1D36F1)}


@dataclass(frozen=True)
class Grams:
    """The n-grams of a batch, each once a text: `bucket` of each in the order of the texts, `first` the place of each
    text's first and one entry more, `word` the word where it stands first."""

    bucket: Ints
    word: Ints
    first: Ints

    @property
    def sizes(self) -> Ints:
        """How many n-grams each text has."""
        return np.diff(self.first)


@dataclass(frozen=True)
class Features:
    """All that is seen of a batch: its words, their cues and negations, n-grams, and `figures` of shape (texts,
    FIGURES)."""

    words: Words
    hits: cues.Hits
    counts: NDArray[np.int64]
    negated: Flags
    grams: Grams
    figures: NDArray[np.float64]


def _last_before(places: Flags) -> Ints:
    """For each word the last place up to it where the flag holds; -1 before there is one."""
    index = np.where(places, np.arange(len(places)), -1)
    return np.maximum.accumulate(index) if len(index) else index


def _marked(size: int, first: Ints, last: Ints, chosen: Flags) -> Flags:
    """The words of the chosen hits."""
    steps = np.zeros(size + 1, dtype=np.int64)
    np.add.at(steps, first[chosen], 1)
    np.add.at(steps, last[chosen], -1)
    return np.cumsum(steps[:-1]) > 0


def words_of_cue(words: Words, hits: cues.Hits, name: str) -> Flags:
    """Which words belong to a phrase that is this cue."""
    return _marked(len(words.text), hits.first, hits.last, hits.of(name))


def _negated(words: Words, negation: Flags) -> Flags:
    """Words that a negation before them, in the same clause, turns round."""
    reached = _last_before(negation)
    clause = _last_before(words.opens_clause)
    here = np.arange(len(negation))
    near = (reached >= clause) & (here - reached <= REACH)
    return np.asarray((reached >= 0) & ~negation & near & (words.kind == WORD))


def _foretold(words: Words, negation: Flags) -> Flags:
    """Words that a negation follows within three words of their clause (`werkt niet`, `gefällt mir nicht`)."""
    found = np.zeros(len(negation), dtype=np.bool_)
    clause = _last_before(words.opens_clause)
    for step in (1, 2, 3):
        if len(negation) > step:
            found[:-step] |= negation[step:] & (clause[step:] == clause[:-step])
    return found


def _letter_grams(words: Words, size: int) -> tuple[hashing.Hashes, Ints]:
    """The n-grams of `size` letters within words and their edges, and the word of each."""
    characters, owner = words.characters, words.letter_of
    count = len(characters) - size + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    spaces = np.concatenate(([0], np.cumsum(characters == 32)))
    inner = np.flatnonzero(spaces[size - 1 : size - 1 + count] == spaces[1 : 1 + count])
    before = hashing.prefixes(characters)
    return hashing.slices(before, inner, inner + size) ^ _GRAM[size], owner[inner]


def _word_grams(words: Words, negated: Flags) -> list[tuple[hashing.Hashes, Ints]]:
    every = np.arange(len(words.text))
    flowing = np.flatnonzero(words.kind != SIGNS)
    near = np.flatnonzero((np.diff(flowing) <= 2) & (words.text[flowing[1:]] == words.text[flowing[:-1]]))
    first, second = flowing[near], flowing[near + 1]
    turned, tagged = np.flatnonzero(negated), np.flatnonzero(words.tagged)
    return [
        (words.hash, every),
        (words.hash[turned] ^ _NEGATED, turned),
        (words.hash[tagged] ^ _TAG, tagged),
        (hashing.pairs(words.hash[first], words.hash[second]) ^ _PAIR, first),
    ]


def grams(words: Words, negated: Flags) -> Grams:
    """The n-grams of words (one and two, negated ones also as such) and of three to five letters, each once a text."""
    parts = [*_word_grams(words, negated), *(_letter_grams(words, size) for size in _GRAM)]
    word = np.concatenate([places for _, places in parts])
    bucket = np.concatenate([hashes for hashes, _ in parts]) & np.uint64(BUCKETS - 1)
    key = (words.text[word].astype(np.uint64) << np.uint64(BITS)) | bucket
    # The word rides along in the low bits: one sort of plain numbers is quicker than an indirect one.
    rides = np.uint64(max(1, len(words.text).bit_length()))
    packed = np.sort((key << rides) | word.astype(np.uint64))
    key = packed >> rides
    once = np.ones(len(key), dtype=np.bool_)
    once[1:] = key[1:] != key[:-1]
    packed, key = packed[once], key[once]
    text = (key >> np.uint64(BITS)).astype(np.int64)
    return Grams(
        bucket=(key & np.uint64(BUCKETS - 1)).astype(np.int64),
        word=(packed & ((np.uint64(1) << rides) - np.uint64(1))).astype(np.int64),
        first=np.searchsorted(text, np.arange(words.size + 1)),
    )


CUES = (
    "anger",
    "fear",
    "profanity",
    "thanks",
    "praise",
    "criticism",
    "request",
    "question",
    "intensifier",
    "negation",
    "contrast",
    "problem",
    "leaving",
    "safety",
    "advert",
    "you",
    "self",
)
_SIGNS = (
    "asks",
    "exclaims",
    "shouted",
    "stretched",
    "tagged",
    "named",
    "link",
    "faces",
    "good faces",
    "bad faces",
    "words",
)
_LISTS = tuple(
    f"{column} {way}"
    for column in lexicon.POLARITY_COLUMNS
    for way in (
        "good",
        "bad",
        "good negated",
        "bad negated",
        "good foretold",
        "bad foretold",
        "stressed",
        "last",
        "mean",
    )
)
FIGURES = (*_LISTS, *_SIGNS, *CUES)
"""What each column of `Features.figures` is."""


def word_figures(words: Words, hits: cues.Hits, negated: Flags, languages: Sequence[str]) -> NDArray[np.float64]:
    """What each word adds to each of its text's first figures, before they are divided: shape (words, 9 x lists)."""
    salt = lexicon.salts(languages)[words.text]
    valence = lexicon.polarities().rows(words.hash + salt)
    negation = words_of_cue(words, hits, "negation")
    intensified = np.zeros(len(negation), dtype=np.bool_)
    intensified[1:] = words_of_cue(words, hits, "intensifier")[:-1]
    foretold = _foretold(words, negation) & ~negated
    plain = ~negated & ~foretold
    good, bad = np.maximum(valence, 0.0), np.maximum(-valence, 0.0)
    late = np.zeros(len(negation))
    place = np.arange(len(negation)) - words.first[words.text]
    sizes = np.diff(words.first)[words.text]
    late[:] = np.where(place * 3 >= sizes * 2, 1.0, 0.0)
    stressed = intensified | words.shouted | words.stretched
    ways = (
        good * plain[:, None],
        bad * plain[:, None],
        good * negated[:, None],
        bad * negated[:, None],
        good * foretold[:, None],
        bad * foretold[:, None],
        valence * stressed[:, None],
        valence * (late * np.where(negated, -1.0, 1.0))[:, None],
        valence * np.where(negated, -0.5, 1.0)[:, None],
    )
    return np.stack(ways, axis=2).reshape(len(negation), len(_LISTS))


def faces(words: Words) -> tuple[NDArray[np.float64], Flags]:
    """The valence of pictures that are listed for any language (0 for words), and which are pictures at all."""
    pictures = words.kind == FACE
    salt = np.broadcast_to(lexicon.salts(["other"]), words.hash.shape)
    return np.where(pictures, lexicon.polarities().rows(words.hash + salt)[:, 2], 0.0), pictures


def _sums(words: Words, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of each column of `values` over each text's words. Values are multiples of a small power of two or few,
    and are rounded on that grid, so that their sums are exact."""
    exact = np.round(values * 4096.0) / 4096.0
    before = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(exact, axis=0)))
    return before[words.first[1:]] - before[words.first[:-1]]


def _sign_figures(words: Words) -> NDArray[np.float64]:
    valence, pictures = faces(words)
    good = words.count(valence > 0.0)
    bad = words.count(valence < 0.0)
    word = words.kind == WORD
    counted = [
        words.count(flags)
        for flags in (words.asks, words.exclaims, words.shouted, words.stretched, words.tagged, words.named, words.link)
    ]
    columns = [np.sqrt(np.minimum(count, 9)) for count in (*counted, words.count(pictures), good, bad)]
    return np.stack([*columns, np.log2(1.0 + words.count(word)) / 4.0], axis=1)


def figures(
    words: Words, hits: cues.Hits, counts: NDArray[np.int64], negated: Flags, languages: Sequence[str]
) -> NDArray[np.float64]:
    """The figures of each text, on the grid: sums over its words (the mean: by the number of words), roots of
    counts."""
    lists = _sums(words, word_figures(words, hits, negated, languages))
    sizes = np.maximum(words.count(words.kind == WORD), 1)[:, None]
    ways = lists.shape[1] // len(lexicon.POLARITY_COLUMNS)
    mean = np.arange(lists.shape[1]) % ways == ways - 1
    lists = np.where(mean, lists / sizes * 4.0, np.sign(lists) * np.sqrt(np.minimum(np.abs(lists), MUCH)))
    known = cues.cues()
    cue = np.sqrt(np.minimum(counts[:, [known.index(name) for name in CUES]], 9))
    return np.round(np.concatenate((lists, _sign_figures(words), cue), axis=1) * GRID) / GRID


def features(words: Words, languages: Sequence[str]) -> Features:
    """All that is seen of a batch of texts in these languages."""
    found = cues.hits(words, languages)
    counts = found.counts(found.text, words.size)
    negated = _negated(words, words_of_cue(words, found, "negation"))
    return Features(
        words=words,
        hits=found,
        counts=counts,
        negated=negated,
        grams=grams(words, negated),
        figures=figures(words, found, counts, negated, languages),
    )
