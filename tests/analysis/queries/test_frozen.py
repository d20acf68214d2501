"""The judged queries: written by hand from the specification, and frozen before this code was."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.analysis.matcher import Matcher, listening
from shared.analysis.queries.evaluating import evaluate
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.problems import QueryRefused
from shared.analysis.queries.subject import Subject

_FOLDER = Path(__file__).parents[1] / "frozen" / "queries"
_LANGUAGES = ("fr", "nl", "de", "en", "any")


def cases(*names: str) -> list[Any]:
    return [
        pytest.param(case, id=f"{name} {number}")
        for name in names
        for number, case in enumerate(json.loads((_FOLDER / f"{name}.json").read_text("utf-8")))
    ]


def written(query: Any) -> str:
    return query if isinstance(query, str) else str(query["repeat"]) * int(query["times"]) + str(query["then"])


def unmarked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without its marks, and where they were."""
    text, spans, start = "", [], 0
    for character in marked:
        if character == "⟦":
            start = len(text)
        elif character == "⟧":
            spans.append((start, len(text)))
        else:
            text += character
    return text, spans


def subject(text: str, about: dict[str, Any]) -> Subject:
    names = {"lang": "language"}
    return Subject(text, **{names.get(name, name): value for name, value in about.items()})


@pytest.mark.parametrize("case", cases(*_LANGUAGES))
def test_a_query_finds_what_it_was_judged_to_find(case: dict[str, Any]) -> None:
    text, spans = unmarked(case["text"])
    node, said = parse(written(case["query"])), subject(text, case.get("about", {}))
    meant = evaluate(node, said)
    assert (meant is not None, meant or []) == (case["matches"], spans), case["why"]
    found = Matcher([listening(0, node)]).match([said])[0]
    assert (found[0].spans if found else None) == meant


@pytest.mark.parametrize("case", cases("refused"))
def test_a_query_is_refused_as_it_was_judged(case: dict[str, Any]) -> None:
    with pytest.raises(QueryRefused) as refused:
        parse(written(case["query"]))
    problem = refused.value.problem
    assert (problem.code, problem.start, problem.end) == (case["code"], case["start"], case["end"]), case["why"]
