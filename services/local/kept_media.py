"""Uploaded media in a backup, where they are kept in the data folder; a bucket has backups of its own."""

import os
import re
import shutil
import tarfile
from pathlib import Path

from shared.settings import Settings
from shared.store import FOLDER

_NAME = re.compile(rf"{FOLDER}/[a-z0-9_]+/[a-z0-9_]+\.[a-z0-9]+\Z")


def pack(tar: tarfile.TarFile, settings: Settings) -> int:
    """Add every kept file; how many. One that is let go meanwhile is one that no row needs."""
    root = settings.data_dir / FOLDER
    if settings.media_url is not None or not root.exists():
        return 0
    count = 0
    for path in sorted(root.glob("[!.]*/*")):
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue
        with file:
            entry = tarfile.TarInfo(f"{FOLDER}/{path.parent.name}/{path.name}")
            entry.size, entry.mode, entry.mtime = os.fstat(file.fileno()).st_size, 0o600, int(path.stat().st_mtime)
            tar.addfile(entry, file)
            count += 1
    return count


def unpack(tar: tarfile.TarFile, into: Path) -> None:
    """Write the media of a backup below `into`; a name that is none of ours is passed over."""
    for entry in tar:
        file = tar.extractfile(entry) if entry.isfile() and _NAME.match(entry.name) else None
        if file is None:
            continue
        path = into / entry.name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("xb") as written:
            shutil.copyfileobj(file, written)
            written.flush()
            os.fsync(written.fileno())
        os.utime(path, (entry.mtime, entry.mtime))


def bring(work: Path, settings: Settings, place: Path) -> str:
    """Put the unpacked media in the place of those that are there; says what is left to do."""
    found = work / FOLDER
    if settings.media_url is not None:
        return " Its media were not brought into the bucket of PARVIS_MEDIA_URL." if found.exists() else ""
    root = place / FOLDER
    if root.exists():
        root.replace(work / "media before")
    if found.exists():
        found.replace(root)
    return ""
