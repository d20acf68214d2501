"""What a text is meant to do: criticise, ask, praise, request, thank. Cues of each sentence, put together by few
weights for each language, and words that the lines learned from have with an intent."""

import numpy as np
from numpy.typing import NDArray

from shared.analysis import cues, model, sentiment
from shared.analysis.features import Features, faces
from shared.analysis.sentences import Sentences, sentences
from shared.analysis.words import SIGNS, WORD, Flags, Ints

INTENTS = ("criticism", "question", "praise", "request", "thanks")
Array = NDArray[np.float64]

SAID = 0.3
"""The chance from which on an intent is said to hold: half of the F1 that is reached, which makes F1 greatest (Lipton,
Elkan and Naryanaswamy, Thresholding Classifiers to Maximize F1 Score, 2014)."""


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


def signals(features: Features, weights: model.Weights, groups: Ints, chances: Array) -> Array:
    """Each text's signals: shape (texts, SIGNALS). `chances` are those of sentiment. Reviews speak of what is wrong and
    right of a brand, tweets of anything: what a text would be as a review is another signal."""
    reviewed = sentiment.read(features, weights, groups, np.full_like(groups, model.KINDS.index("review"))).chances
    sentence = sentences(features, weights.heads["asking"], groups)
    words = features.words
    size = words.size
    known = cues.cues()
    praise, praise_turned = _turned(features, "praise")
    criticism, criticism_turned = _turned(features, "criticism")
    valence, _ = faces(words)
    length = words.count(words.kind == WORD)
    alone = ("problem", "anger", "leaving", "advert", "you", "self", "thou")
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
        reviewed[:, 0],
        reviewed[:, 2],
        np.minimum(words.count(words.asks), 1) * np.maximum(chances[:, 0], reviewed[:, 0]),
        np.clip(sentence.greatest(~sentence.asks, size, -4.0), -4.0, 4.0) / 2.0,
        np.clip(sentence.greatest(sentence.asks, size, 0.0), -4.0, 4.0) / 2.0,
        np.ones(size),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def scores(features: Features, found: Array, weights: model.Weights, groups: Ints) -> Array:
    """The log-odds of each intent: shape (texts, INTENTS). Signals with the weights of each language, and words."""
    sums = []
    for name in INTENTS:
        head = weights.heads[name]
        # Term by term, so that a text gives the same in any batch.
        signalled = (found * head.figures[groups]).sum(axis=1)
        worded = model.gram_sums(features, head.table[0]) * head.scale / model.norms(features)
        sums.append(signalled + worded)
    return np.stack(sums, axis=1)


def read(features: Features, weights: model.Weights, groups: Ints, chances: Array) -> Array:
    """The chance of each intent: shape (texts, INTENTS). Several may hold. `chances` are those of sentiment."""
    return model.chance(scores(features, signals(features, weights, groups, chances), weights, groups))
