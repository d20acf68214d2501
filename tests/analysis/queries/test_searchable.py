"""What of a query a network can be searched for: never less than it means, or it says what is left out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.analysis.matcher import Matcher, listening
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.searchable import MOST_REQUESTS, searchable
from shared.analysis.queries.subject import Subject

CASES: dict[str, list[tuple[str, ...]]] = {
    "koffie": [("koffie",)],
    "koffie OR thee": [("koffie",), ("thee",)],
    "koffie thee": [("thee", "koffie"), ("koffie", "thee")],
    '"café des dunes"': [("café des dunes",), ("cafe des dunes",)],
    "#cafedunes OR @cafe_dunes@a.example": [("cafedunes",), ("cafe_dunes",)],
    "Müller": [("müller",), ("muller",), ("mueller",)],
    "livraison NEAR/4 (retard* OR lent*) lang:fr": [("livraison",)],
    "eau -toilette": [("eau",)],
    "(a OR b OR c) d": [("d",)],
    "koffie OR koffie lekker": [("koffie",)],
}


@pytest.mark.parametrize("query", CASES)
def test_a_query_comes_to_words_that_stand_together(query: str) -> None:
    found = searchable(parse(query))
    assert found.left_out == ()
    assert set(found.requests) <= set(CASES[query])
    assert found.requests


@pytest.mark.parametrize(
    ("query", "left_out"),
    [
        ("foto OR *winkel", ("*winkel",)),
        ("foto OR reach>5", ("reach>5",)),
        ("foto OR NOT thee", ("NOT thee",)),
        ("(foto OR *winkel) (lief OR bier*)", ("*winkel",)),
        ("🔥 OR foto", ("🔥",)),
    ],
    ids=["wildcard", "reach", "not", "the_lesser_loss", "emoji"],
)
def test_a_branch_that_can_not_be_asked_for_is_said(query: str, left_out: tuple[str, ...]) -> None:
    assert searchable(parse(query)).left_out == left_out


@pytest.mark.parametrize("query", ["reach>5", "bier*", "lang:fr sentiment:negative", "🔥", "url:dunes"])
def test_of_some_queries_nothing_can_be_asked_for(query: str) -> None:
    found = searchable(parse(query))
    assert found.requests == ()
    assert len(found.left_out) == 1


def test_so_many_requests_at_most_and_the_rest_is_said() -> None:
    found = searchable(parse(" OR ".join(f"woord{n:02}" for n in range(30))))
    assert len(found.requests) == MOST_REQUESTS
    assert set(found.left_out) == {f"woord{n:02}" for n in range(MOST_REQUESTS, 30)}


_WORDS = st.sampled_from(["een", "twee", "drie", "vier"])
_QUERIES = st.recursive(
    _WORDS,
    lambda inner: st.one_of(
        st.builds("({} {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("({} -{})".format, inner, _WORDS),
        st.builds('"{} {}"'.format, _WORDS, _WORDS),
        st.builds("{} NEAR/3 {}".format, _WORDS, _WORDS),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(query=_QUERIES, text=st.lists(_WORDS, min_size=1, max_size=6).map(" ".join))
def test_whatever_matches_holds_all_the_words_of_one_request(query: str, text: str) -> None:
    node = parse(query)
    found = searchable(node)
    if found.left_out or not Matcher([listening(0, node)]).match([Subject(text)])[0]:
        return
    assert any(all(f" {word} " in f" {text} " for word in words) for words in found.requests)
