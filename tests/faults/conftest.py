"""One house for all short forms: starting one takes longer than most faults."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.rig import Rig, rig
from tests.faults.run import Calm


@pytest.fixture(scope="package")
async def hurt(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """A house that is there to be hurt."""
    async with rig(tmp_path_factory.mktemp("faults") / "house") as house:
        yield house


@pytest.fixture(scope="package")
def calm() -> Calm:
    return Calm()
