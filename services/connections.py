"""One caller's connection: uvicorn's, with an end to its patience and a limit to what a head may take."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from services.problem import problem

LONGEST_HEAD = 64 * 1024  # bytes of a request line and its headers together; of what trails a body, the same


class _HeadTooLong(Exception):
    """Raised inside of the parser, which then reads no further."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which also gives up on a caller that says nothing from the start, or stops in a head.

    A head longer than `LONGEST_HEAD` is answered 431 and the connection closed: neither uvicorn nor its parser has a
    limit of its own, and whoever sends one needs no key for it.
    """

    # Bytes that came since the last head or piece of a body, all of which may be one head; and of the piece before
    # them, in which that head may have begun.
    _since = 0
    _before = 0
    _went_on = False  # whether a head ended, or a body went on, within what is being read
    _is_too_long = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._give_up_later()

    def data_received(self, data: bytes) -> None:
        self._went_on = False
        self._since += len(data)
        super().data_received(data)
        if self._went_on:
            self._since, self._before = 0, len(data)
        elif self._since > LONGEST_HEAD and not self.transport.is_closing():
            self._refuse_head()
        cycle: RequestResponseCycle | None = self.cycle
        is_between = cycle is None or cycle.response_complete
        # A connection that became a WebSocket is no longer among these.
        if is_between and self.timeout_keep_alive_task is None and self in self.connections:
            self._give_up_later()

    def on_headers_complete(self) -> None:
        self._went_on = True
        # Counted only where so much came that it may be too long: a delivery's head is a few hundred bytes.
        if self._before + self._since > LONGEST_HEAD and self._head() > LONGEST_HEAD:
            self._is_too_long = True
            raise _HeadTooLong
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._went_on = True
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when the parser stopped, for whatever reason."""
        if self._is_too_long:
            self._refuse_head()
        else:
            detail = "This is not an HTTP request as RFC 9112 has them: it was read no further."
            self._refuse(b"400 Bad Request", *problem(400, "bad_request", detail))

    def _head(self) -> int:
        """The size of the head as read so far, without its punctuation."""
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse_head(self) -> None:
        detail = f"The request line and the headers may have {LONGEST_HEAD:,} bytes together."
        self._refuse(b"431 Request Header Fields Too Large", *problem(431, "headers_too_large", detail))

    def _refuse(self, status: bytes, body: bytes, request_id: str) -> None:
        """Answer this and close, or only close where what is written next belongs to an earlier request."""
        if self._is_next():
            self.transport.write(
                b"HTTP/1.1 %b\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\nrequest-id: %b\r\n"
                b"connection: close\r\n\r\n%b" % (status, len(body), request_id.encode(), body)
            )
        self.transport.close()

    def _is_next(self) -> bool:
        """Whether an answer written now would be to what is being read."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        # What a subclass puts in its place has its whole body, and no more of it to say.
        return getattr(cycle, "more_body", False) and not cycle.response_started

    def _give_up_later(self) -> None:
        # uvicorn's own timer, which it takes down with the next bytes, and sets only after an answer.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
