"""`parvis` that is stopped in its first moment, while it still imports its commands."""

import signal
import subprocess
import sys

import pytest

# Says when the imports begin, and takes its time over them.
_SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            print("importing", flush=True)
            for _ in range(1200):  # in short rests: a signal just before one long rest would be handled after it
                time.sleep(0.05)
sys.meta_path.insert(0, Slow())
from services.__main__ import main
sys.argv = ["parvis", "up"]
main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_the_imports_ends_it_with_a_sentence(number: signal.Signals, code: int) -> None:
    argv = [sys.executable, "-c", _SLOW]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said == "parvis: stopped before it began anything.\n"
