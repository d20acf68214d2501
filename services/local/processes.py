"""Programs that we run as our own children: described, started, asked to end, and ended."""

import hashlib
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LAUNCH = str(Path(__file__).with_name("launch.py"))
_FIRST_UID, _UIDS = 60578, 600
_LOG_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, where, as whom, and which signal asks it to end (sent too when we die without a word)."""

    name: str
    argv: tuple[str, ...]
    folder: Path
    log: Path | None
    stop: signal.Signals = signal.SIGTERM
    uid: int | None = None
    look_like: int | None = None  # the user that it shall believe to be; what it does is still done as `uid`
    environment: Mapping[str, str] | None = field(default=None, repr=False)


def unprivileged(folder: Path) -> int | None:
    """The user for a server whose own folder is `folder`: None for ourselves, unless we are root.

    As root it is the folder's owner where it has one, else a number that belongs to nobody on this machine,
    steady for the path, from the range that Linux distributions leave unused.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return folder.stat().st_uid
    start_at = int.from_bytes(hashlib.sha256(str(folder.parent).encode()).digest()[:4]) % _UIDS
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    for offset in range(_UIDS):
        uid = _FIRST_UID + (start_at + offset) % _UIDS
        if uid not in taken:
            return uid
    return _FIRST_UID


def a_named_user() -> int:
    """An unprivileged user that this machine has a name for: `nobody` where there is one."""
    named = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0}
    return named.get("nobody", max(named.values(), default=65534))


def has_name(uid: int) -> bool:
    """Whether this machine has a name for the user `uid`."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def own(path: Path, uid: int | None) -> None:
    """Give a file, or a folder with all that is in it, to `uid`."""
    if uid is None:
        return
    os.chown(path, uid, uid)
    for parent, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, uid, uid, follow_symlinks=False)


def command(program: Program) -> list[str]:
    """The whole command line: the launcher, and the program behind it."""
    line = [sys.executable, "-I", "-S", _LAUNCH, "--parent", str(os.getpid()), "--signal", str(int(program.stop))]
    if program.uid is not None:
        line += ["--uid", str(program.uid)]
    if program.look_like is not None:
        line += ["--look-like", str(program.look_like)]
    return [*line, str(program.folder), *program.argv]


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start `program`. Call it from a thread that lives as long as the child shall: the kernel ties the two.

    The child is in a session of its own, so that a terminal's Ctrl-C reaches us alone and we end things in order.
    """
    log = (
        subprocess.DEVNULL
        if program.log is None
        else os.open(program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    )
    try:
        return subprocess.Popen(  # noqa: S603  # a command line of our own, never a shell's
            command(program),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=program.environment,
            start_new_session=True,
        )
    finally:
        if program.log is not None:
            os.close(log)


def run(program: Program, *, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run `program` to its end with `given` as its input; its output is returned, not logged."""
    return subprocess.run(  # noqa: S603  # as above
        command(program),
        input=given,
        capture_output=True,
        text=True,
        env=program.environment,
        check=False,
        errors="replace",
    )


def end(children: Sequence[tuple[subprocess.Popen[bytes], signal.Signals]], *, grace: float) -> None:
    """Ask each child to end, wait up to `grace` seconds for all, then kill what is left. Leaves none."""
    for child, asked in children:
        if child.poll() is None:
            child.send_signal(asked)
    deadline = time.monotonic() + grace
    for child, _ in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists and is not merely waiting to be buried."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return sys.platform != "linux"


def command_of(pid: int) -> str:
    """The command line of a running process, empty where there is none."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        return raw.replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        found = (
            subprocess.run(  # noqa: S603  # a fixed program and a number
                ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
            )
            if sys.platform != "linux"
            else None
        )
        return found.stdout.strip() if found else ""


def rotate(log: Path) -> None:
    """Put a log that has grown past 10 MB aside as `<name>.1`, dropping the one before."""
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))


def tail(log: Path, *, since: int = 0, size: int = 4000) -> str:
    """The end of a log as text, nothing from before byte `since`, at most `size` bytes."""
    try:
        with log.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(since, length - size))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
