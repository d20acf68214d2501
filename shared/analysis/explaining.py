"""Why a text is read as it is: what each score is the sum of."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.analysis import intent, model, offence, reading, sentiment, text, urgency
from shared.analysis.calibration import NONE, STEP, Shift, shifted
from shared.analysis.features import CUES, FIGURES, faces, word_figures
from shared.analysis.text import Text
from shared.analysis.words import Flags

Array = NDArray[np.float64]
Spans = tuple[tuple[int, int], ...]
Kind = Literal["word", "signal", "constant", "calibration", "corrections"]


@dataclass(frozen=True, slots=True)
class Part:
    """What adds `value` to a score: a word of the text, or a signal, which is something counted over all of it; what
    every text has (the constant and the calibration); what the brand's corrections add. `spans` are its places in the
    text as it was given: the first character, and the one after the last; none where it stands nowhere."""

    name: str
    value: float
    spans: Spans = ()
    kind: Kind = "signal"


@dataclass(frozen=True, slots=True)
class Score:
    """A score before it becomes a chance (log-odds; of the three moods calibrated logits, whose softmax are their
    chances), and its parts, the greatest first, which sum to it."""

    total: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reading with its languages (the likeliest three) and its scores: `negative neutral positive offence
    urgency` and the intents. Without scores where there is nothing to read."""

    reading: reading.Reading
    languages: tuple[tuple[str, float], ...]
    scores: dict[str, Score]


class _Places:
    """Where in the text as it was given a character of the cleaned text comes from."""

    def __init__(self, given: str, cleaned: str) -> None:
        self._cleaned, self._composed = cleaned, ""
        self._begins: list[int] = []
        self._ends: list[int] = []
        place = 0
        for piece in text.pieces(given[: text.LIMIT]):
            composed = unicodedata.normalize("NFC", piece)
            inner, after = range(place, place + len(piece)), place + len(piece)
            is_same = composed == piece
            self._begins += inner if is_same else [place] * len(composed)
            self._ends += range(place + 1, after + 1) if is_same else [after] * len(composed)
            self._composed += composed
            place = after

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """The place of a word, with all of the link or face that it stands for."""
        while end < len(self._cleaned) and self._cleaned[end] == " " != self._composed[end]:
            end += 1
        return self._begins[begin], self._ends[end - 1]

    def score(self, one: Score) -> Score:
        """The score with its places in the text as it was given."""
        parts = (replace(part, spans=tuple(self.span(*span) for span in part.spans)) for part in one.parts)
        return Score(one.total, tuple(parts))


def _sorted(total: float, parts: Sequence[Part]) -> Score:
    kept = [part for part in parts if part.value != 0.0]
    return Score(total=total, parts=tuple(sorted(kept, key=lambda part: (-abs(part.value), part.name))))


def _word_parts(seen: reading.Seen, values: Array) -> list[Part]:
    """The values of words as parts: one for each distinct word, with all its places."""
    words, whole = seen.features.words, seen.cleaned[0]
    sums: defaultdict[str, float] = defaultdict(float)
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for begin, end, value in zip(words.start.tolist(), words.end.tolist(), values.tolist(), strict=True):
        name = whole[begin:end].lower()
        sums[name] += value
        spans[name].append((begin, end))
    return [Part(name, value, tuple(spans[name]), "word") for name, value in sums.items()]


def _of_words(seen: reading.Seen, chosen: Flags) -> Spans:
    words = seen.features.words
    return tuple((int(words.start[at]), int(words.end[at])) for at in np.flatnonzero(chosen))


def _of_hits(seen: reading.Seen, chosen: Flags) -> Spans:
    words, hits = seen.features.words, seen.features.hits
    pairs = zip(hits.first[chosen].tolist(), hits.last[chosen].tolist(), strict=True)
    return tuple(sorted({(int(words.start[first]), int(words.end[last - 1])) for first, last in pairs}))


def _sign_spans(seen: reading.Seen) -> dict[str, Spans]:
    """The places of words that are written so, and of pictures."""
    words = seen.features.words
    valence, pictures = faces(words)
    flags = {
        "asks": words.asks,
        "exclaims": words.exclaims,
        "shouted": words.shouted,
        "stretched": words.stretched,
        "tagged": words.tagged,
        "named": words.named,
        "link": words.link,
        "faces": pictures,
        "good faces": valence > 0.0,
        "bad faces": valence < 0.0,
    }
    return {name: _of_words(seen, chosen) for name, chosen in flags.items()}


def _figure_spans(seen: reading.Seen) -> dict[str, Spans]:
    """The places behind each figure: of words on a list, of signs, of phrases that are a cue."""
    words, hits = seen.features.words, seen.features.hits
    table = word_figures(words, hits, seen.features.negated, seen.languages.names) != 0.0
    lists = {FIGURES[column]: _of_words(seen, table[:, column]) for column in range(table.shape[1])}
    return {**lists, **_sign_spans(seen), **{cue: _of_hits(seen, hits.of(cue)) for cue in CUES}}


def _reason_spans(seen: reading.Seen) -> dict[str, Spans]:
    """The places of what is urgent: of phrases that no negation turns round."""
    hits = seen.features.hits
    plain = ~seen.features.negated[hits.first]
    signs = ("negative", "shouted", "exclaims", "the constant")
    found = {reason: _of_hits(seen, hits.of(reason) & plain) for reason in urgency.REASONS if reason not in signs}
    return {**_sign_spans(seen), **found}


_CUE_OF = {
    "please": "please",
    "thanked ahead": "thanks-ahead",
    "thanked in irony": "thanks-ironic",
    "a problem": "problem",
    "anger": "anger",
    "will leave": "leaving",
    "advert": "advert",
    "says you": "you",
    "says I": "self",
    "says our": "ours",
    "says thou": "thou",
}
"""Signals of intents that say no more than that a cue is there."""


def _signal_spans(seen: reading.Seen) -> dict[str, Spans]:
    """The places of what intents are told by, where it stands in a phrase and not in how a sentence is built."""
    features, hits = seen.features, seen.features.hits
    found = {signal: _of_hits(seen, hits.of(cue)) for signal, cue in _CUE_OF.items()}
    turned = features.negated[hits.first] & (hits.last - hits.first == 1)
    for cue in ("praise", "criticism"):
        found[cue], found[f"{cue} negated"] = (_of_hits(seen, hits.of(cue) & chosen) for chosen in (~turned, turned))
    sentences = intent.sentences(features)
    otherwise = sentences.has("thanks-ahead") | sentences.has("thanks-ironic")
    found["thanked"] = _of_hits(seen, hits.of("thanks") & ~otherwise[sentences.of_word[hits.first]])
    return {**found, "exclaims": _of_words(seen, features.words.exclaims)}


def _head_parts(seen: reading.Seen, head: model.Head, times: float, spans: Mapping[str, Spans]) -> list[Part]:
    """What a head makes of the one text, `times` its calibration: words by their n-grams, figures, the constant."""
    features, group = seen.features, int(seen.groups[0])
    table = head.table[int(seen.kinds[0]) if len(head.table) > 1 else 0]
    each = table[features.grams.bucket].astype(np.float64) * (head.scale * times / float(model.norms(features)[0]))
    by_word = np.bincount(features.grams.word, weights=each, minlength=len(features.words.text)).astype(np.float64)
    figures = features.figures[0] * head.figures[group, :-1] * times
    return [
        *_word_parts(seen, by_word),
        *_signal_parts(FIGURES, figures, spans),
        Part(_CONSTANT, float(head.figures[group, -1] * times), kind="constant"),
    ]


_CONSTANT = "the constant"


def _signal_parts(names: Sequence[str], values: Array, spans: Mapping[str, Spans]) -> list[Part]:
    return [
        Part(name, float(value), spans.get(name, ()), "constant" if name == _CONSTANT else "signal")
        for name, value in zip(names, values, strict=True)
    ]


def _calibrated(offset: float) -> Part:
    return Part("calibration", offset, kind="calibration")


def _corrected(steps: int) -> Part:
    return Part("the brand's corrections", steps * STEP, kind="corrections")


def _moods(seen: reading.Seen, weights: model.Weights, shift: Shift, spans: Mapping[str, Spans]) -> dict[str, Score]:
    totals = sentiment.scores(seen.features, weights, seen.groups, seen.kinds)[0]
    times, *offsets = weights.calibrations["sentiment"][seen.groups[0], seen.kinds[0]].tolist()
    scores = {}
    for label, total, offset, steps in zip(sentiment.LABELS, totals, offsets, shift.moods, strict=True):
        parts = [*_head_parts(seen, weights.heads[label], times, spans), _calibrated(offset), _corrected(steps)]
        scores[label] = _sorted(float(total) + steps * STEP, parts)
    return scores


def _offence(seen: reading.Seen, weights: model.Weights, spans: Mapping[str, Spans]) -> Score:
    times, offset = weights.calibrations["offence"][seen.groups[0]].tolist()
    total = float(offence.scores(seen.features, weights, seen.groups)[0])
    return _sorted(total, [*_head_parts(seen, weights.heads["offence"], times, spans), _calibrated(offset)])


def _urgency(seen: reading.Seen, chances: Array) -> Score:
    reasons = urgency.reasons(seen.features, chances)
    weighed = np.array([urgency.WEIGHTS[reason] for reason in urgency.REASONS])
    parts = _signal_parts(urgency.REASONS, reasons[0] * weighed, _reason_spans(seen))
    return _sorted(float(urgency.scores(reasons)[0]), parts)


def _intents(seen: reading.Seen, weights: model.Weights, chances: Array, shift: Shift) -> dict[str, Score]:
    unmarked = model.logits(seen.features, weights.heads["question"], seen.groups, np.zeros_like(seen.kinds))
    signals = intent.signals(seen.features, chances, unmarked)
    spans, scores = _signal_spans(seen), {}
    by_intent = zip(intent.INTENTS, intent.rules(), intent.scores(signals)[0], shift.intents, strict=True)
    for name, rules, total, steps in by_intent:
        parts = [*_signal_parts(intent.SIGNALS, signals[0] * rules, spans), _corrected(steps)]
        scores[name] = _sorted(float(total) + steps * STEP, parts)
    return scores


def explain(one: Text, weights: model.Weights | None = None, shift: Shift = NONE) -> Explanation:
    """Why a text is read as `read` reads it, and as a brand's `shift` moves that."""
    used = weights or model.weights()
    seen = reading.see([one])
    likely = seen.languages.likely(0)
    found = shifted(reading.read([one], used)[0], shift)
    if found.sentiment is None:
        return Explanation(found, likely, {})
    chances = sentiment.read(seen.features, used, seen.groups, seen.kinds).chances
    spans = _figure_spans(seen)
    scores = {
        **_moods(seen, used, shift, spans),
        "offence": _offence(seen, used, spans),
        "urgency": _urgency(seen, chances),
        **_intents(seen, used, chances, shift),
    }
    places = _Places(one.text or "", seen.cleaned[0])
    return Explanation(found, likely, {name: places.score(score) for name, score in scores.items()})
