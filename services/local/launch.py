"""Becomes another program, as a child that does not outlive its parent.

Run by its path, with the standard library only, so that it starts fast and before any of our imports:
`launch.py --parent PID --signal N [--uid UID] [--look-like UID] FOLDER PROGRAM ARGUMENT…`. It keeps its process id.
It exists because code between fork and exec is not safe in a process that has threads.
"""

import argparse
import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_VERSION_3 = 0x20080522
_CLONE_NEWUSER = 0x10000000
CAP_DAC_READ_SEARCH = 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _prctl(option: int, *values: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if libc.prctl(option, *padded) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def may_search() -> bool:
    """Whether this process holds CAP_DAC_READ_SEARCH, and so can pass it on."""
    if sys.platform != "linux":
        return False
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("CapPrm:"):
            return bool(int(line.split()[1], 16) >> CAP_DAC_READ_SEARCH & 1)
    return False


def _keep_search() -> None:
    """Hold CAP_DAC_READ_SEARCH, and no other capability, across exec: closed parent folders stay closed to others."""
    only = 1 << CAP_DAC_READ_SEARCH
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(_CAP_VERSION_3, 0), (_Sets * 2)(_Sets(only, only, only), _Sets(0, 0, 0))
    if libc.capset(ctypes.byref(header), sets) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"capset: {os.strerror(number)}")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH)


def _step_down(uid: int) -> None:
    keep = may_search()
    if keep:
        # Without this bit access(2), by which PostgreSQL looks for its own programs, takes no account of capabilities.
        with suppress(OSError):
            _prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP)
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    if keep:
        _keep_search()


def _look_like(uid: int) -> None:
    """Appear as `uid` to the program and to nobody else: one user, mapped in a namespace of its own."""
    ours, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {ours} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{uid} {group} 1", "ascii")


def main() -> None:
    """Step down where asked, tie our life to the parent's, and become the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--look-like", type=int)
    parser.add_argument("folder")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    os.umask(0o077)
    os.chdir(given.folder)
    if given.uid is not None:
        _step_down(given.uid)
    if given.look_like is not None:
        _look_like(given.look_like)
    if sys.platform == "linux":
        # After the change of user, which clears it.
        _prctl(_PR_SET_PDEATHSIG, given.signal)
    if os.getppid() != given.parent:
        sys.exit("the parent ended before its child began")
    try:
        os.execv(given.program[0], given.program)  # noqa: S606  # becoming that program is this file's purpose
    except OSError as error:
        sys.exit(f"{given.program[0]} can't be run: {error}")


if __name__ == "__main__":
    main()
