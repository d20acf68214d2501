"""Word lists as sorted arrays of hashes, so that all the words of a batch are looked up at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.analysis import hashing
from shared.analysis.letters import bare, plain

FOLDER = Path(__file__).parent / "lexicons"
LANGUAGES = ("fr", "nl", "de", "en")
UNKNOWN = "und"

_SALTS = {"fr": 1, "nl": 2, "de": 3, "en": 4, UNKNOWN: 5}
"""A text whose language is not known is looked up in all lists; one in another language in those for all alone."""


def salts(languages: Sequence[str]) -> hashing.Hashes:
    """What is added to the words of texts in these languages before they are looked up."""
    return np.array([_SALTS.get(language, 0) for language in languages], dtype=np.uint64) * np.uint64(
        0xA0761D6478BD642F
    )


def under(language: str) -> list[str]:
    """The languages under which a line of a list is kept: its own, and where the language is not known."""
    return [*LANGUAGES, UNKNOWN, "other"] if language == "*" else [language, UNKNOWN]


def lines(name: str) -> Iterator[list[str]]:
    """The fields of each line of a list, without comments."""
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            yield line.split("\t")


_MASK = np.uint64((1 << 18) - 1)


@dataclass(frozen=True)
class Keys:
    """Keys in order, with a table of their last bits, by which nearly all that are not among them are told at once."""

    keys: hashing.Hashes
    maybe: NDArray[np.bool_]

    @classmethod
    def of(cls, keys: hashing.Hashes) -> "Keys":
        """From sorted keys."""
        maybe = np.zeros(int(_MASK) + 1, dtype=np.bool_)
        maybe[(keys & _MASK).astype(np.int64)] = True
        return cls(keys=keys, maybe=maybe)

    def found(self, keys: hashing.Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of `keys` are known, and the place of each of these among the known."""
        likely = np.flatnonzero(self.maybe[(keys & _MASK).astype(np.int64)])
        place = np.minimum(np.searchsorted(self.keys, keys[likely]), len(self.keys) - 1)
        right = self.keys[place] == keys[likely]
        return likely[right], place[right]

    def knows(self, keys: hashing.Hashes) -> NDArray[np.bool_]:
        """Whether each of `keys` is known."""
        answer = np.zeros(len(keys), dtype=np.bool_)
        answer[self.found(keys)[0]] = True
        return answer


@dataclass(frozen=True)
class Lexicon:
    """Values by key: a row of `values` for each key."""

    keys: Keys
    values: NDArray[np.float64]

    def rows(self, keys: hashing.Hashes) -> NDArray[np.float64]:
        """The row of each key; zeros where it is not listed."""
        answer = np.zeros((len(keys), self.values.shape[1]))
        which, place = self.keys.found(keys)
        answer[which] = self.values[place]
        return answer


def keyed(words: Sequence[str], languages: Sequence[str]) -> hashing.Hashes:
    """The key of each word in its language."""
    return hashing.of_words(words) + salts(languages)


def spellings(word: str, language: str) -> list[str]:
    """The word as texts have it, and how it is written where accents are left out; in German with e for the dots,
    too."""
    exact = plain(word)
    if language == "de":
        return [exact, exact.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")]
    return [exact, bare(exact)]


_ENDINGS = {"de": ("e", "er", "es", "en", "em"), "nl": ("e",), "fr": ("e", "s", "es"), "en": ()}


def inflected(word: str, language: str) -> list[str]:
    """How an adjective is also written, by its endings alone: more forms than there are, which nobody writes."""
    stem = word.removesuffix("e") if language == "de" else word
    return [stem + ending for ending in _ENDINGS.get(language, ()) if len(word) > 3 and word.isalpha()]


POLARITY_COLUMNS = ("common", "second", "own")
_OWN = {"praise": 0.6, "criticism": -0.6}


def sections(language: str) -> Iterator[tuple[str, str]]:
    """Each phrase of the language's cues, with the cue that it is."""
    cue = ""
    for (line,) in lines(f"cues.{language}.txt"):
        if line.startswith("["):
            cue = line.strip("[]")
        else:
            yield from ((cue, phrase.strip()) for phrase in line.split("|"))


def _valences() -> Iterator[tuple[str, str, str, float]]:
    """Language, list, word and value; of several values for one word the first stands."""
    for language, column, value, words in lines("polarity.tsv"):
        yield from ((language, column, word, float(value)) for word in words.split())
    for value, pictures in lines("faces.txt"):
        yield from (("*", "own", picture, float(value)) for picture in pictures.split())
    for language in LANGUAGES:
        for cue, phrase in sections(language):
            if cue in _OWN and " " not in phrase and "*" not in phrase:
                yield language, "own", phrase, _OWN[cue]


@cache
def polarities() -> Lexicon:
    """The valence of words, -1 to 1, in a column for each of POLARITY_COLUMNS: 0 where that list does not have them."""
    exact: dict[tuple[str, str, str], float] = {}
    bare_too: dict[tuple[str, str, str], float] = {}
    for language, column, word, value in _valences():
        first, *others = spellings(word, language)
        exact.setdefault((language, column, first), value)
        for other in (*others, *(form for spelling in (first, *others) for form in inflected(spelling, language))):
            bare_too.setdefault((language, column, other), value)
    entries = [
        (word, place, POLARITY_COLUMNS.index(column), value)
        for (language, column, word), value in {**bare_too, **exact}.items()
        for place in under(language)
    ]
    keys, place = np.unique(
        keyed([word for word, *_ in entries], [language for _, language, *_ in entries]), return_inverse=True
    )
    values = np.zeros((len(keys), len(POLARITY_COLUMNS)))
    values[place, [column for *_, column, _ in entries]] = [value for *_, value in entries]
    return Lexicon(keys=Keys.of(keys), values=values)


@cache
def stops() -> Keys:
    """Words that carry no topic."""
    entries = [
        (spelling, place)
        for language, words in lines("stops.tsv")
        for word in words.split()
        for spelling in spellings(word, language)
        for place in under(language)
    ]
    return Keys.of(np.unique(keyed([spelling for spelling, _ in entries], [place for _, place in entries])))
