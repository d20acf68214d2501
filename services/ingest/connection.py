"""A caller's connection to the door: it hears plain deliveries by itself and writes their answers.

For these there is no task and there are no ASGI messages, which would cost more than all that the door does. Whatever
is not plain goes on as an ASGI request, with nothing done yet.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from services.connections import Connection
from services.ingest.answers import Answer
from services.ingest.door import PLACE, Door

_PLACE = PLACE.encode()


class _Hearing:
    """Stands where uvicorn keeps the request that it answers, with what uvicorn reads and writes of one.

    So what follows in the pipeline waits for its answer, a stop waits for it, and silence is measured from it.
    """

    def __init__(self) -> None:
        self.response_complete = True
        self.keep_alive = True
        self.disconnected = False
        self.message_event = asyncio.Event()


class DoorConnection(Connection):
    """Hears `POST /webhooks/{hook_id}` where head and body come together and the answer is the first thing to say."""

    def __init__(self, door: Door, **more: Any) -> None:
        super().__init__(**more)
        self._door = door
        self._hearing = _Hearing()
        self._as_cycle = cast(RequestResponseCycle, self._hearing)
        self._hears = False  # from a plain head to the end of its body
        self._body = b""
        self._silent_since = 0.0
        self._patience: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._patience is not None:
            self._patience.cancel()

    def on_message_begin(self) -> None:
        # What a plain delivery needs of it; see _go_on.
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def begin(self) -> None:
        self._hears, self._body = self._is_plain(), b""
        if not self._hears:
            self._go_on()

    def _is_plain(self) -> bool:
        """Whether this head may belong to a plain delivery, by what HTTP says."""
        cycle: RequestResponseCycle | None = self.cycle
        parser = self.parser
        return (
            (cycle is None or cycle.response_complete)  # else it waits for its turn
            and self.url.startswith(_PLACE)
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused  # else its answer has to wait until the caller reads
        )

    def on_body(self, body: bytes) -> None:
        if self._hears:
            self._went_on = True
            self._body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._hears:
            super().on_message_complete()
        elif not self._hear():
            self._go_on()
            super().on_message_complete()

    def read(self, data: bytes) -> None:
        super().read(data)
        if self._hears:  # more of the body is to come
            self._go_on()

    def _hear(self) -> bool:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}
        if "transfer-encoding" in headers:
            return False
        name, body = self.url[len(_PLACE) :].decode("latin-1"), self._body
        if not self._door.hear(name, headers, body, self._tell):
            return False
        self._hears, self._body = False, b""
        hearing = self._hearing
        hearing.response_complete, hearing.keep_alive = False, True
        self.cycle = self._as_cycle
        return True

    def _go_on(self) -> None:
        """Go on as an ASGI request, with what there is of it."""
        self._hears = False
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the list is also the scope's
        super().begin()
        if self._body:
            super().on_body(self._body)
            self._body = b""

    def _tell(self, answer: Answer) -> None:
        """Write the answer, as uvicorn writes one."""
        hearing, transport = self._hearing, self.transport
        hearing.response_complete = True
        if transport.is_closing():
            return
        said = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *answer.headers):
            said += (name, b": ", value, b"\r\n")
        said.append(b"\r\n" if hearing.keep_alive else b"connection: close\r\n\r\n")
        said.append(answer.body)
        transport.write(b"".join(said))
        if not hearing.keep_alive:
            transport.close()
        if self.pipeline:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._give_up_later()

    def _give_up_later(self) -> None:
        # One timer for many answers, which looks again: to set and stop one for each is a thirtieth of a delivery.
        self._silent_since = self.loop.time()
        if self._patience is None:
            self._patience = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        """Close the connection where the caller said nothing for long, and nothing is being answered."""
        self._patience = None
        cycle: RequestResponseCycle | None = self.cycle
        is_between = cycle is None or cycle.response_complete
        # With a timer of uvicorn's it answered an ASGI request last.
        if not is_between or self.timeout_keep_alive_task is not None or self not in self.connections:
            return
        left = self._silent_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._patience = self.loop.call_later(left, self._look)
        else:
            self.timeout_keep_alive_handler()
