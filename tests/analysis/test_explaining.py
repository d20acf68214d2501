"""Every score can say what made it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.analysis.explaining import explain
from shared.analysis.intent import INTENTS
from shared.analysis.text import Text, pieces

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


def spelled(text: str, score: str, name: str) -> list[str]:
    """What stands at the places of a part."""
    parts = [part for part in explain(Text(text)).scores[score].parts if part.name == name]
    return [text[begin:end] for part in parts for begin, end in part.spans]


def test_places_are_those_of_the_text_as_it_was_given() -> None:
    """Letters with their accents apart, before and in the word."""
    assert spelled("De\u0301ja\u0300 vu : service e\u0301pouvantable", "negative", "épouvantable") == [
        "e\u0301pouvantable"
    ]


def test_a_word_that_is_said_again_has_all_of_its_places() -> None:
    assert spelled("Horrible food, horrible staff, HORRIBLE", "negative", "horrible") == [
        "Horrible",
        "horrible",
        "HORRIBLE",
    ]


def test_a_link_and_a_face_have_all_of_their_places() -> None:
    text = "Nul :-(( voir https://example.com/a?b=c merci"
    assert spelled(text, "negative", "http") == ["https://example.com/a?b=c"]
    assert spelled(text, "negative", "🙁") == [":-(("]


def test_what_stands_behind_a_signal_has_its_place_too() -> None:
    text = "Still waiting, PLEASE call me today! My lawyer is informed"
    assert spelled(text, "urgency", "legal") == ["lawyer"]
    assert spelled(text, "urgency", "exclaims") == ["!"]
    assert spelled(text, "request", "please") == ["PLEASE"]


@pytest.mark.parametrize("text", TEXTS)
def test_every_part_says_of_what_kind_it_is(text: Text) -> None:
    for score in explain(text).scores.values():
        assert all(part.spans for part in score.parts if part.kind == "word")
        assert not any(part.spans for part in score.parts if part.kind not in {"word", "signal"})


_HARD = st.sampled_from(
    "aeqAQ \u0301\u0300\u0323\u0327\u0344\u0f71\u0f72\u0f73\u1100\u1161\u11a8가각ക\u0d46\u0d3e\u0958\ufb2a\u0338"
)


@given(st.text(st.one_of(_HARD, st.characters())))
def test_pieces_are_composed_each_by_itself(text: str) -> None:
    found = list(pieces(text))
    assert "".join(found) == text
    assert "".join(unicodedata.normalize("NFC", piece) for piece in found) == unicodedata.normalize("NFC", text)


@given(st.lists(st.one_of(_HARD, st.sampled_from([":-)", "www.x.be", "😡", "!"])), max_size=30).map("".join))
def test_every_place_is_one_of_the_text(text: str) -> None:
    for score in explain(Text(text)).scores.values():
        for part in score.parts:
            assert all(0 <= begin < end <= len(text) for begin, end in part.spans)
