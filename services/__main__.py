"""`parvis`, from its first moment: importing its commands takes a second, in which a signal may come as well."""

import gc
import os
import signal
from types import FrameType


def _leave(number: int, _: FrameType | None) -> None:
    os.write(2, b"parvis: stopped before it began anything.\n")
    # Not by an exception: it would end in whatever module is being imported just now.
    os._exit(128 + number)


def main() -> None:
    """The entry point. A signal during the imports ends it with a sentence and 128 and the signal's number."""
    # What whoever started us has set to be ignored stays so.
    ours = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = [signal.signal(number, _leave) for number in ours]
    gc.disable()  # whatever is imported stays: to look for garbage in it meanwhile is a sixth of the time
    from services import cli  # noqa: PLC0415  # only now, which is what this module is for

    gc.freeze()
    gc.enable()
    for number, handler in zip(ours, before, strict=True):
        signal.signal(number, handler)
    cli.main()


if __name__ == "__main__":
    main()
