"""The benchmark of near copies in its short form."""

import asyncio
from pathlib import Path

import pytest

from tests.benchmarks import copying
from tests.benchmarks.measuring import RATE, Plan
from tests.benchmarks.rig import rig


@pytest.mark.timeout(300)
def test_near_copies_are_signed_and_found_again(tmp_path: Path) -> None:
    with rig(tmp_path) as made:
        result = asyncio.run(copying.measure(made, Plan(made.work, rounds=1, short=True)))
    assert [side.name for side in result.sides] == [copying.SIGNED, copying.FOUND]
    assert all(side[RATE].median > 0 for side in result.sides)
    assert result.side(copying.FOUND)[copying.RECALL].median >= 98
