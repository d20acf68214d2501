"""Keeps programs running: each that ends is started again within seconds, however often it ends.

Their logs are kept short meanwhile: one that has grown too long is put aside and begun anew.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from services.local.folder import CannotRun
from services.local.processes import Program, end, start

_LOOK = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_LOG_BYTES = 20 * 1024 * 1024
_LOOK_AT_LOGS = 1.0
_STEADY = 10.0  # a program that lived this long, in seconds, is started again without a pause


@dataclass(slots=True)
class Kept:
    """One program that is kept running; `ends` counts how often it has ended so far."""

    program: Program
    child: Popen[bytes]
    before: Callable[[], None] | None
    ends: int = 0


class Keeper:
    """Starts programs, starts them again, and ends them in order. Used from one event loop, on the main thread.

    `changed` is called after each start that gave a program a new process id. A log has at most about `log_bytes`, and
    so has the one put aside before it.
    """

    def __init__(self, say: Callable[[str], None], changed: Callable[[], None], *, log_bytes: int = _LOG_BYTES) -> None:
        self._say = say
        self._changed = changed
        self._log_bytes = log_bytes
        self._kept: dict[str, Kept] = {}
        self._watches: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each program, the last one where it is about to be started again."""
        return {name: kept.child.pid for name, kept in self._kept.items()}

    def ends(self, name: str) -> int:
        """How often this program has ended by itself."""
        return self._kept[name].ends

    def lives(self, name: str) -> bool:
        """Whether this program runs at this moment."""
        return self._kept[name].child.poll() is None

    def keep(self, program: Program, before: Callable[[], None] | None = None) -> None:
        """Start `program` and keep it running. `before` is done ahead of each later start; it may raise CannotRun."""
        kept = Kept(program, start(program), before)
        self._kept[program.name] = kept
        if not self._watches:
            self._watches.append(asyncio.create_task(self._watch_logs(), name="watch logs"))
        self._watches.append(asyncio.create_task(self._watch(kept), name=f"watch {program.name}"))

    async def _watch(self, kept: Kept) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            began = loop.time()
            while (code := kept.child.poll()) is None:  # noqa: ASYNC110  # the kernel sets no Event of ours
                await asyncio.sleep(_LOOK)
            kept.ends += 1
            if loop.time() - began >= _STEADY:
                pause = _FIRST_PAUSE
            self._say(f"{kept.program.name} ended ({_word(code)}): starting it again.")
            await self._start_again(kept, pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _start_again(self, kept: Kept, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            try:
                if kept.before is not None:
                    kept.before()
                kept.child = start(kept.program)
            except (OSError, CannotRun) as error:
                self._say(f"{kept.program.name} can't be started: {error}")
                pause = _LONGEST_PAUSE
            else:
                break
        try:
            self._changed()
        except CannotRun as error:
            self._say(str(error))

    async def _watch_logs(self) -> None:
        failed: set[Path] = set()
        while True:
            await asyncio.sleep(_LOOK_AT_LOGS)
            for log in [kept.program.log for kept in self._kept.values() if kept.program.log is not None]:
                try:
                    if log.stat().st_size > self._log_bytes:
                        await asyncio.to_thread(put_aside, log, self._log_bytes)
                except FileNotFoundError:
                    continue  # somebody took it away: what is written into it is nowhere from then on
                except OSError as error:
                    if log not in failed:
                        self._say(f"{log} can't be put aside: {error.strerror or error}")
                    failed.add(log)
                else:
                    failed.discard(log)

    async def end(self, *order: tuple[tuple[str, ...], float]) -> None:
        """End everything: group by group, each with its grace in seconds. Leaves no process."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        for names, grace in order:
            group = [self._kept[name] for name in names if name in self._kept]
            await asyncio.to_thread(end, [(kept.child, kept.program.stop) for kept in group], grace=grace)

    def kill(self) -> None:
        """End everything at once, for those who ask twice."""
        for kept in self._kept.values():
            if kept.child.poll() is None:
                kept.child.kill()


def put_aside(log: Path, size: int) -> None:
    """Copy the last `size` bytes of a log to `<name>.1`, over the one before, and empty it under its writer's hands.

    The writer has it open for appending, so it goes on at the new beginning; what it writes in the instant between the
    end of the copy and the cut is lost. Moved away instead, the file would be written to for ever.
    """
    with log.open("r+b") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - size))
        aside = os.open(log.with_name(log.name + ".1"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(aside, "wb") as old:
            shutil.copyfileobj(file, old)
        file.truncate(0)


def _word(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
