"""One stage for all short forms."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.effects.stage import Stage, stage


@pytest.fixture(scope="package")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A house for effects."""
    async with stage(tmp_path_factory.mktemp("effects") / "house") as made:
        yield made
