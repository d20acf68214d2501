"""Processes of this machine, as the system tells of them."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from services.local.processes import is_alive


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the house; `since` in Unix seconds and `memory` in bytes where the system says them."""

    name: str
    pid: int
    alive: bool
    since: float | None
    memory: int | None


def look(name: str, pid: int) -> Process:
    """What the system says of this process now."""
    if not is_alive(pid):
        return Process(name, pid, False, None, None)
    since, memory = _from_proc(pid) if sys.platform == "linux" else _from_ps(pid)
    return Process(name, pid, True, since, memory)


def _from_proc(pid: int) -> tuple[float | None, int | None]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        up = float(Path("/proc/uptime").read_text("ascii").split()[0])
    except (OSError, ValueError):
        return None, None
    # Fields 22 and 24 of proc(5): ticks from the machine's start, and resident pages.
    since = time.time() - up + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return since, int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def _from_ps(pid: int) -> tuple[float | None, int | None]:
    told = subprocess.run(  # noqa: S603  # a fixed program and a number
        ["/bin/ps", "-p", str(pid), "-o", "rss=,etime="], capture_output=True, text=True, check=False
    ).stdout.split()
    if len(told) != 2:
        return None, None
    return time.time() - _elapsed(told[1]), int(told[0]) * 1024


def _elapsed(text: str) -> int:
    """Seconds in ps(1)'s `[[days-]hours:]minutes:seconds`."""
    days, _, rest = text.rpartition("-")
    seconds = 0
    for part in rest.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds + 86400 * int(days or 0)
