"""Why a text is read as it is: what each score is the sum of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.analysis import intent, model, offence, reading, sentiment, urgency
from shared.analysis.calibration import NONE, STEP, Shift, shifted
from shared.analysis.features import FIGURES, word_figures
from shared.analysis.text import Text

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """What adds `value` to a score: a word of the text with its places (first character, and the one after the last, of
    the text in composed form), or something counted over all of it."""

    name: str
    value: float
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """A score before it becomes a chance (log-odds; of the three moods calibrated logits, whose softmax is their
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


def _sorted(total: float, parts: Sequence[Part]) -> Score:
    kept = [part for part in parts if part.value != 0.0]
    return Score(total=total, parts=tuple(sorted(kept, key=lambda part: (-abs(part.value), part.name))))


def _word_parts(seen: reading.Seen, values: Array) -> list[Part]:
    """The values of words as parts: one for each distinct word, with all its places."""
    found: dict[str, tuple[float, list[tuple[int, int]]]] = {}
    words, whole = seen.features.words, seen.cleaned[0]
    for place, value in enumerate(values.tolist()):
        if value:
            span = int(words.start[place]), int(words.end[place])
            name = whole[span[0] : span[1]].lower()
            before, spans = found.get(name, (0.0, []))
            found[name] = before + value, [*spans, span]
    return [Part(name, value, tuple(spans)) for name, (value, spans) in found.items()]


def _list_spans(seen: reading.Seen) -> dict[str, tuple[tuple[int, int], ...]]:
    """The places of the words behind each figure that comes from a list of words."""
    words = seen.features.words
    table = word_figures(words, seen.features.hits, seen.features.negated, seen.languages.names)
    return {
        FIGURES[column]: tuple((int(words.start[at]), int(words.end[at])) for at in np.flatnonzero(table[:, column]))
        for column in range(table.shape[1])
    }


def _head_parts(seen: reading.Seen, head: model.Head, times: float) -> list[Part]:
    """What a head makes of the one text, `times` its calibration: words by their n-grams, figures, the constant."""
    features, group = seen.features, int(seen.groups[0])
    table = head.table[int(seen.kinds[0]) if len(head.table) > 1 else 0]
    each = table[features.grams.bucket].astype(np.float64) * (head.scale * times / float(model.norms(features)[0]))
    by_word = np.bincount(features.grams.word, weights=each, minlength=len(features.words.text)).astype(np.float64)
    spans = _list_spans(seen)
    figures = features.figures[0] * head.figures[group, :-1] * times
    return [
        *_word_parts(seen, by_word),
        *(Part(name, float(value), spans.get(name, ())) for name, value in zip(FIGURES, figures, strict=True)),
        Part("the constant", float(head.figures[group, -1] * times)),
    ]


_BRAND = "the brand's corrections"


def _moods(seen: reading.Seen, weights: model.Weights, shift: Shift) -> dict[str, Score]:
    totals = sentiment.scores(seen.features, weights, seen.groups, seen.kinds)[0]
    times, *offsets = weights.calibrations["sentiment"][seen.groups[0], seen.kinds[0]].tolist()
    scores = {}
    for label, total, offset, steps in zip(sentiment.LABELS, totals, offsets, shift.moods, strict=True):
        own = [Part("calibration", offset), Part(_BRAND, steps * STEP)]
        scores[label] = _sorted(float(total) + steps * STEP, [*_head_parts(seen, weights.heads[label], times), *own])
    return scores


def _signal_parts(names: Sequence[str], values: Array, rules: Array) -> list[Part]:
    return [Part(name, float(value)) for name, value in zip(names, values * rules, strict=True)]


def explain(one: Text, weights: model.Weights | None = None, shift: Shift = NONE) -> Explanation:
    """Why a text is read as `read` reads it, and as a brand's `shift` moves that."""
    used = weights or model.weights()
    seen = reading.see([one])
    likely = seen.languages.likely(0)
    found = shifted(reading.read([one], used)[0], shift)
    if found.sentiment is None:
        return Explanation(found, likely, {})
    moods = sentiment.read(seen.features, used, seen.groups, seen.kinds)
    unmarked = model.logits(seen.features, used.heads["question"], seen.groups, np.zeros_like(seen.kinds))
    signals = intent.signals(seen.features, moods.chances, unmarked)
    reasons = urgency.reasons(seen.features, moods.chances)
    times, offset = used.calibrations["offence"][seen.groups[0]].tolist()
    weighed = np.array([urgency.WEIGHTS[reason] for reason in urgency.REASONS])
    scores = _moods(seen, used, shift)
    scores["offence"] = _sorted(
        float(offence.scores(seen.features, used, seen.groups)[0]),
        [*_head_parts(seen, used.heads["offence"], times), Part("calibration", offset)],
    )
    scores["urgency"] = _sorted(float(urgency.scores(reasons)[0]), _signal_parts(urgency.REASONS, reasons[0], weighed))
    by_intent = zip(intent.INTENTS, intent.rules(), intent.scores(signals)[0], shift.intents, strict=True)
    for name, rules, total, steps in by_intent:
        parts = [*_signal_parts(intent.SIGNALS, signals[0], rules), Part(_BRAND, steps * STEP)]
        scores[name] = _sorted(float(total) + steps * STEP, parts)
    return Explanation(found, likely, scores)
