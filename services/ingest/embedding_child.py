"""The program that embeds strangers' texts: a line of JSON for each comes in, its vector's bytes go out.

Its engine is written in C and reads what anybody may write, so it has a process of its own, which may die of a text.
"""

import json
import os
import resource
import sys
from contextlib import suppress

from shared.analysis.embedding import Model

MOST_MEMORY = 1024**3
NICE = 10  # what is heard goes first


def main() -> None:
    """Embed until nobody asks any more."""
    os.nice(NICE)
    for kind, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # not every system knows each of them
            resource.setrlimit(kind, (most, most))
    model = Model()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(model.embed([json.loads(line)]).tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
