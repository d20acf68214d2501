"""Why a mention is read as it is: made when somebody asks, from the text that stands, by the model of now."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.analysis import calibration, explaining, intent, reading
from shared.domain.listening import readings
from shared.models.enums import CorrectedField, ExplainedKind, Intent, Sentiment, Unexplained
from shared.models.mention import Mention

_PLACES = 4  # what a chance is kept to, as in readings
_MOST_SPANS = 100


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text: `end` is the first character after it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """What adds `weight` to a score, with its first 100 places in the text, in code points."""

    name: str
    kind: ExplainedKind
    weight: float
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A score and what it is the sum of, the greatest first. `total` is log-odds, of a mood a logit; `chance` what
    follows from it."""

    total: float
    chance: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class MoodScore(Score):
    """Of one mood: the chances of the three are the softmax of their totals."""

    label: Sentiment


@dataclass(frozen=True, slots=True)
class IntentScore(Score):
    """Of one intent: it is said to hold from a chance of `intent.SAID` on."""

    label: Intent


@dataclass(frozen=True, slots=True)
class ExplainedSentiment:
    """`label` stands: by a person, by the deep model (`deep_version`), or by the fast one. The scores are the fast
    one's and come to `fast_label`; of a person's word there are none."""

    label: Sentiment | None
    by_person: bool
    deep_version: str | None
    fast_label: Sentiment | None
    scores: tuple[MoodScore, ...]


@dataclass(frozen=True, slots=True)
class ExplainedIntents:
    """`labels` stand; the scores come to `fast_labels`. Of a person's word there are none."""

    labels: tuple[Intent, ...]
    by_person: bool
    fast_labels: tuple[Intent, ...]
    scores: tuple[IntentScore, ...]


@dataclass(frozen=True, slots=True)
class LanguageChance:
    language: str
    chance: float


@dataclass(frozen=True, slots=True)
class ExplainedLanguage:
    """`language` stands: a person's word, else the model's, else, where that is unsure, the network's. `likely` are the
    three that the model holds for likeliest; of a person's word there are none."""

    language: str | None
    by_person: bool
    likely: tuple[LanguageChance, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`model_version` explains; `current`: that is the one by which the mention was read. Urgency and offence are null,
    and there are no scores, where there is nothing to read in the text."""

    model_version: str
    current: bool
    sentiment: ExplainedSentiment
    intents: ExplainedIntents
    urgency: Score | None
    offence: Score | None
    language: ExplainedLanguage


def unexplained(mention: Mention) -> Unexplained | None:
    """Why there is nothing to explain; None where there is."""
    if mention.deleted_at is not None:
        return Unexplained.DELETED
    return None if mention.read_by is not None and mention.text else Unexplained.UNREAD


class Explainer:
    """Explains in a thread, one text at a time: several would take as long and leave less to the loop. The first waits
    for the model (1.5 s, 200 MB)."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def explain(self, mention: Mention, home: Sequence[str]) -> Explanation | None:
        """Why the mention is read as it is: the text that stands, with the brand's languages (`home`), and the shift of
        the brand's calibration that it was read with. None where `unexplained` says why."""
        if unexplained(mention) is not None:
            return None
        async with self._turn:
            return await asyncio.to_thread(_explained, mention, tuple(home))


def _explained(mention: Mention, home: tuple[str, ...]) -> Explanation:
    assert mention.text is not None
    assert mention.read_by is not None
    text = readings.text_as(mention.text, mention.said_language, mention.kind, mention.network)
    found = explaining.explain(replace(text, home=home), shift=calibration.of_version(mention.read_by))
    return Explanation(
        model_version=found.reading.model,
        current=found.reading.model == mention.read_by,
        sentiment=_sentiment(mention, found),
        intents=_intents(mention, found),
        urgency=_score(found.scores["urgency"], found.reading.urgency) if found.scores else None,
        offence=_score(found.scores["offence"], found.reading.offence) if found.scores else None,
        language=_language(mention, found),
    )


def _sentiment(mention: Mention, found: explaining.Explanation) -> ExplainedSentiment:
    if CorrectedField.SENTIMENT in mention.corrected:
        return ExplainedSentiment(mention.sentiment, True, None, None, ())
    chances = found.reading.sentiment_chances or ()
    scores = [
        MoodScore(*_told(found.scores[label], chance), label=Sentiment(label))
        for label, chance in zip(reading.LABELS, chances, strict=False)
    ]
    fast = found.reading.sentiment
    return ExplainedSentiment(
        mention.sentiment, False, mention.deep_by, Sentiment(fast) if fast is not None else None, tuple(scores)
    )


def _intents(mention: Mention, found: explaining.Explanation) -> ExplainedIntents:
    labels = _labels(mention.intents)
    if CorrectedField.INTENTS in mention.corrected:
        return ExplainedIntents(labels, True, (), ())
    chances = found.reading.intent_scores or {}
    scores = [
        IntentScore(*_told(found.scores[name], chances[name]), label=Intent(name))
        for name in intent.INTENTS
        if name in chances
    ]
    return ExplainedIntents(labels, False, _labels(found.reading.intents), tuple(scores))


def _labels(names: Sequence[str] | None) -> tuple[Intent, ...]:
    return tuple(Intent(name) for name in names or ())


def _language(mention: Mention, found: explaining.Explanation) -> ExplainedLanguage:
    if CorrectedField.LANGUAGE in mention.corrected:
        return ExplainedLanguage(mention.language, True, ())
    likely = [LanguageChance(name, round(chance, _PLACES)) for name, chance in found.languages] if found.scores else []
    return ExplainedLanguage(mention.language, False, tuple(likely))


def _score(score: explaining.Score, chance: float | None) -> Score:
    return Score(*_told(score, chance or 0.0))


def _told(score: explaining.Score, chance: float) -> tuple[float, float, tuple[Part, ...]]:
    return score.total, round(chance, _PLACES), tuple(_part(part) for part in score.parts)


def _part(part: explaining.Part) -> Part:
    spans = tuple(Span(*span) for span in part.spans[:_MOST_SPANS])
    return Part(part.name, ExplainedKind(part.kind), part.value, spans)
