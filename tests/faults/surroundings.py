"""The machine's own faults: clocks of single processes that are wrong, and a disk that is full."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.faults.scene import Scene

_LIBRARY = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib64/faketime/libfaketime.so.1",
            "/usr/local/lib/faketime/libfaketime.so.1")  # fmt: skip
_TOLD = ("ingest", "ingest_worker", "scheduler", "api")
SMALL_DISK = 420 * 1024 * 1024


def libfaketime() -> Path | None:
    """The library that gives one process a clock of its own; None where it is not installed."""
    return next((path for pattern in _LIBRARY for path in Path("/").glob(pattern[1:])), None)


def no_libfaketime() -> str | None:
    """Why a process can't be given a clock of its own here."""
    return None if libfaketime() else "libfaketime is not installed (on Debian and Ubuntu: apt-get install libfaketime)"


async def wrong_clocks(scene: Scene) -> None:
    """One service after the other lives an hour ahead, then an hour behind, then is right again, without a restart."""
    names = (scene.random.choice(_TOLD[1:]),) if scene.short else _TOLD
    for name in names:
        await _wrong_clock(scene, name, scene.seconds / (2 * len(names)))


async def _wrong_clock(scene: Scene, name: str, each: float) -> None:
    clock = scene.rig.folder / f"clock of {name}"
    _set(clock, "+0")
    told = {
        "LD_PRELOAD": str(libfaketime()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    async with scene.rig.instead(name, environment=told):
        for hours in (1, -1):
            _set(clock, f"{hours * 3600:+d}")
            scene.done(f"{name} {'ahead' if hours > 0 else 'behind'} by an hour")
            await asyncio.sleep(each)
        _set(clock, "+0")
        await scene.recover()


def _set(clock: Path, offset: str) -> None:
    partial = clock.with_suffix(".partial")
    partial.write_text(f"{offset}\n", "ascii")
    partial.replace(clock)


# ---------------------------------------------------------------- a disk


def no_small_disk() -> str | None:
    """Why a small disk can't be made here."""
    if os.geteuid() != 0:
        return "a small disk (tmpfs) can only be mounted by root"
    return None if shutil.which("mount") else "there is no program `mount`"


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of a few hundred megabytes at `place`, for the length of a block."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=0711", "parvis-faults", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


async def disk_full(scene: Scene) -> None:
    """The data folder's disk is full to the last byte: nothing is acknowledged that is not kept. Then there is room."""
    ballast = scene.rig.folder / "ballast"
    before = scene.senders.heard.answers[503]
    _fill(ballast)
    scene.done(f"disk full for {scene.seconds:.0f} s")
    until = asyncio.get_running_loop().time() + scene.seconds
    while asyncio.get_running_loop().time() < until:
        await asyncio.sleep(0.5)
        _fill(ballast)
    if scene.senders.heard.answers[503] == before:
        scene.breaches.append("the door never said 503: the disk was not full")
    ballast.unlink()
    await scene.recover()


def _fill(ballast: Path) -> None:
    """Take all that is left; small pieces at the end, so that not a page is free."""
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)
