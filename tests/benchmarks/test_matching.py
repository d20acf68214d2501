"""The benchmark of queries in its short form: what it measures is held to the specification here."""

from pathlib import Path
from typing import Any, cast

from tests.benchmarks import matching
from tests.benchmarks.measuring import Plan


async def test_ten_thousand_queries_are_asked_of_texts_and_proved(tmp_path: Path) -> None:
    result = await matching.measure(cast(Any, None), Plan(tmp_path, rounds=1, short=True))
    sides = (matching.OURS, matching.TENTH, matching.NONE, matching.ALL, matching.ALONE)
    assert tuple(side.name for side in result.sides) == sides
    assert all(side[matching.RATE].median > 0 for side in result.sides)
    assert "matches with the same places" in result.verified
