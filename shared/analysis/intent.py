"""What a text is meant to do: criticise, ask, praise, request, thank. Cues of each sentence, put together by few
weights."""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from shared.analysis import cues, model
from shared.analysis.features import Features, faces
from shared.analysis.words import SIGNS, WORD, Flags, Ints

INTENTS = ("criticism", "question", "praise", "request", "thanks")
Array = NDArray[np.float64]

SAID = 0.36
"""The chance from which on an intent is said to hold: half of the F1 that is reached, which makes F1 greatest (Lipton,
Elkan and Naryanaswamy, Thresholding Classifiers to Maximize F1 Score, 2014)."""

SIGNALS = (
    "asked with a mark",
    "asked without a mark",
    "asked without a mark, closed",
    "asked without a mark, within",
    "a mark alone",
    "a mark on an outcry",
    "an outcry",
    "asked to be told",
    "asked to do",
    "asked to do with a mark",
    "asked whether able",
    "asked whether able, for me",
    "please",
    "thanked",
    "thanked ahead",
    "thanked in irony",
    "praise",
    "praise negated",
    "criticism",
    "criticism negated",
    "praise beside criticism",
    "a problem",
    "anger",
    "will leave",
    "advert",
    "says you",
    "says I",
    "says our",
    "says thou",
    "names somebody",
    "in quotation marks",
    "good faces",
    "bad faces",
    "exclaims",
    "short",
    "long",
    "negative",
    "positive",
    "unmarked",
    "the constant",
)
"""What intents are told by, one number of each a text."""


@dataclass(frozen=True)
class Sentences:
    """The sentences of a batch: the text of each, and what holds of each: whether it `asks` by its mark, is `closed` by
    a sign that ends sentences, and has a clause that begins as a question does."""

    text: Ints
    of_word: Ints
    asks: Flags
    closed: Flags
    counts: NDArray[np.int64]
    opens_asking: Flags

    def has(self, cue: str) -> Flags:
        """Which sentences have a cue."""
        return self.counts[:, cues.cues().index(cue)] > 0


def sentences(features: Features) -> Sentences:
    """The sentences of a batch, with the cues of each."""
    words = features.words
    of_word = np.cumsum(words.opens_sentence) - 1
    count = int(of_word[-1]) + 1 if len(of_word) else 0
    opening = np.flatnonzero(words.opens_sentence)
    asking = features.hits.first[features.hits.of("question")]
    return Sentences(
        text=words.text[opening],
        of_word=of_word,
        asks=np.bincount(of_word[words.asks], minlength=count) > 0,
        closed=np.bincount(of_word[words.ends_sentence], minlength=count) > 0,
        counts=features.hits.counts(of_word[features.hits.first], count),
        opens_asking=np.bincount(of_word[asking[words.opens_clause[asking]]], minlength=count) > 0,
    )


def _any(flags: Flags, owner: Ints, size: int) -> Array:
    return (np.bincount(owner[flags], minlength=size) > 0).astype(np.float64)


def _asking(found: Sentences, size: int) -> list[Array]:
    """The first signals, which sentences give."""
    question, venting = found.has("question"), found.has("venting")
    able, request, told = found.has("able"), found.has("request"), found.has("asks-to-know")
    mine = found.has("mine")
    exclaimed = found.has("exclaiming") & ~found.asks
    asked = question & ~venting & ~exclaimed & ~(able & mine & ~told)
    able_to_do = able & ~told & (mine | ~question)
    return [
        _any(flags, found.text, size)
        for flags in (
            asked & found.asks,
            asked & ~found.asks,
            asked & ~found.asks & ~told & found.closed,
            asked & ~found.asks & ~told & ~found.opens_asking,
            found.asks & ~question & ~request & ~able & ~venting,
            found.asks & venting,
            venting & ~found.asks,
            (request | able) & told,
            request & ~found.asks,
            request & found.asks,
            able_to_do & ~mine,
            able_to_do & mine,
            found.has("please"),
            found.has("thanks") & ~found.has("thanks-ahead") & ~found.has("thanks-ironic"),
            found.has("thanks-ahead"),
            found.has("thanks-ironic"),
        )
    ]


def _turned(features: Features, cue: str) -> tuple[Array, Array]:
    """How often a cue stands in each text as it is, and how often turned round by a negation, as roots."""
    hits, size = features.hits, features.words.size
    chosen = hits.of(cue)
    turned = features.negated[hits.first] & (hits.last - hits.first == 1)
    plain = np.bincount(hits.text[chosen & ~turned], minlength=size)
    negated = np.bincount(hits.text[chosen & turned], minlength=size)
    return np.sqrt(np.minimum(plain, 4)), np.sqrt(np.minimum(negated, 4))


def signals(features: Features, chances: Array, unmarked: Array) -> Array:
    """Each text's signals: shape (texts, SIGNALS). `chances` are those of sentiment, `unmarked` the log-odds that a
    text asks by its words alone."""
    words = features.words
    size = words.size
    known = cues.cues()
    sentence = sentences(features)
    praise, praise_turned = _turned(features, "praise")
    criticism, criticism_turned = _turned(features, "criticism")
    valence, _ = faces(words)
    length = words.count(words.kind == WORD)
    alone = ("problem", "anger", "leaving", "advert", "you", "self", "ours", "thou")
    single = [np.minimum(features.counts[:, known.index(cue)], 3) for cue in alone]
    columns = [
        *_asking(sentence, size),
        praise,
        praise_turned,
        criticism,
        criticism_turned,
        np.minimum(praise, 1.0) * np.minimum(criticism + chances[:, 0], 1.0),
        *single,
        np.minimum(words.count(words.named), 1),
        (words.count((words.kind == SIGNS) & words.quotes) >= 2).astype(np.float64),
        np.minimum(words.count(valence > 0.3), 2),
        np.minimum(words.count(valence < -0.3), 2),
        np.minimum(words.count(words.exclaims), 1),
        (length <= 4).astype(np.float64),
        np.minimum(np.log2(1.0 + length) / 8.0, 1.0),
        chances[:, 0],
        chances[:, 2],
        np.clip(unmarked, -4.0, 4.0) / 2.0 * (words.count(words.asks) == 0),
        np.ones(size),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


@cache
def rules() -> Array:
    """The weight of each signal for each intent: shape (INTENTS, SIGNALS)."""
    kept = json.loads((model.FOLDER / "intent.json").read_text(encoding="utf-8"))
    return np.array([[kept[intent].get(signal, 0.0) for signal in SIGNALS] for intent in INTENTS])


def scores(found: Array) -> Array:
    """The log-odds of each intent, from signals: shape (texts, INTENTS)."""
    # Term by term, so that a text gives the same in any batch.
    return np.asarray((found[:, None, :] * rules()[None]).sum(axis=2))


def read(found: Array) -> Array:
    """The chance of each intent, from signals: shape (texts, INTENTS). Several may hold."""
    return model.chance(scores(found))
