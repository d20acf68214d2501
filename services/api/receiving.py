"""A file on its way in: written to disk as it comes, never held in memory, and refused when it grows too large."""

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from services.api.errors import TooLarge
from shared.errors import Invalid, Problem
from shared.ids import new_uuid
from shared.store import StoreAway

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FORM_BYTES = 256 * 1024  # what a form may hold beside its file
_LONGEST_FIELD = 32 * 1024
_MOST_FIELDS = 40
_NAME_HEADER = "parvis-file-name"


@dataclass(slots=True)
class Received:
    """A file as it came, and what was said beside it. `path` and what is made beside it go with the request."""

    path: Path
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    digest: bytes = b""

    @property
    def asked(self) -> bytes:
        """What a repeat has to say again, however its form is cut: the file, its name and the fields."""
        said = "\x00".join(f"{name}\x00{value}" for name, value in sorted(self.fields.items()))
        return self.digest + self.name.encode("utf-8", "replace") + b"\x00" + said.encode("utf-8", "replace")


@contextmanager
def room(folder: Path) -> Iterator[Received]:
    """A place for one file, cleared afterwards."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreAway(f"uploads can't be written: {error.strerror}") from error
    received = Received(folder / f"{new_uuid()}.upload")
    try:
        yield received
    finally:
        for path in (received.path, received.path.with_suffix(".bare")):
            path.unlink(missing_ok=True)


async def receive(request: Request, received: Received, most: int) -> None:
    """Write the request's file to its place. Raises TooLarge past `most` bytes, Invalid, and StoreAway without room."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    try:
        with received.path.open("xb") as file:
            sink = _Sink(file, most)
            if kind == b"multipart/form-data":
                await _form(request.stream(), options.get(b"boundary", b""), sink, received)
            else:
                received.name = unquote(request.headers.get(_NAME_HEADER, ""))
                async for piece in request.stream():
                    sink.write(piece)
    except ClientDisconnect:
        raise Invalid([Problem("body_cut_off", "the body ended before its end", ("file",))]) from None
    except OSError as error:
        raise StoreAway(f"uploads can't be written: {error.strerror}") from error
    received.digest = sink.digest


class _Sink:
    """Where the bytes of the file go."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most
        self._written = 0
        self._hash = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        self._written += len(piece)
        if self._written > self._most:
            raise TooLarge(f"a file here has at most {self._most} bytes")
        self._file.write(piece)
        self._hash.update(piece)

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


async def _form(pieces: AsyncIterator[bytes], boundary: bytes, sink: _Sink, received: Received) -> None:
    form = _Form(sink, received)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for piece in pieces:
            parser.write(piece)
    except MultipartParseError:
        raise _bad_form("this is not multipart/form-data as its Content-Type says") from None
    if not form.is_over:
        raise _bad_form("the form ends before its end")
    if not form.has_file:
        raise Invalid([Problem("required", "send the file as the form's field `file`", ("file",))])


class _Form:
    """A form as it is read, part by part: one `file`, and fields that are short."""

    def __init__(self, sink: _Sink, received: Received) -> None:
        self._sink = sink
        self._received = received
        self._headers: dict[str, bytes] = {}
        self._header, self._value = b"", b""
        self._field = ""
        self._said = b""
        self.has_file = False
        self.is_over = False

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._headers, self._said = {}, b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value
        self._header, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        if self._field != "file":
            if len(self._received.fields) >= _MOST_FIELDS:
                raise _bad_form(f"a form here has at most {_MOST_FIELDS} fields")
            return
        if self.has_file:
            raise Invalid([Problem("duplicate", "one file a request; send the others by themselves", ("file",))])
        self.has_file = True
        self._received.name = options.get(b"filename", b"").decode("utf-8", "replace")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._field == "file":
            self._sink.write(data[start:end])
            return
        self._said += data[start:end]
        if len(self._said) > _LONGEST_FIELD:
            message = f"a field here has at most {_LONGEST_FIELD} bytes"
            raise Invalid([Problem("too_long", message, (self._field[:60],))])

    def _part_end(self) -> None:
        if self._field != "file":
            self._received.fields[self._field] = self._said.decode("utf-8", "replace")

    def _end(self) -> None:
        self.is_over = True


def _bad_form(message: str) -> Invalid:
    return Invalid([Problem("bad_form", message)], code="bad_form")


def clear(folder: Path, before: float) -> int:
    """Let go of what was left behind by a process that ended while it received; how many files that were."""
    if not folder.exists():
        return 0
    gone = 0
    for entry in os.scandir(folder):
        if entry.stat().st_mtime < before:
            Path(entry).unlink(missing_ok=True)
            gone += 1
    return gone
