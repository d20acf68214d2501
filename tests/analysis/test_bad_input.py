"""Texts that nobody would write, and that somebody sends."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.analysis.explaining import explain
from shared.analysis.reading import Text, read
from shared.analysis.text import LIMIT

_ZALGO = "".join(letter + "\u0301\u0316\u0489\u035b" * 20 for letter in "the service is terrible ")
STRANGE = {
    "100,000 characters": "le service est nul " * 5300,
    "one word of 100,000 letters": "a" * 100_000,
    "zalgo": _ZALGO * 10,
    "lone surrogates": "bonjour \ud83d \udc4d c'est super \ud800",
    "right to left": "\u202eמצוין\u202c שירות \u200fنعم \u061c bravo",
    "10,000 emoji": "😡" * 10_000,
    "families of emoji": "👨‍👩‍👧‍👦👩🏽‍🚀🏳️‍🌈" * 500,
    "one script inside another": "сервис was gоod и 服务 très 좋아요 ไทย",
    "control characters": "\x00\x01\x07 hello \x1b[31m \x7f",
    "brackets": "[](){}<>" * 2000,
    "question marks": "?" * 50_000,
    "handles": "@a " * 5000,
    "links": "http://a.be/x " * 3000,
    "dots": "a." * 20_000,
    "hosts without an end": "aa.b1." * 5000 + "zz",
    "hyphens": "aa-" * 5000 + " x.a",
    "faces": ":-) <3 ;) :D " * 2000,
    "beyond the tables": "\U000e0041\U0010ffff\U00020000 hello",
    "separators": "a\u2028b\u2029c\u0085d\x0be\x0cf",
}


@pytest.mark.parametrize("name", STRANGE)
def test_it_is_read_and_explained(name: str) -> None:
    text = Text(STRANGE[name])
    assert explain(text).reading == read([text])[0]


@pytest.mark.parametrize("name", STRANGE)
def test_it_changes_nothing_of_its_neighbours(name: str) -> None:
    neighbours = [Text("J'adore ce café"), Text("Werkt niet, slecht!")]
    assert read([neighbours[0], Text(STRANGE[name]), neighbours[1]])[::2] == read(neighbours)


@pytest.mark.parametrize("name", STRANGE)
def test_it_takes_no_longer_than_a_long_text_may(name: str) -> None:
    text = Text(STRANGE[name])
    read([text])
    begun = time.process_time()
    read([text])
    assert time.process_time() - begun < 0.5


def test_what_comes_after_the_limit_changes_nothing() -> None:
    begun = ("great service " * LIMIT)[:LIMIT]
    assert read([Text(begun + " awful, terrible, never again")]) == read([Text(begun)])


def test_accents_that_are_piled_up_hide_no_word() -> None:
    assert read([Text(_ZALGO)])[0].sentiment == "negative"


def test_letters_in_disguise_are_read_as_letters() -> None:
    plain, bold = read([Text("this is terrible, awful service"), Text("𝐭𝐡𝐢𝐬 𝐢𝐬 𝐭𝐞𝐫𝐫𝐢𝐛𝐥𝐞, 𝐚𝐰𝐟𝐮𝐥 𝐬𝐞𝐫𝐯𝐢𝐜𝐞")])
    assert bold.sentiment == plain.sentiment == "negative"


_ANY = st.text(st.characters(exclude_categories=()), max_size=60)


@settings(max_examples=40, deadline=None)
@given(st.lists(_ANY, min_size=1, max_size=5))
def test_whatever_is_sent_is_read_the_same_alone_and_together(sent: list[str]) -> None:
    texts = [Text(text) for text in sent]
    assert read(texts) == [read([text])[0] for text in texts]


@settings(max_examples=40, deadline=None)
@given(_ANY)
def test_the_parts_of_whatever_is_sent_sum_to_its_scores(sent: str) -> None:
    for score in explain(Text(sent)).scores.values():
        assert sum(part.value for part in score.parts) == pytest.approx(score.total, abs=1e-9)
