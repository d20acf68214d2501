"""Logs of programs that are kept running, while they write."""

import asyncio
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.local.keeper import Keeper, put_aside
from services.local.processes import Program

SIZE = 20_000
_TALKS = """
import itertools, time
for number in itertools.count():
    print(f"line {number:010d}", flush=True)
    time.sleep(0.0002)
"""


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Path]:
    """The log of a program that talks without end, kept at `SIZE`."""
    said: list[str] = []
    keeper = Keeper(said.append, lambda: None, log_bytes=SIZE)
    log = tmp_path / "talker.log"
    keeper.keep(Program("talker", (sys.executable, "-c", _TALKS), tmp_path, log))
    yield log
    assert keeper.lives("talker")
    await keeper.end((("talker",), 10.0))
    assert said == []


def numbers(log: Path) -> list[int]:
    """The numbers of the whole lines in a log, all of which must be as they were written."""
    lines = log.read_bytes().split(b"\n")[1:-1]
    assert all(line.startswith(b"line ") and len(line) == 15 for line in lines)
    return [int(line.split()[1]) for line in lines]


async def until_put_aside(log: Path, after: int) -> list[int]:
    """What was put aside, once it goes beyond line `after`, and the log has been begun anew behind it."""
    old = log.with_name(log.name + ".1")
    async with asyncio.timeout(60):
        while True:
            begun, found = numbers(log), numbers(old) if old.exists() else []
            if begun and found and after < found[-1] < begun[0]:
                return found
            await asyncio.sleep(0.05)


async def test_a_log_that_grows_too_long_is_put_aside_and_begun_anew_while_it_is_written(log: Path) -> None:
    first = await until_put_aside(log, 0)
    second = await until_put_aside(log, first[-1])
    assert first[-1] < second[0]
    assert second == list(range(second[0], second[-1] + 1))
    old = log.with_name(log.name + ".1")
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert sorted(file.name for file in log.parent.iterdir()) == ["talker.log", "talker.log.1"]


def test_what_is_put_aside_is_the_end_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"earlier" * 1000 + b"the end")
    with log.open("ab", buffering=0) as writer:
        put_aside(log, 7)
        writer.write(b"and on")
    assert (tmp_path / "a.log.1").read_bytes() == b"the end"
    assert log.read_bytes() == b"and on"
