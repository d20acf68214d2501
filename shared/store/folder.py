"""A store in a folder of this machine."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from shared.store.place import Kept, Missing, StoreAway

_PIECE = 256 * 1024
_AT_ONCE = 1000


class Folder:
    """Files below `root`. One is there under its name when all of it is on disk, and not before."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, path: Path, type_: str) -> None:
        try:
            await asyncio.to_thread(_keep, path, self._root / key)
        except OSError as error:
            raise StoreAway(f"the media folder can't be written: {error.strerror}") from error

    async def read(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread((self._root / key).open, "rb")
        except FileNotFoundError:
            raise Missing(f"there is no file {key}") from None
        except OSError as error:
            raise StoreAway(f"the media folder can't be read: {error.strerror}") from error
        with file:
            file.seek(start)
            while length > 0:
                piece = await asyncio.to_thread(file.read, min(_PIECE, length))
                if not piece:
                    raise Missing(f"the file {key} is shorter than it was")
                length -= len(piece)
                yield piece

    async def delete(self, key: str) -> None:
        try:
            await asyncio.to_thread((self._root / key).unlink, missing_ok=True)
        except OSError as error:
            raise StoreAway(f"the media folder can't be written: {error.strerror}") from error

    async def list_(self) -> AsyncIterator[Kept]:
        found = _files(self._root)
        while some := await asyncio.to_thread(list, islice(found, _AT_ONCE)):
            for kept in some:
                yield kept


def _keep(path: Path, place: Path) -> None:
    """Move a file to its place in one step, on disk with its name before this returns."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    try:
        path.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(path, place)
    for folder in (place.parent, place.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _copy(path: Path, place: Path) -> None:
    partial = place.with_name(f"{place.name}.partial")
    with path.open("rb") as source, partial.open("wb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    partial.replace(place)


def _files(root: Path) -> Iterator[Kept]:
    for folder in sorted(root.glob("[!.]*/")) if root.exists() else ():
        for path in folder.iterdir():
            try:
                changed = path.stat().st_mtime
            except FileNotFoundError:  # deleted meanwhile
                continue
            yield Kept(f"{folder.name}/{path.name}", datetime.fromtimestamp(changed, UTC))
