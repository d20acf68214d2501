import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.analysis.queries.explaining import explain
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.printing import canonical
from shared.analysis.queries.problems import ProblemCode, QueryRefused
from shared.analysis.queries.tree import Node
from tests.analysis.queries.writing import queries


def parsed(query: str) -> Node:
    try:
        return parse(query)
    except QueryRefused as refused:
        assume(refused.problem.code is not ProblemCode.ONLY_NEGATIVE)
        raise


@pytest.mark.parametrize(
    ("query", "plain"),
    [
        ("a b OR c -d", "a AND b OR c AND NOT d"),
        ("NOT a NEAR/2 b c", "NOT a NEAR/2 b AND c"),
        ("a AND (b OR c)", "a AND (b OR c)"),
        ("((a OR b) OR c)", "a OR b OR c"),
        ("“a b” «c» „d“", '"a b" AND c AND d'),
        ("porte-monnaie H&M", '"porte monnaie" AND "H M"'),
        ('"AND" or not', '"AND" AND or AND not'),
        ("-lang:FR a", "NOT lang:fr AND a"),
        ('AUTHOR:"Jan  Peeters",@Piet', 'author:"jan peeters",piet'),
        ("Reach>=10", "reach>=10"),
        ("a\tb\nc", "a AND b AND c"),
        ("a -b", "a AND NOT b"),
        ("a-b", '"a b"'),
    ],
)
def test_a_query_is_read_along_its_grammar(query: str, plain: str) -> None:
    assert canonical(parse(query)) == plain


@pytest.mark.parametrize(
    ("query", "code", "start", "end"),
    [
        (" ", "empty", 0, 1),
        ("a (b OR c", "unclosed_parenthesis", 2, 3),
        ("a OR b) c", "unopened_parenthesis", 6, 7),
        ('a "b c', "unclosed_quote", 2, 3),
        ("a AND", "missing_operand", 2, 5),
        ("OR a", "missing_operand", 0, 2),
        ("a OR OR b", "missing_operand", 2, 4),
        ("a NOT", "missing_operand", 2, 5),
        ("NEAR/3 a", "missing_operand", 0, 6),
        ("a NEAR/3", "missing_operand", 2, 8),
        ("a ()", "empty_group", 2, 4),
        ("NOT a", "only_negative", 0, 5),
        ("-a -b", "only_negative", 0, 5),
        ("NOT (NOT a)", "only_negative", 0, 11),
        ("a b*", "wildcard_too_short", 2, 4),
        ("a *", "wildcard_too_short", 2, 3),
        ("author:j*", "wildcard_too_short", 7, 9),
        ("a &", "no_word", 2, 3),
        ('a "..."', "no_word", 2, 7),
        ("a langue:fr", "unknown_field", 2, 8),
        ("lang:french", "unknown_value", 5, 11),
        ("network:myspace", "unknown_value", 8, 15),
        ("kind:", "unknown_value", 5, 5),
        ("site:https://lesoir.be", "unknown_value", 5, 22),
        ("reach>1k", "bad_number", 6, 8),
        ("reach:5", "bad_number", 6, 7),
        ("a NEAR/0 b", "near_distance", 7, 8),
        ("a NEAR/101 b", "near_distance", 7, 10),
        ("a NEAR b", "near_distance", 2, 6),
        ("a NEAR/2 (b c)", "near_operand", 9, 14),
        ("lang:fr NEAR/2 b", "near_operand", 0, 7),
        ("a NEAR/2 b NEAR/2 c", "near_chain", 11, 17),
        ("(" * 51 + "a" + ")" * 51, "too_deep", 0, 103),
        (" ".join(["a"] * 2001), "too_many_terms", 0, 4001),
        ("a" * 50_001, "too_long", 0, 50_001),
    ],
)
def test_a_query_that_means_nothing_is_refused_with_the_place_and_the_reason(
    query: str, code: str, start: int, end: int
) -> None:
    with pytest.raises(QueryRefused) as refused:
        parse(query)
    problem = refused.value.problem
    assert (problem.code, problem.start, problem.end) == (code, start, end)


@given(queries)
def test_a_query_and_its_printed_form_mean_the_same(query: str) -> None:
    tree = parsed(query)
    assert parse(canonical(tree)) == tree


@given(queries)
def test_printing_a_printed_query_changes_nothing(query: str) -> None:
    once = canonical(parsed(query))
    assert canonical(parse(once)) == once


@given(st.text(max_size=60) | st.text(alphabet='ab "()-#@*?:,ANDORTE/1235“>', max_size=60))
def test_any_text_is_read_or_refused_within_itself(text: str) -> None:
    try:
        explain(parse(text))
    except QueryRefused as refused:
        problem = refused.problem
        assert 0 <= problem.start <= problem.end <= len(text)
        assert problem.message


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Müller", "the word “Müller” (also written mueller)"),
        ("bier* *zelt *iss*", "a word beginning with “bier”, a word ending in “zelt” and a word with “iss”"),
        ("b?er", "a word like “b?er”"),
        ("#a OR @b", "the hashtag “#a” or the handle “@b”"),
        ('"a b" -(c d)', "the words “a b” next to each other and not (the word “c” and the word “d”)"),
        ("a NEAR/5 (b OR c)", "the word “a” at most 5 words from (the word “b” or the word “c”), in either order"),
        ("lang:fr,nl reach>1000", "the language French (fr) or Dutch (nl) and a reach of more than 1,000"),
        ("site:lesoir.be url:dunes", "the site lesoir.be or one below it and dunes in a link"),
    ],
)  # fmt: skip
def test_a_query_is_explained_in_words(query: str, said: str) -> None:
    assert explain(parse(query)) == f"Finds mentions with {said}."


def test_of_a_long_query_the_beginning_is_explained() -> None:
    said = explain(parse(" OR ".join(f"word{n}" for n in range(2_000))))
    assert said.endswith("or 1,988 more.")
    assert len(said) < 500
