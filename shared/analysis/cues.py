"""Cues: phrases of a few words that say something by themselves (a thanks, a deadline, a negation)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from shared.analysis import hashing, lexicon
from shared.analysis.letters import bare
from shared.analysis.words import SIGNS, STEMS, Ints, Words

_INFLECTED = ("praise", "criticism", "anger", "fear")
"""Cues whose single words are mostly adjectives."""

_OPENING = np.array([0x2545F4914F6CDD1D], dtype=np.uint64)


@dataclass(frozen=True, order=True)
class Shape:
    """How a phrase is listed: its words, whether it has to open a clause (1) or a sentence (2), both also behind
    greetings, and of how many letters the stem is that its last word is given by (0: by all of it)."""

    length: int
    opening: int
    stem: int


@dataclass(frozen=True)
class Cues:
    """The cues' names; what phrases stand for (`members`: a row for each combination of cues); for each shape the
    listed keys with their combinations; and the words that longer phrases begin with."""

    names: tuple[str, ...]
    members: NDArray[np.int64]
    phrases: dict[Shape, tuple[lexicon.Keys, Ints]]
    beginnings: lexicon.Keys

    def index(self, name: str) -> int:
        """The column of a cue."""
        return self.names.index(name)


@dataclass(frozen=True)
class Hits:
    """Where cues stand: the combination, the text, and its words from `first` up to before `last`."""

    combination: Ints
    text: Ints
    first: Ints
    last: Ints

    def counts(self, owner: Ints, size: int) -> NDArray[np.int64]:
        """How often each owner has each cue: shape (size, cues). `owner` has one for each hit."""
        members = cues().members
        flat = np.bincount(owner * len(members) + self.combination, minlength=size * len(members))
        return flat.reshape(size, len(members)).astype(np.int64) @ members

    def of(self, name: str) -> NDArray[np.bool_]:
        """Which hits are this cue."""
        known = cues()
        return known.members[:, known.index(name)][self.combination] > 0


def _spelled(phrase: str, language: str) -> set[tuple[str, ...]]:
    words = phrase.lstrip("^").split()
    found = {tuple(bare(word) for word in words)}
    if language == "de":
        found.add(tuple(bare(w.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")) for w in words))
    return found


def _shape(phrase: str, words: tuple[str, ...]) -> Shape:
    stem = len(words[-1]) - 1 if words[-1].endswith("*") else 0
    if stem and stem not in STEMS:
        raise ValueError(f"{phrase}: a stem has one of {STEMS} letters")
    return Shape(length=len(words), opening=len(phrase) - len(phrase.lstrip("^")), stem=stem)


def _keys(shape: Shape, entries: Sequence[tuple[tuple[str, ...], str]]) -> tuple[hashing.Hashes, hashing.Hashes]:
    """The keys of phrases of one shape, given as words and language, and those of the words that they begin with."""
    salts = lexicon.salts([language for _, language in entries])
    columns = [
        hashing.of_words([words[place].removesuffix("*") for words, _ in entries]) for place in range(shape.length)
    ]
    keys = columns[0]
    for column in columns[1:]:
        keys = hashing.pairs(keys, column)
    if shape.opening:
        keys = hashing.pairs(np.broadcast_to(_OPENING, keys.shape), keys)
    return keys + salts, columns[0] + salts


def _all() -> Iterator[tuple[str, str, str]]:
    """Language, cue and phrase."""
    for language in lexicon.LANGUAGES:
        for cue, phrase in lexicon.sections(language):
            yield language, cue, phrase
            if cue in _INFLECTED and " " not in phrase:
                yield from ((language, cue, form) for form in lexicon.inflected(phrase, language))
    for language, phrases in lexicon.lines("profanity.tsv"):
        yield from ((language, "profanity", phrase.strip()) for phrase in phrases.split("|"))


@cache
def cues() -> Cues:
    """All cues of the lists: `^ ` before a phrase, where a clause begins, `^^ ` a sentence; `*` at its end, a stem.
    Accents do not count."""
    listed: dict[Shape, list[tuple[tuple[str, ...], str, str]]] = defaultdict(list)
    for language, name, phrase in _all():
        for words in _spelled(phrase, language):
            shape = _shape(phrase, words)
            listed[shape] += [(words, place, name) for place in lexicon.under(language)]
    found: dict[Shape, dict[int, set[str]]] = {}
    beginnings: set[int] = set()
    for shape, entries in listed.items():
        hashes, first = _keys(shape, [(words, place) for words, place, _ in entries])
        found[shape] = defaultdict(set)
        for key, (_, _, name) in zip(hashes.tolist(), entries, strict=True):
            found[shape][key].add(name)
        if shape.length > 1:
            beginnings.update(first.tolist())
    kinds = sorted({frozenset(names) for by_key in found.values() for names in by_key.values()}, key=sorted)
    names_found = tuple(sorted({name for kind in kinds for name in kind}))
    phrases = {}
    for shape, by_key in sorted(found.items()):
        keys = sorted(by_key)
        combinations = [kinds.index(frozenset(by_key[key])) for key in keys]
        phrases[shape] = lexicon.Keys.of(np.array(keys, dtype=np.uint64)), np.array(combinations, dtype=np.int64)
    return Cues(
        names=names_found,
        members=np.array([[int(name in kind) for name in names_found] for kind in kinds], dtype=np.int64),
        phrases=phrases,
        beginnings=lexicon.Keys.of(np.array(sorted(beginnings), dtype=np.uint64)),
    )


@dataclass(frozen=True)
class _Runs:
    """Where phrases of one length may begin, and the hash of all but their last word."""

    starts: Ints
    before: hashing.Hashes


def _longer(words: Words, runs: _Runs, length: int) -> _Runs:
    """The runs that go on for one word more."""
    last = runs.starts + length - 1
    inside = last < len(words.text)
    last = np.where(inside, last, 0)
    whole = inside & (words.kind[last] != SIGNS) & (words.text[last] == words.text[runs.starts])
    starts, before = runs.starts[whole], runs.before[whole]
    return _Runs(starts, before if length == 2 else hashing.pairs(before, words.bare[starts + length - 2]))


def _of_shape(words: Words, runs: _Runs, shape: Shape) -> tuple[Ints, hashing.Hashes]:
    """The places where phrases of this shape may begin, and the keys under which they would be listed."""
    starts, before = runs.starts, runs.before
    if shape.opening:
        opening = (words.opens_clause if shape.opening == 1 else words.begins)[starts]
        starts, before = starts[opening], before[opening]
    last = starts + shape.length - 1
    ending = words.stems[shape.stem][last] if shape.stem else words.bare[last]
    keys = ending if shape.length == 1 else hashing.pairs(before, ending)
    return starts, hashing.pairs(np.broadcast_to(_OPENING, keys.shape), keys) if shape.opening else keys


def hits(words: Words, languages: Sequence[str]) -> Hits:
    """Every cue in a batch of texts in these languages."""
    known = cues()
    salt = lexicon.salts(languages)[words.text]
    every = np.flatnonzero(words.kind != SIGNS)
    begun = every[known.beginnings.knows(words.bare[every] + salt[every])]
    runs = {1: _Runs(every, words.bare[every]), 2: _longer(words, _Runs(begun, words.bare[begun]), 2)}
    for length in range(3, max(shape.length for shape in known.phrases) + 1):
        runs[length] = _longer(words, runs[length - 1], length)
    combination: list[Ints] = []
    first: list[Ints] = []
    last: list[Ints] = []
    for shape, (listed, combinations) in known.phrases.items():
        starts, keys = _of_shape(words, runs[shape.length], shape)
        which, place = listed.found(keys + salt[starts])
        combination.append(combinations[place])
        first.append(starts[which])
        last.append(starts[which] + shape.length)
    return _gathered(words, np.concatenate(combination), np.concatenate(first), np.concatenate(last))


def _gathered(words: Words, combination: Ints, first: Ints, last: Ints) -> Hits:
    order = np.lexsort((combination, last, first))
    first = first[order]
    return Hits(combination=combination[order], text=words.text[first], first=first, last=last[order])
