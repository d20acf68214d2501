"""What is read of the texts that stand: set when a text changes, gone with it, and never against a person's word.

A reading follows from what stands (text, kind, the network's word for the language) and from nothing that came before,
so that the same facts in any order are read the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shared.analysis import calibration, deep
from shared.analysis.reading import Reading, Text, read
from shared.contract import Said, storable
from shared.domain.listening.merge import MentionState
from shared.models.enums import CorrectedField, MentionKind, Network, Sentiment, SentimentSource
from shared.models.mention import Mention

Read = Callable[[Sequence[Text]], Sequence[Reading]]

_UNKNOWN = "und"
_PLACES = 4  # what a chance is kept to
_LONG = 4  # words; one in six languages of shorter texts is wrong without a prior
_SURE = 0.9
_SURE_ALONE = 0.6  # where nobody else says a language: of short texts one in a hundred is then wrong


class Readings:
    """The readings of a batch, by their texts. Most are read ahead, outside of any transaction; what stands by facts of
    several deliveries is read when it is asked for. `home` are the brand's languages: of a short text they are likelier
    than others."""

    def __init__(self, reader: Read = read, *, home: Sequence[str] = ()) -> None:
        self._read, self._home = reader, tuple(home)
        self._known: dict[Text, Reading] = {}

    def ahead(self, texts: Iterable[Text]) -> None:
        """Read what is not known yet: some hundreds of microseconds a text, in the thread that calls."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        asked = [replace(text, home=self._home) for text in new] if self._home else new
        self._known.update(zip(new, self._read(asked), strict=True) if new else ())

    def version(self) -> str:
        """The version of the model that reads now."""
        return self.of([Text("")])[0].model

    def of(self, texts: Sequence[Text]) -> list[Reading]:
        """The readings of these texts, in their order."""
        self.ahead(texts)
        return [self._known[text] for text in texts]


def text_said(said: Said, network: Network) -> Text | None:
    """What will be read of a version, if it comes to stand as it is; None where it has no text."""
    if not said.text:
        return None
    return text_as(storable(said.text), said.language, said.kind, network)


def text_of(state: MentionState) -> Text | None:
    """What is read of a state; None where it has no text, or is deleted."""
    if not state.listed or not state.text:
        return None
    return text_as(state.text, state.said_language, state.kind, state.network)


def text_as(said: str, said_language: str | None, kind: MentionKind, network: Network) -> Text:
    """What is read of a text that stands, of such a mention."""
    language = said_language.partition("-")[0].lower() if said_language else None
    return Text(said, language or None, kind.value if kind is MentionKind.REVIEW else network.value)


def follow(
    states: Iterable[MentionState],
    before: Mapping[UUID, MentionState],
    readings: Readings | None,
    shift: calibration.Shift = calibration.NONE,
) -> None:
    """Bring what is read of changed states up to date with their texts, by the brand's own calibration. Without
    readings a new text stands unread."""
    wanted: list[tuple[MentionState, Text]] = []
    for state in states:
        if not state.dirty:
            continue
        old, text = before.get(state.key), text_of(state)
        if text is None:
            forget(state)
        elif old is None or text != text_of(old) or (state.read_by is None and readings is not None):
            if readings is None:
                forget(state)
            else:
                undeepen(state)
                wanted.append((state, text))
    if wanted and readings is not None:
        for (state, _), reading in zip(wanted, readings.of([text for _, text in wanted]), strict=True):
            take(state, calibration.shifted(reading, shift))


def take(state: MentionState, reading: Reading) -> None:
    """Let a reading stand where no person has said otherwise."""
    state.read_by = reading.model
    state.urgency, state.offence = _kept(reading.urgency), _kept(reading.offence)
    state.topics = list(reading.phrases) if reading.phrases is not None else None
    if CorrectedField.SENTIMENT not in state.corrected:
        label = Sentiment(reading.sentiment) if reading.sentiment is not None else None
        if state.deep_by is None or label is None:
            undeepen(state)
            state.sentiment, state.sentiment_score = label, _kept(reading.sentiment_score)
        else:
            state.fast_sentiment, state.fast_score = label, _kept(reading.sentiment_score)
    if CorrectedField.INTENTS not in state.corrected:
        state.intents = list(reading.intents) if reading.intents is not None else None
    if CorrectedField.LANGUAGE not in state.corrected:
        state.language = _language(state, reading)


def _language(state: MentionState, reading: Reading) -> str | None:
    """The model's word where the text is long enough or it is sure; against the network's only where both hold."""
    is_known, is_long = reading.language != _UNKNOWN, len((state.text or "").split()) >= _LONG
    if state.said_language is not None:
        is_sure = reading.language_score >= _SURE
        return reading.language if is_known and is_long and is_sure else state.said_language
    return reading.language if is_known and (is_long or reading.language_score >= _SURE_ALONE) else None


def take_anew(state: MentionState, reading: Reading) -> bool:
    """Let another model's reading stand; a deep one of the same text stays. Whether a person sees a difference: chances
    by themselves are none."""
    before = _shown(state)
    take(state, reading)
    return _marked(state, before)


def take_deep(state: MentionState, mood: deep.Mood, version: str) -> bool:
    """Let the deep model's mood stand where no person has said otherwise; what the fast one said is kept beside it.
    Whether a person sees a difference."""
    before = _shown(state)
    if CorrectedField.SENTIMENT not in state.corrected:
        if state.deep_by is None:
            state.fast_sentiment, state.fast_score = state.sentiment, state.sentiment_score
        state.deep_by = version
        state.sentiment, state.sentiment_score = Sentiment(mood.label), _kept(mood.score)
    return _marked(state, before)


def undeepen(state: MentionState) -> None:
    """What the deep model said was of another text."""
    state.deep_by = state.fast_sentiment = state.fast_score = None


def _marked(state: MentionState, before: tuple[object, ...]) -> bool:
    is_other = before != _shown(state)
    state.dirty, state.noted = state.dirty or is_other, True
    return is_other


def _shown(state: MentionState) -> tuple[object, ...]:
    return state.sentiment, state.intents, state.language


def forget(state: MentionState) -> None:
    """There is nothing to read, or nobody who reads: what a model said goes; a deleted mention's corrections go too."""
    if state.deleted_at is not None:
        state.corrected = []
    state.read_by = state.urgency = state.offence = state.topics = None
    undeepen(state)
    if CorrectedField.SENTIMENT not in state.corrected:
        state.sentiment = state.sentiment_score = None
    if CorrectedField.INTENTS not in state.corrected:
        state.intents = None
    if CorrectedField.LANGUAGE not in state.corrected:
        state.language = state.said_language


@dataclass(frozen=True, slots=True)
class FastMood:
    """What the fast model said, where the deep one has looked at the text too."""

    label: Sentiment
    score: float | None
    model_version: str | None


@dataclass(frozen=True, slots=True)
class Mood:
    """A mention's sentiment and who says so. `score` is the model's chance of its label, calibrated; of a person's word
    there is none, nor a version of the model. `fast` is there where the deep model says so."""

    label: Sentiment
    score: float | None
    source: SentimentSource
    model_version: str | None
    fast: FastMood | None = None


def mood_of(mention: Mention) -> Mood | None:
    """A mention's sentiment; None where it is not read."""
    if mention.sentiment is None:
        return None
    if CorrectedField.SENTIMENT in mention.corrected:
        return Mood(mention.sentiment, None, SentimentSource.PERSON, None)
    if mention.fast_sentiment is None:
        return Mood(mention.sentiment, mention.sentiment_score, SentimentSource.MODEL, mention.read_by)
    fast = FastMood(mention.fast_sentiment, mention.fast_score, mention.read_by)
    return Mood(mention.sentiment, mention.sentiment_score, SentimentSource.MODEL, mention.deep_by, fast)


def _kept(chance: float | None) -> float | None:
    return round(chance, _PLACES) if chance is not None else None
