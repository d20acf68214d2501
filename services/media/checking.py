"""Has a file opened by a process of its own, and says what is in it."""

import asyncio
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.media.child import Measured, refuse
from services.media.sniffing import HEAD, Format, NotTaken, sniff
from shared.log import logger

_log = logger("media")
_PATIENCE = 120.0  # seconds
_TAKEN = "JPEG, PNG, GIF and WebP pictures, MP4, MOV and WebM films, and MP3, M4A, AAC, OGG, FLAC and WAV sounds"
# A child is told nothing: no setting, no secret, no address.
_ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: `path` is its bare form, `fingerprint` the SHA-256 of that in hexadecimal."""

    path: Path
    measured: Measured
    ending: str
    size: int
    fingerprint: str


class Checker:
    """Opens files, so many at once; whoever comes next waits."""

    def __init__(self, at_once: int = 2) -> None:
        self._room = asyncio.Semaphore(at_once)

    async def check(self, path: Path) -> Checked:
        """What the file at `path` is; its bare form stands beside it. Raises Invalid in words."""
        format_ = await asyncio.to_thread(_format, path)
        target = path.with_suffix(".bare")
        async with self._room:
            measured = await _opened(path, target, format_)
        size, fingerprint = await asyncio.to_thread(_digest, target)
        return Checked(target, measured, format_.ending, size, fingerprint)


def _format(path: Path) -> Format:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise refuse("media_empty", "this file is empty")
    try:
        return sniff(head)
    except NotTaken as found:
        raise refuse("media_type", f"this is {found}; taken are {_TAKEN}") from None


async def _opened(path: Path, target: Path, format_: Format) -> Measured:
    """What the program says of the file. Raises Invalid also where it died of it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", f"services.media.{format_.opener}", str(path), str(target), format_.name,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=_ENVIRONMENT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_PATIENCE):
            said, complaint = await process.communicate()
    except TimeoutError:
        raise refuse("media_too_large", "this file takes too long to be read; make it smaller or shorter") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        words = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        _log.warning("media.died", format=format_.name, code=process.returncode, said=words[0][:300])
        raise refuse("media_broken", "this file can't be read; open it in a program and save it again")
    found = json.loads(said)
    if "refused" in found:
        raise refuse(found["refused"]["code"], found["refused"]["message"])
    return Measured(**found["found"])


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
