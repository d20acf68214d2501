"""Every score can say what made it."""

import pytest

from shared.analysis.explaining import explain
from shared.analysis.intent import INTENTS
from shared.analysis.reading import Text

TEXTS = [
    Text("Bravo pour le retard, trooop nul !! 😡 http://x.be @train"),
    Text("Könnt ihr mir bitte mein Geld zurückgeben? Das ist nicht schön.", source="review"),
    Text("Dank je wel, superlekker gegeten bij De Kiezel!"),
    Text("ok"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_parts_sum_to_the_score(text: Text) -> None:
    for score in explain(text).scores.values():
        assert sum(part.value for part in score.parts) == pytest.approx(score.total, abs=1e-9)


def test_every_score_is_explained() -> None:
    assert set(explain(TEXTS[0]).scores) == {"negative", "neutral", "positive", "offence", "urgency", *INTENTS}


def test_the_word_that_says_it_comes_with_its_place() -> None:
    text = "The staff at the counter was horrible"
    parts = explain(Text(text)).scores["negative"].parts
    word = next(part for part in parts if part.name == "horrible")
    assert word.value > 0
    assert [text[begin:end] for begin, end in word.spans] == ["horrible"]


def test_what_adds_most_comes_first() -> None:
    parts = explain(TEXTS[0]).scores["negative"].parts
    assert [abs(part.value) for part in parts] == sorted((abs(part.value) for part in parts), reverse=True)


def test_where_there_is_nothing_to_read_there_is_nothing_to_explain() -> None:
    assert explain(Text("https://example.com")).scores == {}


def test_the_likeliest_languages_are_named() -> None:
    assert explain(TEXTS[1]).languages[0][0] == "de"
