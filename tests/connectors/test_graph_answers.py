"""Answers of the Graph API: `<case>.answer.json` is what was asked and answered, `<case>.told.json` what that says.

`python -m tests.connectors.test_graph_answers <case>.answer.json` prints what is heard now, to read and to keep.
"""

import json
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.connectors.registry import connector
from shared.contract import RawPart
from shared.errors import BadPayload
from shared.models.enums import Network
from tests.connectors.pairs import CHANNEL, NETWORKS, STAMP, tell


def cases() -> list[Path]:
    return sorted(NETWORKS.glob("*/answers/*.answer.json"))


def hear(path: Path) -> dict[str, Any]:
    """What is heard in an answer, by the question that its file names."""
    case = json.loads(path.read_bytes())
    headers = {"graph-source": case["source"], "graph-about": case.get("about", "")}
    part = RawPart(CHANNEL, orjson.dumps(case["answer"]), STAMP, headers)
    try:
        return tell(connector(Network(path.parent.parent.name)).parse(part))
    except BadPayload as error:
        return {"unreadable": error.message}


@pytest.mark.parametrize("path", cases(), ids=lambda path: f"{path.parent.parent.name}-{path.name.split('.')[0]}")
def test_an_answer_is_heard_as_its_pair_says(path: Path) -> None:
    assert hear(path) == json.loads(path.with_name(path.name.replace(".answer.", ".told.")).read_bytes())


def test_every_answer_has_what_is_told_of_it_and_no_telling_stands_alone() -> None:
    told = {path.name.replace(".told.", ".answer.") for path in NETWORKS.glob("*/answers/*.told.json")}
    assert told == {path.name for path in cases()}
    assert len(told) >= 16


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        sys.stdout.write(json.dumps(hear(Path(argument)), indent=1, ensure_ascii=False) + "\n")
