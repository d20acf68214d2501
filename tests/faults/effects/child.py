"""`python -m tests.faults.effects.child`: starts schedulers that end, or stop, at a numbered point of their work.

It reads one order a line, as JSON, and answers each with the new process's id; the end of its input ends it and them.
Schedulers are forked: what they are made of is imported once, so that hundreds of them take minutes.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy.orm import configure_mappers

from services import serving
from services.scheduler import __main__ as scheduler
from shared import log
from shared.settings import Settings
from tests.faults.effects.tracer import Tracer


class Ending:
    """Writes down each point as it is reached, and does to this process what `number` does at the point `at`.

    A point is named by its words and by the how manieth time they come: on a slow machine there may be more before it.
    """

    def __init__(self, file: Path, at: tuple[str, int] | None, number: signal.Signals) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self._at, self._number = at, number
        self._times: Counter[str] = Counter()

    def reached(self, words: str) -> None:
        self._times[words] += 1
        os.write(self._file, f"{words}\n".encode())
        if (words, self._times[words]) == self._at:
            os.kill(os.getpid(), self._number)


async def _serve(told: Mapping[str, Any]) -> None:
    settings = Settings()
    log.set_up("scheduler", settings.log_level)
    stop = asyncio.Event()
    serving.stop_on_signals(stop)
    ending = Ending(Path(told["points"]), told["at"] and (told["at"][0], told["at"][1]), signal.Signals(told["signal"]))
    Tracer(ending.reached).install()
    # A task of its own, since the one that installs is not followed.
    await asyncio.get_running_loop().create_task(scheduler.main(settings, stop))


def _become(told: Mapping[str, Any]) -> None:
    """This process is a scheduler from now on. Does not return."""
    code = 1
    try:
        os.environ.update(told["environment"])
        output = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(0)
        serving.run(_serve(told))
        code = 0
    finally:
        os._exit(code)


def _reap(*_: object) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def main(modules: list[str]) -> None:
    """Take orders until there are no more. `modules` change one act of the scheduler, as wrong publishers do."""
    for name in modules:
        change: Callable[[], None] = import_module(name).change
        change()
    signal.signal(signal.SIGCHLD, _reap)  # who has ended leaves nothing
    # Else each would make these by itself, and walk, and so copy, what they all share.
    configure_mappers()
    gc.collect()
    gc.freeze()
    living: list[int] = []
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become(told)
        living.append(pid)
        print(pid, flush=True)
    for pid in living:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
