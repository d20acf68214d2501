"""The data folder: whose it is, what is kept in it, and who runs on it."""

import errno
import fcntl
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.errors import ParvisError
from shared.settings import Settings

_LOCK, _KEYS, LOCAL = "lock", "secret_keys", "local.json"
_FIRST_BYTES, _LATER_BYTES = 300 * 1024 * 1024, 50 * 1024 * 1024


class CannotRun(ParvisError):
    """Something on this machine is in the way; the text says what, and what to do about it."""

    code = "cannot_run"


DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def explain(error: OSError, place: Path) -> CannotRun:
    """The plain sentence for a failed file operation below `place`."""
    where = error.filename or place
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotRun(
            f"The disk that holds {place} is full: make room, or set PARVIS_DATA_DIR to a folder on another disk."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CannotRun(
            f"{where} can't be written by this user: give it to the user that runs Parvis, "
            "or set PARVIS_DATA_DIR to another folder."
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return CannotRun(
            f"{where} is in the way: it should be a folder. Move it, or set PARVIS_DATA_DIR to another folder."
        )
    return CannotRun(f"{where} can't be used: {error.strerror}. Mend that, or set PARVIS_DATA_DIR to another folder.")


def prepare(folder: Path) -> Path:
    """Make the data folder where it is missing, and return its absolute path. Raises CannotRun where it is no use."""
    folder = folder.absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "logs").mkdir(mode=0o700, exist_ok=True)
        free = shutil.disk_usage(folder).free
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise explain(error, folder) from error
    needed = _LATER_BYTES if (folder / "postgres").exists() else _FIRST_BYTES
    if free < needed:
        raise CannotRun(
            f"The disk that holds {folder} is nearly full: {free >> 20} MB are free and Parvis "
            f"needs {needed >> 20} MB. Make room, or set PARVIS_DATA_DIR to a folder on another disk."
        )
    return folder


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold the data folder for this process alone. Raises CannotRun where another one has it."""
    with (folder / _LOCK).open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotRun(
                f"Parvis already runs on {folder} (process {lock.read().strip() or 'unknown'}). Stop it first, "
                "or start a second copy with its own PARVIS_DATA_DIR, PARVIS_API_PORT, PARVIS_INGEST_PORT and "
                "PARVIS_SANDBOX_PORT."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def holder(folder: Path) -> int | None:
    """The process that holds the data folder, None where nobody does."""
    path = folder / _LOCK
    if not path.exists():
        return None
    with path.open(encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read().strip() or 0)
        fcntl.flock(lock, fcntl.LOCK_UN)
        return None


def write_private(path: Path, text: str) -> None:
    """Replace a file by `text` in one step, readable by its owner only, on disk before this returns."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise explain(error, path.parent) from error


def kept_keys(folder: Path) -> tuple[str, ...]:
    """The secret keys in the data folder, newest first; none where it has none yet."""
    path = folder / _KEYS
    try:
        return tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise explain(error, folder) from error


def keep_keys(folder: Path, keys: tuple[str, ...]) -> None:
    """Keep these secret keys, newest first, in the place of those that were there."""
    write_private(folder / _KEYS, "".join(f"{key}\n" for key in keys))


def present_keys(settings: Settings) -> tuple[str, ...]:
    """The installation's secret keys: the settings', else the kept ones; none where there are none yet."""
    return tuple(key.get_secret_value() for key in settings.secret_keys) or kept_keys(settings.data_dir)


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """The installation's secret keys; the first is made now and kept where there are none yet."""
    found = present_keys(settings)
    if not found:
        found = (secrets.token_urlsafe(32),)
        keep_keys(settings.data_dir, found)
    return found


def write_local(folder: Path, local: Mapping[str, object]) -> None:
    """Tell programs on this machine where everything is, by `local.json`, in one step."""
    write_private(folder / LOCAL, json.dumps(local, indent=2) + "\n")


def read_local(folder: Path) -> dict[str, object] | None:
    """What the last `up` left in `local.json`; None where there is none."""
    try:
        found = json.loads((folder / LOCAL).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def say(text: str) -> None:
    """Tell the person at the terminal what is being done."""
    with suppress(OSError):  # a terminal that is gone ends nothing
        print(text, file=sys.stderr, flush=True)
