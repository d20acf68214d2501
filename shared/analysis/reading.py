"""Reading texts: what language, what mood, what for, how urgent, how rude, and about what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from shared.analysis import intent, language, lexicon, model, offence, phrases, sentiment, text, urgency
from shared.analysis.features import Features, features
from shared.analysis.text import Text
from shared.analysis.words import FACE, WORD, Flags, Ints, Words, words

__all__ = ["LABELS", "Label", "Reading", "Text", "read"]

Label = Literal["positive", "neutral", "negative"]

LABELS: tuple[Label, ...] = ("negative", "neutral", "positive")

_TEXTS, _CHARACTERS = 1024, 300_000
"""What is read at once, at most: numpy's arrays are about 400 bytes a character."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says. `language` is ISO 639-1 or `und`, `language_score` how likely it is. The others are None where
    there is nothing to read (no word and no picture): `sentiment` with the calibrated chance of that label, the chances
    of negative, neutral and positive, `polarity` from -1 to 1, `intents` (of `intent_scores`, those above
    `intent.SAID`), `urgency` and `offence` from 0 to 1, key `phrases`. `model` is the version of
    `model.Weights`."""

    language: str
    language_score: float
    sentiment: Label | None
    sentiment_score: float | None
    sentiment_chances: tuple[float, float, float] | None
    polarity: float | None
    intents: tuple[str, ...] | None
    intent_scores: dict[str, float] | None
    urgency: float | None
    offence: float | None
    phrases: tuple[str, ...] | None
    model: str


@dataclass(frozen=True)
class Seen:
    """A batch as far as everything that is read of it is read from the same."""

    cleaned: list[str]
    languages: language.Languages
    features: Features
    groups: Ints
    kinds: Ints
    readable: Flags


def _parts(batch: Sequence[Text]) -> Iterator[Sequence[Text]]:
    """The batch in parts of bounded size."""
    begin = characters = 0
    for place, one in enumerate(batch):
        size = min(len(one.text or ""), text.LIMIT)
        if place > begin and (place - begin == _TEXTS or characters + size > _CHARACTERS):
            yield batch[begin:place]
            begin, characters = place, 0
        characters += size
    if begin < len(batch):
        yield batch[begin:]


def _readable(found: Words) -> Flags:
    """Which texts hold a word that is neither a link nor a name, or a picture."""
    return found.count((found.kind == FACE) | ((found.kind == WORD) & ~found.named & ~found.link)) > 0


def see(batch: Sequence[Text]) -> Seen:
    """What is seen of a batch."""
    cleaned = [text.cleaned(one.text) for one in batch]
    found = words(cleaned)
    languages = language.read(batch, cleaned, found)
    return Seen(
        cleaned=cleaned,
        languages=languages,
        features=features(found, languages.names),
        groups=np.array([model.group_of(name) for name in languages.names], dtype=np.int64),
        kinds=np.array([model.kind_of(one.source) for one in batch], dtype=np.int64),
        readable=_readable(found),
    )


def _nothing(version: str) -> Reading:
    return Reading(lexicon.UNKNOWN, 0.0, None, None, None, None, None, None, None, None, None, version)


def _read(batch: Sequence[Text], weights: model.Weights) -> Iterator[Reading]:
    seen = see(batch)
    moods = sentiment.read(seen.features, weights, seen.groups, seen.kinds)
    unmarked = model.logits(seen.features, weights.heads["question"], seen.groups, np.zeros_like(seen.kinds))
    intents = intent.read(intent.signals(seen.features, moods.chances, unmarked)).tolist()
    urgencies = urgency.read(urgency.reasons(seen.features, moods.chances)).tolist()
    offences = offence.read(seen.features, weights, seen.groups).tolist()
    said = phrases.phrases(seen.features.words, seen.cleaned, seen.languages.names)
    chances = moods.chances.tolist()
    languages, language_scores = seen.languages.names, seen.languages.scores.tolist()
    labels, scores, polarities = moods.label.tolist(), moods.score.tolist(), moods.polarity.tolist()
    for place, readable in enumerate(seen.readable.tolist()):
        if not readable:
            yield _nothing(weights.version)
            continue
        by_intent = dict(zip(intent.INTENTS, intents[place], strict=True))
        yield Reading(
            language=languages[place],
            language_score=language_scores[place],
            sentiment=LABELS[labels[place]],
            sentiment_score=scores[place],
            sentiment_chances=(chances[place][0], chances[place][1], chances[place][2]),
            polarity=polarities[place],
            intents=tuple(name for name, chance in by_intent.items() if chance > intent.SAID),
            intent_scores=by_intent,
            urgency=urgencies[place],
            offence=offences[place],
            phrases=said[place],
            model=weights.version,
        )


def read(batch: Sequence[Text], weights: model.Weights | None = None) -> list[Reading]:
    """The reading of each text, in the order of the batch. A text gives the same in any batch. Without `weights` those
    that the code comes with."""
    used = weights or model.weights()
    return [reading for part in _parts(batch) for reading in _read(part, used)]
