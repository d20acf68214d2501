"""A caller's connection to the door: it hears plain deliveries by itself and writes their answers.

For these there is no parser, no task and no ASGI message, which would cost more than all that the door does. Whatever
is not plain goes to uvicorn as it came, with nothing done yet.
"""

import asyncio
import re
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from services.connections import LONGEST_HEAD, Connection
from services.ingest.answers import Answer
from services.ingest.door import PLACE, Door

# A head that can be read in one way only: it has no space, byte or line that one parser takes and another leaves.
_HEAD = re.compile(
    rb"POST %b(\w++) HTTP/1\.1\r\n((?:[-\w]++: [!-~](?:[ -~]*[!-~])?\r\n)++)\r\n" % re.escape(PLACE.encode())
)
# Headers that say how the message is framed, or want more than an answer.
_MORE = frozenset({"transfer-encoding", "expect", "upgrade", "proxy-connection"})


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
    """Hears `POST /webhooks/{hook_id}` where it comes whole and alone, and the answer is the first thing to say."""

    def __init__(self, door: Door, **more: Any) -> None:
        super().__init__(**more)
        self._door = door
        self._hearing = _Hearing()
        self._as_cycle = cast(RequestResponseCycle, self._hearing)
        self._is_between = True  # requests: the parser has begun none
        self._silent_since = 0.0
        self._patience: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._patience is not None:
            self._patience.cancel()

    def on_message_begin(self) -> None:
        self._is_between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_between = not self.parser.should_upgrade()  # else nothing more is a request

    def data_received(self, data: bytes) -> None:
        if not (self._is_between and self._hear(data)):
            super().data_received(data)

    def _hear(self, data: bytes) -> bool:
        """Hear these bytes where they are one plain delivery and no other answer is to be written before its own."""
        cycle: RequestResponseCycle | None = self.cycle
        if (cycle is not None and not cycle.response_complete) or self.flow.write_paused:
            return False
        found = _HEAD.match(data)
        if found is None or found.end() > LONGEST_HEAD:
            return False
        name, body = found[1].decode("ascii"), data[found.end() :]
        headers = _headers(found[2], len(body))
        if headers is None or not self._door.hear(name, headers, body, self._tell):
            return False
        self._unset_keepalive_if_required()
        hearing = self._hearing
        hearing.response_complete, hearing.keep_alive = False, True
        self.cycle = self._as_cycle
        return True

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
        is_idle = cycle is None or cycle.response_complete
        # With a timer of uvicorn's it answered an ASGI request last; what became a WebSocket is no longer ours.
        if not is_idle or self.timeout_keep_alive_task is not None or self not in self.connections:
            return
        left = self._silent_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._patience = self.loop.call_later(left, self._look)
        else:
            self.timeout_keep_alive_handler()


def _headers(lines: bytes, size: int) -> dict[str, str] | None:
    """Headers by their names in lower case; None where they say anything but a body of this size on a kept connection.

    A name that comes twice is such a case: which of the two holds is for others to say.
    """
    headers = {}
    said = lines.decode("ascii").split("\r\n")
    for line in said:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    if len(headers) < len(said) or headers.get("content-length") != str(size) or not _MORE.isdisjoint(headers):
        return None
    del headers[""]  # behind the last line's end
    return headers if headers.get("connection", "keep-alive").lower() == "keep-alive" else None
