"""A checker, and a place for its files."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from services.media.checking import Checked, Checker

Check = Callable[[bytes], Awaitable[Checked]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Has a file opened as an upload is, by a process of its own."""
    checker = Checker()

    async def run(file: bytes) -> Checked:
        path = tmp_path / "a.upload"
        path.write_bytes(file)
        return await checker.check(path)

    return run
