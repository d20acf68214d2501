from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.analysis.matcher import Matcher, listening
from shared.analysis.queries.evaluating import evaluate
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.problems import QueryRefused
from shared.analysis.queries.subject import Subject
from shared.analysis.queries.tree import Node
from tests.analysis.queries.writing import queries, subjects


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
