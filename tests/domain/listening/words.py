"""A reader of few words, for tests in which the words decide."""

from collections.abc import Sequence

from shared.analysis.reading import Label, Reading, Text

VERSION = "few-words"
_MOODS: dict[str, Label] = {"good": "positive", "bad": "negative"}
_INTENTS = {"why": "question", "bad": "criticism", "merci": "thanks"}
_LANGUAGES = {"merci": "fr", "why": "en", "bedankt": "nl"}


def _one(text: Text) -> Reading:
    words = (text.text or "").split()
    language = next((_LANGUAGES[word] for word in words if word in _LANGUAGES), text.language or "und")
    if not words:
        return Reading("und", 0.0, None, None, None, None, None, None, None, None, None, VERSION)
    moods: list[Label] = [_MOODS[word] for word in words if word in _MOODS]
    return Reading(
        language=language,
        language_score=0.9,
        sentiment=moods[0] if moods else "neutral",
        sentiment_score=1 - 0.5 ** len(words),
        sentiment_chances=None,
        polarity=0.0,
        intents=tuple(sorted({_INTENTS[word] for word in words if word in _INTENTS})),
        intent_scores={},
        urgency=0.25 if text.source == "review" else 0.5,
        offence=0.0,
        phrases=tuple(words[:2]),
        model=VERSION,
    )


def read(batch: Sequence[Text]) -> list[Reading]:
    """The reading of each text, by its words alone, its language and its kind of source."""
    return [_one(text) for text in batch]
