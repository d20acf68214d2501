import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.analysis.folding import fold, folded, written_out


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Évian ÇA où", "evian ca ou"),
        ("Straße ŒUVRE Æsir ĳs Øl Łódź", "strasse oeuvre aesir ijs ol lodz"),
        ("Ｆｕｌｌ ﬁn 𝐁𝐨𝐥𝐝", "full fin bold"),
        ("don’t donʼt don`t DON'T", "don't don't don't don't"),
        ("so\u00adft \u200fmark\u2060ed", "soft marked"),
        ("Balkonië\ufe0f mooi\ufe0f", "balkonie mooi"),
        ("👍🏽 ❤️ 👩🏽‍🚒", "👍 ❤ 👩‍🚒"),
        ("Parvis™ ½ №", "parvis™ ½ №"),
        ("İstanbul ΣΊΣΥΦΟΣ", "istanbul σισυφοσ"),
        ("हिन्दी", "हिन्दी"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_what_is_written_in_many_ways_has_one_form(written: str, plain: str) -> None:
    assert folded(written) == plain


@given(st.text(alphabet=st.sampled_from("aëßœÆ\u0301 \u00ad\ufe0f!#ĳ한"), max_size=40))
def test_what_is_written_out_folds_to_the_same(text: str) -> None:
    assert folded(written_out(text)) == folded(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_composed_and_decomposed_forms_are_equal(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))


def test_a_place_in_the_folded_text_leads_back_to_what_was_written() -> None:
    text = "Die Große Stra\u00adße, ete\u0301!"
    found = fold(text)
    start = found.text.index("strasse")
    first, last = found.original(start, start + len("strasse"))
    assert text[first:last] == "Stra\u00adße"
    start = found.text.index("ete")
    first, last = found.original(start, start + 3)
    assert text[first:last] == "ete\u0301"


@given(st.text(max_size=60))
def test_every_folded_character_has_a_place_in_the_text(text: str) -> None:
    found = fold(text)
    places = [found.original(at, at + 1) for at in range(len(found.text))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)
