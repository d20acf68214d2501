"""What is read of an answer: up to a size, within a time, of an accepted type, unpacked under the same size."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager

import httpcore
import httpx

MAX_RESPONSE_BYTES = 5 * 1024 * 1024
ACCEPT_ENCODING = "gzip, deflate"

_PIECE = 64 * 1024  # what is unpacked at once, so that a bomb is noticed before it fills the memory
_GZIP = zlib.MAX_WBITS | 16
_PACKINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}

Headers = Sequence[tuple[bytes, bytes]]


class ResponseTooLarge(httpx.ReadError):
    """The answer was larger than the limit, unpacked or as it came."""


class ResponseBroken(httpx.ReadError):
    """The answer was packed in a way that we did not ask for, or can't be unpacked to its end."""


class WrongType(httpx.ReadError):
    """The answer's content type is none of those that the caller accepts; nothing of its body was read."""


SAME_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ConnectionNotAvailable: httpx.ConnectError,
}


@contextmanager
def as_httpx_errors() -> Iterator[None]:
    """What httpcore raises, as its namesake of httpx."""
    try:
        yield
    except tuple(SAME_ERRORS) as error:
        raise SAME_ERRORS[type(error)](str(error) or type(error).__name__) from error


def media_type(content_type: str) -> str:
    """The type of a Content-Type, in lower case and without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def check_type(headers: Headers, accepted: Collection[str]) -> None:
    """Raise WrongType unless the answer says that it is of an accepted type, or does not say what it is.

    `accepted` holds whole types, such as text/html, and endings, such as +xml.
    """
    told = next((value.decode("latin-1") for name, value in headers if name.lower() == b"content-type"), "")
    found = media_type(told)
    if found and found not in accepted and not any(one.startswith("+") and found.endswith(one) for one in accepted):
        raise WrongType(f"the answer is of the type {found[:100]}, which nobody here reads")


def unpacker(headers: Headers) -> "Unpacker | None":
    """What unpacks the answer; None where it comes plain. Raises ResponseBroken for any other packing than ours."""
    told = [value.decode("latin-1") for name, value in headers if name.lower() == b"content-encoding"]
    packings = [word for value in told for part in value.split(",") if (word := part.strip().lower())]
    packings = [word for word in packings if word != "identity"]
    if not packings:
        return None
    if len(packings) > 1 or packings[0] not in _PACKINGS:
        raise ResponseBroken(f"the answer is packed as {', '.join(packings)[:100]}; we take {ACCEPT_ENCODING}")
    return Unpacker(_PACKINGS[packings[0]])


class Unpacker:
    """Unpacks gzip or deflate piece by piece; a gzip body may have several members, one after the other."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._packed = zlib.decompressobj(window)
        self._first = b""  # bytes of “deflate” that do not show yet whether it has its wrapping
        self._begun = False

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        """What `chunk` unpacks to, in pieces of a bounded size. Raises ResponseBroken."""
        if not self._begun and not self._begin(chunk):
            return
        chunk, self._first = self._first + chunk, b""
        while chunk or not self._packed.eof:
            if self._packed.eof:
                if self._window != _GZIP:
                    return  # what follows a deflate stream is padding
                self._packed = zlib.decompressobj(self._window)
            try:
                piece = self._packed.decompress(chunk, _PIECE)
            except zlib.error as error:
                raise ResponseBroken(f"the packed answer can't be unpacked: {error}") from None
            if piece:
                yield piece
            chunk = self._packed.unused_data if self._packed.eof else self._packed.unconsumed_tail
            if not chunk and len(piece) < _PIECE:
                return

    def _begin(self, chunk: bytes) -> bool:
        """“deflate” means zlib's wrapping, and some servers send the bare stream: its first two bytes tell."""
        if self._window != zlib.MAX_WBITS:
            self._begun = bool(chunk)
            return self._begun
        head = (self._first + chunk)[:2]
        if len(head) < 2:
            self._first = head
            return False
        if head[0] & 0x0F != 8 or int.from_bytes(head, "big") % 31:
            self._window = -zlib.MAX_WBITS
            self._packed = zlib.decompressobj(self._window)
        self._begun = True
        return True

    def end(self) -> None:
        """Raise ResponseBroken where the packed body broke off before its end."""
        if (self._begun or self._first) and not self._packed.eof:
            raise ResponseBroken("the packed answer broke off before its end")


class CappedStream(httpx.AsyncByteStream):
    """The answer's bytes, unpacked, up to `most` of them both packed and unpacked, until the loop's time `ends_at`."""

    def __init__(
        self, response: httpcore.Response, *, most: int, ends_at: float, unpacking: Unpacker | None = None
    ) -> None:
        self._response = response
        self._most = most
        self._ends_at = ends_at
        self._unpacking = unpacking

    async def __aiter__(self) -> AsyncIterator[bytes]:
        came = given = 0
        async for chunk in self._chunks():
            came += len(chunk)
            for piece in (chunk,) if self._unpacking is None else self._unpacking.unpack(chunk):
                given += len(piece)
                if given > self._most:
                    raise ResponseTooLarge("the answer is larger than we read")
                yield piece
            if came > self._most:
                raise ResponseTooLarge("the answer is larger than we read")
        if self._unpacking is not None:
            self._unpacking.end()

    async def _chunks(self) -> AsyncIterator[bytes]:
        """The chunks as they come. One that is not there in time ends it, however fast those before it came."""
        assert not isinstance(self._response.stream, bytes)
        chunks = aiter(self._response.stream)  # type: ignore[arg-type]
        while True:
            with as_httpx_errors():
                try:
                    async with asyncio.timeout_at(self._ends_at):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise httpx.ReadTimeout("the answer did not come to its end in time") from None
            yield chunk

    async def aclose(self) -> None:
        with as_httpx_errors():
            await self._response.aclose()
