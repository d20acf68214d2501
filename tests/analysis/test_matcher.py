import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.analysis.matcher import Matcher, anchored_anew, listening
from shared.analysis.queries.evaluating import evaluate
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.problems import QueryRefused
from shared.analysis.queries.seen import Seen
from shared.analysis.queries.subject import Subject
from shared.analysis.queries.tree import Node
from tests.analysis.queries.writing import queries, subjects


def by(handle: str | None, name: str | None = None) -> Subject:
    return Subject("", author_handle=handle, author_name=name)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (by("jan"), by("piet"), [0, 1, 2]),
        (by("jan"), by("jantje"), [0]),
        (by("@jan"), by("jan@x.test"), []),
        (by("jan", "Klaas"), by("jan"), [3]),
        (by("eva"), by("ann"), [2]),
        (by("eva"), by("piet"), []),
    ],
)
def test_names_are_told_apart_by_each_author_that_a_query_asks_for(
    one: Subject, other: Subject, expected: list[int]
) -> None:
    written = ["author:jan bier", "bier -author:jan*", "(author:eva,piet koffie) OR author:jan*", "author:klaas", "jan"]
    matcher = Matcher(listening(n, tree) for n, tree in enumerate(trees(written)))
    assert [query.key for query in matcher.telling_apart(one, other)] == expected


def trees(written: list[str]) -> list[Node]:
    found = []
    for query in written:
        try:
            found.append(parse(query))
        except QueryRefused:
            continue
    return found


@settings(max_examples=400, deadline=None)
@given(st.lists(queries, min_size=1, max_size=6), st.lists(subjects, min_size=1, max_size=4))
def test_the_matcher_finds_what_the_queries_mean_and_nothing_else(written: list[str], said: list[Subject]) -> None:
    nodes = trees(written)
    assume(nodes)
    matcher = Matcher([listening(n, node) for n, node in enumerate(nodes)])
    found = [{one.key: one.spans for one in each} for each in matcher.match(said)]
    meant = [
        {n: spans for n, node in enumerate(nodes) if (spans := evaluate(node, subject)) is not None} for subject in said
    ]
    assert found == meant


@settings(max_examples=200, deadline=None)
@given(queries, st.text(max_size=80))
def test_any_text_is_matched_as_the_query_means(query: str, text: str) -> None:
    nodes = trees([query])
    assume(nodes)
    subject = Subject(text)
    found = Matcher([listening(0, nodes[0])]).match([subject])[0]
    assert (found[0].spans if found else None) == evaluate(nodes[0], subject)


def seconds(queries_: list[str], *texts: str) -> float:
    """Processor time of asking these queries of these texts."""
    matcher = Matcher([listening(n, parse(query)) for n, query in enumerate(queries_)])
    matcher.match([Subject("warm")])
    began = time.process_time()
    matcher.match([Subject(text) for text in texts])
    return time.process_time() - began


@pytest.mark.parametrize(
    "query",
    [
        " OR ".join(f"word{n}" for n in range(2_000)),
        " OR ".join(f"wo*d{n}" for n in range(2_000)),
        " ".join(f"-no{n}" for n in range(1_999)) + " word7",
        " OR ".join(f"(word{n} NEAR/100 word{n + 1})" for n in range(1_000)),
        "(" * 50 + "word7" + ")" * 50,
        "word7 OR NOT other",
        "reach>0 OR reach<=0",
        "wo* OR *rd OR *or*",
    ],
)
@pytest.mark.parametrize(
    "text",
    ["word7 " * 16_000, "word7" * 20_000, "word7," * 16_000, "#word7" * 16_000, "@word7 x.be/ " * 7_000, "🔥" * 9_000],
)
def test_a_monstrous_query_on_a_monstrous_text_ends_within_seconds(query: str, text: str) -> None:
    assert seconds([query], text[:100_000]) < 10


def test_a_query_that_matches_everything_costs_the_others_nothing() -> None:
    texts = [Subject(f"text number {n}") for n in range(200)]
    theirs = [listening(f"broad {n}", parse(f"reach>{n} OR NOT word{n}"), group="they") for n in range(20)]
    matcher = Matcher([*theirs, listening("ours", parse("number"), group="we")])
    found = matcher.match(texts, group="we")
    assert {one.key for each in found for one in each} == {"ours"}
    assert sum(map(len, found)) == 200


def test_a_query_of_one_group_is_not_asked_of_anothers_texts() -> None:
    matcher = Matcher([listening(1, parse("bier"), group="a"), listening(2, parse("bier"), group="b")])
    assert [[one.key for one in each] for each in matcher.match([Subject("bier")], group="b")] == [[2]]


def test_with_what_was_seen_a_query_waits_for_its_rarest_word() -> None:
    seen = Seen()
    Matcher([], seen=seen).match([Subject("zeehond koffie") for _ in range(300)])
    query = listening(0, parse("zeehond koffie thee"), seen=seen)
    assert query.anchors is not None
    assert query.anchors.needles == {b" thee "}
    assert anchored_anew(query, Seen()).anchors != query.anchors


@pytest.mark.parametrize("query", ["NOT a OR b", "reach>5", "url:dunes", "a OR author:jan*", "5️⃣"])
def test_a_query_that_nothing_can_be_waited_for_is_told(query: str) -> None:
    assert listening(0, parse(query)).is_always_asked


def test_what_there_is_no_time_for_is_left_out_of_the_answer() -> None:
    matcher = Matcher([listening(0, parse("bier"))])
    texts = [Subject("bier"), Subject("bier " * 2_000)]
    assert len(matcher.match(texts, until=time.monotonic() + 60)) == 2
    assert matcher.match(texts, until=time.monotonic() - 1) == []


def test_no_queries_match_nothing() -> None:
    assert Matcher[int]([]).match([Subject("a"), Subject("")]) == [[], []]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("bier*", "👍🏽_#bier", "#bier"),
        ("#caf*", "👍🏽'l'eau’#CafeDunes x", "#CafeDunes"),
        ("bier OR #bier", "Straße 👍🏽 #bier,", "#bier"),
        ("straße", "so\u00adft 👍🏽 Straße.", "Straße"),
        ("@cafe.dunes", "cc @cafe.dunes.", "@cafe.dunes"),
        ("can", "can't can", "can"),
    ],
)
def test_what_is_found_around_a_name_is_where_it_was_written(query: str, text: str, found: str) -> None:
    spans = Matcher([listening(0, parse(query))]).match([Subject(text)])[0][0].spans
    assert [text[start:end] for start, end in spans] == [found]
