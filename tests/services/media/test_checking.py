"""Who opens strangers' files is held to bounds, and what is not taken is named."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.media import child
from services.media.checking import Checker
from shared.errors import Invalid
from tests.services.media import making
from tests.services.media.conftest import Check

OTHERS = {
    "an SVG or XML document": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "an HTML document": b"<!DOCTYPE html><script>alert(1)</script>",
    "a PDF": b"%PDF-1.7",
    "a TIFF picture": b"II*\x00",
    "a BMP picture": b"BM" + bytes(60),
    "an HEIC picture": b"\x00\x00\x00\x18ftypheic",
    "an AVIF picture": b"\x00\x00\x00\x1cftypavif",
    "a Matroska film": b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska",
    "an AVI film": b"RIFF\x00\x00\x00\x00AVI LIST",
    "an archive or office document": b"PK\x03\x04",
    "nothing that is known here": b"Bonjour",
}


@pytest.mark.parametrize("what", OTHERS)
async def test_what_is_not_taken_is_refused_by_its_name(what: str, check: Check) -> None:
    with pytest.raises(Invalid) as error:
        await check(OTHERS[what])
    (problem,) = error.value.problems
    assert (problem.code, problem.path) == ("media_type", ("file",))
    assert problem.message.startswith(f"this is {what}; taken are JPEG")


async def test_an_empty_file_is_refused(check: Check) -> None:
    with pytest.raises(Invalid) as error:
        await check(b"")
    assert error.value.problems[0].code == "media_empty"


def _within(tmp_path: Path, statement: str) -> subprocess.CompletedProcess[str]:
    code = f"from services.media import child; child.bound(10); {statement}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)


def test_a_file_is_opened_within_so_much_memory(tmp_path: Path) -> None:
    ended = _within(tmp_path, f"bytearray({child.MOST_MEMORY})")
    assert ended.returncode == 1
    assert "MemoryError" in ended.stderr


def test_what_is_written_is_no_larger_than_what_came(tmp_path: Path) -> None:
    ended = _within(tmp_path, "open('out', 'wb').write(bytes(64 * 1024 * 1024))")
    assert ended.returncode != 0
    assert (tmp_path / "out").stat().st_size <= 10 + 16 * 1024 * 1024


async def test_whoever_opens_a_file_knows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARVIS_SECRET_KEYS", "a key of the house")
    seen: list[bytes] = []

    async def look() -> None:
        while not seen:
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    if b"services.media.films" in entry.read_bytes() and str(tmp_path).encode() in entry.read_bytes():
                        seen.append((entry.parent / "environ").read_bytes())
                except OSError:
                    continue
            await asyncio.sleep(0)

    if not Path("/proc/self/environ").exists():
        pytest.skip("this system does not show what its processes know")
    looking = asyncio.create_task(look())
    path = tmp_path / "a.upload"
    path.write_bytes(making.film(tmp_path, seconds=60))
    await Checker().check(path)
    async with asyncio.timeout(5):
        await looking
    assert b"a key of the house" not in seen[0]
    assert b"LC_ALL" in seen[0]
    assert os.environ["PARVIS_SECRET_KEYS"] == "a key of the house"


async def test_a_check_that_is_broken_off_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "a.upload"
    path.write_bytes(making.film(tmp_path, seconds=60))
    task = asyncio.create_task(Checker().check(path))
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    left = subprocess.run(["pgrep", "-f", str(path)], capture_output=True, text=True, check=False)
    assert left.stdout == ""
