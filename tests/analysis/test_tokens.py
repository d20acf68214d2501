import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.analysis.folding import fold
from shared.analysis.tokens import TokenKind, in_haste, tokens, tokens_of


def named(text: str, kind: TokenKind) -> list[str]:
    return [token.name for token in tokens_of(text) if token.kind is kind]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L'eau d’Évian, aujourd'hui", ["l", "eau", "d", "evian", "aujourd", "hui"]),
        ("foto's, Dunes's, 'n 5G m²", ["foto", "s", "dunes", "s", "n", "5g", "m2"]),
        ("can't don’t ISN'T", ["can't", "don't", "isn't"]),
        ("porte-monnaie H&M snake_case", ["porte", "monnaie", "h", "m", "snake", "case"]),
        ("Super.De koffie", ["super", "de", "koffie"]),
        ("fini.C'est", ["fini", "c", "est"]),
    ],
)
def test_words_are_runs_of_letters_marks_and_digits(text: str, words: list[str]) -> None:
    assert named(text, TokenKind.WORD) == words


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("(https://x.be/a_(b)?c=1).", ["https://x.be/a_(b)?c=1"]),
        ("voir www.lesoir.be, merci", ["www.lesoir.be"]),
        ("lesoir.be/abc! ...dunes.be", ["lesoir.be/abc", "dunes.be"]),
        ("jan.piet+x@foo.co.uk.", ["jan.piet+x@foo.co.uk"]),
        ("3.5 z.B. Mr.Smith", []),
    ],
)
def test_an_address_is_one_token_without_the_punctuation_around_it(text: str, addresses: list[str]) -> None:
    assert named(text, TokenKind.URL) == addresses


def test_tags_and_handles_are_one_token_each() -> None:
    text = "#CafeDunes#love @cafe_dunes. @a.b@host.social: C# @"
    assert named(text, TokenKind.TAG) == ["cafedunes", "love"]
    assert named(text, TokenKind.HANDLE) == ["cafe_dunes", "a.b@host.social"]


def test_each_emoji_is_a_token_and_a_joined_one_or_a_flag_is_one() -> None:
    assert named("🔥🔥👍🏽👩‍👩‍👧🇧🇪🇫🇷5️⃣ ©", TokenKind.EMOJI) == ["🔥", "🔥", "👍", "👩‍👩‍👧", "🇧🇪", "🇫🇷", "5⃣"]


def test_a_token_leads_back_to_what_was_written() -> None:
    text = "so\u00adft 👍🏽 #Été"
    found = fold(text)
    places = [found.original(token.start, token.end) for token in tokens(found)]
    assert [text[start:end] for start, end in places] == ["so\u00adft", "👍🏽", "#Été"]


@pytest.mark.parametrize(
    "piece",
    ["a", "a.", "a--", "..a", "@", "a@", "e\u0301\u0302", "🔥", "🔥\u200d", "\ud800", "www.a)", "a.b-c+", "(x.be/"],
)
def test_a_hundred_thousand_characters_of_anything_take_no_longer_than_that(piece: str) -> None:
    began = time.process_time()
    tokens_of(piece * (100_000 // len(piece)))
    assert time.process_time() - began < 5


@given(st.text(alphabet=st.sampled_from("abné.@#:/_'t🙂1\u20e3\u0301\ufe0f\u200d -한"), max_size=40))
def test_in_haste_the_same_words_and_tags_are_named(text: str) -> None:
    named_ = {TokenKind.WORD, TokenKind.TAG}
    hasty: list[str] = []
    for some in in_haste(fold(text)):
        hasty += some if isinstance(some, list) else [some.name] if some.kind in named_ else []
    assert hasty == [token.name for token in tokens_of(text) if token.kind in named_]
