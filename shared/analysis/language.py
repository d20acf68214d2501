"""Which language a text is in: py3langid's model (naive Bayes over byte n-grams), walked for a whole batch at once,
with what is known of the source and the author on short texts."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray
from py3langid import langid

from shared.analysis import lexicon
from shared.analysis.text import Text
from shared.analysis.words import WORD, Words

LANGUAGES = (
    "ar",
    "bg",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "fi",
    "fr",
    "hu",
    "it",
    "ja",
    "nl",
    "no",
    "pl",
    "pt",
    "ro",
    "ru",
    "sv",
    "tr",
    "uk",
    "zh",
    "ko",
)
"""The languages that are told apart."""

BYTES = 600
"""How much of a text is looked at."""

MARGIN = 0.4
"""A language that is less likely than this is not named, unless something else says so."""

_NOISE = regex.compile(r"\w*@\w[\w.@-]*|\bhttp\b|\d+")
_TAG = regex.compile(r"#\w+")


@dataclass(frozen=True)
class Model:
    """py3langid's automaton over bytes, with the weights of LANGUAGES: `moves` (rows of 256), the row of each state,
    the feature that each state gives (-1 for none), `weights` of shape (features, languages) and the languages'
    priors."""

    moves: NDArray[np.int32]
    row: NDArray[np.int32]
    output: NDArray[np.int32]
    weights: NDArray[np.float64]
    prior: NDArray[np.float64]


@cache
def model() -> Model:
    """The model, read once a process (0.7 s)."""
    load = langid.LanguageIdentifier.from_model_file
    whole = load(langid.MODEL_FILE)  # type: ignore[no-untyped-call]  # it has no types
    columns = [whole.nb_classes.index(language) for language in LANGUAGES]
    weights = np.asarray(whole.nb_ptc)[:, columns].astype(np.float64)
    return Model(
        moves=np.asarray(whole.tk_nextmove).astype(np.int32),
        row=np.asarray(whole.tk_row).astype(np.int32) << 8,
        output=np.asarray(whole.tk_output, dtype=np.int32),
        # On a grid, as everything that is summed here: a text's score does not depend on its batch.
        weights=np.round(weights * 1024.0) / 1024.0,
        prior=np.round(np.asarray(whole.nb_pc)[columns].astype(np.float64) * 1024.0) / 1024.0,
    )


def _encoded(text: str) -> bytes:
    text = _NOISE.sub(" ", text[:BYTES])
    if "#" in text:
        untagged = _TAG.sub(" ", text)
        text = untagged if any(map(str.isalpha, untagged)) else text
    if text.isupper():
        text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.encode("utf-8", "replace")[:BYTES]


def _visited(texts: Sequence[bytes], known: Model) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The features met in each text, as pairs of text and feature, with repetitions."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    order = np.argsort(-lengths, kind="stable")
    table = np.zeros((len(texts), max(int(lengths.max(initial=0)), 1)), dtype=np.uint8)
    for place, index in enumerate(order):
        table[place, : lengths[index]] = np.frombuffer(texts[index], dtype=np.uint8)
    alive = np.searchsorted(-lengths[order], -np.arange(table.shape[1]), side="left")
    state = np.zeros(len(texts), dtype=np.int32)
    columns = np.ascontiguousarray(table.T)
    met = np.full(columns.shape, -1, dtype=np.int32)
    for step, count in enumerate(alive):
        state[:count] = known.moves[known.row[state[:count]] + columns[step, :count]]
        met[step, :count] = known.output[state[:count]]
    step_met, place_met = np.nonzero(met >= 0)
    return order[place_met], met[step_met, place_met].astype(np.int64)


def likelihoods(texts: Sequence[str]) -> NDArray[np.float64]:
    """How likely each language is by the letters alone, for cleaned texts: shape (texts, LANGUAGES), rows sum to 1. A
    text without anything to go by has the same for all."""
    known = model()
    encoded = [_encoded(text) for text in texts]
    text, feature = _visited(encoded, known)
    width = len(known.weights)
    pairs, counts = np.unique(text * width + feature, return_counts=True)
    text, feature = pairs // width, pairs % width
    times = np.round(np.log1p(counts) * 1024.0) / 1024.0
    scores = np.zeros((len(texts), len(LANGUAGES)))
    first = np.searchsorted(text, np.arange(len(texts) + 1))
    filled = np.flatnonzero(np.diff(first))
    if len(filled):
        scores[filled] = np.add.reduceat(known.weights[feature] * times[:, None], first[filled], axis=0) + known.prior
    # The root of the length keeps the scores of short and long texts comparable, as py3langid has it.
    scores /= np.sqrt(np.maximum([len(data) for data in encoded], 1))[:, None]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


SHORT = 4
"""Below so many words letters alone say little."""

_HINTS = {True: 40.0, False: 3.0}
"""How many times likelier a language is that the network or the author is known for, in a short text and in a longer
one."""

_HOME = 3.0
"""How many times likelier the languages are that brands here mostly hear; and in a short text, once more, those that
its own brand does."""

_LISTED, _VALUED = 2.0, 1.5
"""How many times likelier a word makes a language that is among its common ones, or among those with a valence."""


def _listed(words: Words) -> NDArray[np.float64]:
    """By how much (natural logarithm) the words of each text that stand in a language's lists speak for it, at most
    eight of each: shape (texts, LANGUAGES)."""
    found = np.zeros((words.size, len(LANGUAGES)))
    for language in lexicon.LANGUAGES:
        salt = lexicon.salts([language])
        plain = (words.kind == WORD) & ~words.tagged & ~words.named & ~words.link
        common = plain & lexicon.stops().knows(words.hash + salt)
        valued = plain & ~common & lexicon.polarities().keys.knows(words.hash + salt)
        found[:, LANGUAGES.index(language)] = np.minimum(words.count(common), 8) * np.log(_LISTED) + np.minimum(
            words.count(valued), 8
        ) * np.log(_VALUED)
    return found


@dataclass(frozen=True)
class Languages:
    """Of each text the language (`und` where none is likely enough), how likely it is, and how likely all are (texts,
    LANGUAGES)."""

    names: list[str]
    scores: NDArray[np.float64]
    all: NDArray[np.float64]

    def likely(self, place: int, count: int = 3) -> tuple[tuple[str, float], ...]:
        """The likeliest languages of one text."""
        order = np.argsort(-self.all[place], kind="stable")[:count]
        return tuple((LANGUAGES[index], float(self.all[place, index])) for index in order)


def read(batch: Sequence[Text], cleaned: Sequence[str], words: Words) -> Languages:
    """The languages of a batch of texts."""
    sizes = words.count((words.kind == WORD) & ~words.named & ~words.link & ~words.numeral)
    odds = likelihoods(cleaned)
    listed = _listed(words)
    odds *= np.exp(listed - listed.max(axis=1, keepdims=True))
    odds[:, [LANGUAGES.index(language) for language in lexicon.LANGUAGES]] *= _HOME
    for place, text in enumerate(batch):
        for code in {code[:2].lower() for code in text.home} if sizes[place] < SHORT else ():
            if code in LANGUAGES:
                odds[place, LANGUAGES.index(code)] *= _HOME
        for hint in (text.language, text.prior):
            if hint is not None and hint[:2].lower() in LANGUAGES:
                odds[place, LANGUAGES.index(hint[:2].lower())] *= _HINTS[bool(sizes[place] < SHORT)]
    odds /= odds.sum(axis=1, keepdims=True)
    best = odds.argmax(axis=1)
    scores = odds[np.arange(len(odds)), best]
    scores[sizes == 0] = 0.0
    names = [
        LANGUAGES[index] if score >= MARGIN else lexicon.UNKNOWN for index, score in zip(best, scores, strict=True)
    ]
    return Languages(names=names, scores=scores, all=odds)
