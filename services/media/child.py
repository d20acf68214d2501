"""What a program that opens strangers' files is held to, and how it tells what it found."""

import json
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.errors import Invalid, Problem

MOST_MEMORY = 3 * 1024**3
MOST_SECONDS = 60  # of the processor
_SPARE = 16 * 1024**2  # that a file may grow when it is written anew


@dataclass(frozen=True, slots=True)
class Measured:
    """What a file is; `kind` is a MediaKind's word, which is not imported here: its tables would take half a second.

    `width` and `height` in pixels as it is shown, `seconds` its length; None where it has none.
    """

    kind: str
    type: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


Open = Callable[[Path, Path, str], Measured]


def refuse(code: str, message: str) -> Invalid:
    """Why a file is not taken, at its place in the upload."""
    return Invalid([Problem(code, message, ("file",))])


def bound(largest: int) -> None:
    """Let this process have so much and no more; what it writes may be a little over `largest` bytes."""
    bounds = (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, largest + _SPARE),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in bounds:
        with suppress(ValueError, OSError):  # not every system knows each of them
            resource.setrlimit(kind, (most, most))


def run(open_: Open) -> None:
    """The program: `source target format`. Prints what was found, or why the file is refused, as JSON."""
    source, target, format_ = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    bound(source.stat().st_size)
    try:
        found: dict[str, object] = {"found": asdict(open_(source, target, format_))}
    except Invalid as error:
        (problem,) = error.problems
        found = {"refused": {"code": problem.code, "message": problem.message}}
    except MemoryError:
        found = {"refused": {"code": "media_too_large", "message": "this file needs more memory than it may have"}}
    print(json.dumps(found))
