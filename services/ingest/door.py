"""The door: answers /webhooks/{hook_id} when the delivery is durable.

Two roads lead to it, under one set of rules. A plain delivery (whole, rightly signed, for a hook that is remembered) is
heard by the connection itself, in one call: see `Door.hear` and `connection.py`. Whatever else is a plain ASGI call.

Nothing here reads the body: it is capped, verified over its raw bytes, kept. A compressed body is refused (415): no
network compresses its deliveries, and a small one could unfold into a huge one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from prometheus_client import Gauge

from services.ingest.answers import Answer, Refusal, content, kept, refused, wrong_method
from services.ingest.group import Group
from services.ingest.hooks import Hooks, OpenHook
from services.ingest.rows import arrival
from services.ingest.storing import Away, Closed, Kept, NewArrival
from services.ingest.tally import tally
from shared.contract import RawRequest
from shared.errors import BadSignature, NotFound
from shared.log import logger

_log = logger("ingest.door")

PLACE = "/webhooks/"
BODY_SECONDS = 30.0
WATCH_SECONDS = 1.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_in_hand = Gauge("parvis_door_held_bytes", "Bytes of bodies that the door has in hand, from reading to answering.")


class _Gone(Exception):
    """The caller hung up before its body was whole: there is nobody to answer, and nothing to keep."""


class Door:
    """Hears every network. `most_bytes` caps a body; `room` caps all bodies in hand, from reading to answering.

    Bodies that come in pieces may fill three quarters of the room: nobody's signature is checked before a body is
    whole, so slow senders must not be able to shut out the others. Those come whole, with their head.
    """

    def __init__(self, hooks: Hooks, group: Group, *, most_bytes: int, room: int) -> None:
        self._hooks, self._group, self._most_bytes = hooks, group, most_bytes
        self._room, self._room_for_pieces = room, room * 3 // 4
        self._held = 0  # bytes of bodies in hand
        _in_hand.set_function(lambda: self._held)
        self._reading: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()

    def hear(self, name: str, headers: Mapping[str, str], body: bytes, tell: Callable[[Answer], None]) -> bool:
        """Take a whole delivery at once where it is a plain one; `tell` then gets the answer, later and once.

        False where it is not: nothing was done, and it is to be answered as an ASGI request, which finds the same and
        has time to look further.
        """
        began, size = time.monotonic(), len(body)
        hook = self._hooks.remembered(name, began)
        if hook is None or self._held + size > self._room:
            return False

        def told(outcome: Kept | Away | Closed) -> None:
            self._held -= size
            answer = _answer(hook, outcome) if isinstance(outcome, Kept) else refused(outcome)
            tell(answer)
            tally.add(answer.outcome, time.monotonic() - began)

        try:
            self._check_head(headers, size)
            request = RawRequest("POST", headers, {}, body, datetime.now(UTC))
            if hook.connector.handshake(request, hook.secret) is not None:
                return False
            self._group.take(_verified(hook, request), told)
        except Exception:  # whatever it is, the other road meets it too, and says it
            return False
        self._held += size
        return True

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; scope is an HTTP one below `PLACE`."""
        began = time.monotonic()
        try:
            answer = await self._answer(scope, receive, began)
        except _Gone:
            tally.leave("gone")
            return
        except (Refusal, NotFound, Closed, BadSignature, Away) as error:
            answer = refused(error)
        except Exception as error:
            _log.exception("door.broke", path=scope["path"][:100])
            answer = refused(error)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
        tally.add(answer.outcome, time.monotonic() - began)

    async def _answer(self, scope: Mapping[str, Any], receive: Receive, began: float) -> Answer:
        method = scope["method"]
        if method not in {"POST", "GET"}:
            raise wrong_method("GET, POST")
        name = scope["path"][len(PLACE) :]
        remembered = self._hooks.remembered(name, began)
        hook = remembered or await self._hooks.resolve(name)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await self._body(headers, receive, began) if method == "POST" else b""
        query = scope["query_string"]
        request = RawRequest(method, headers, _query(query) if query else {}, body, datetime.now(UTC))
        size = len(body)
        if self._held + size > self._room:
            raise _crowded()
        self._held += size
        try:
            return await self._hear(name, hook, request, is_remembered=remembered is not None)
        finally:
            self._held -= size

    async def _hear(self, name: str, hook: OpenHook, request: RawRequest, *, is_remembered: bool) -> Answer:
        """Shake hands, or verify the delivery and wait until it is durable."""
        shaken = hook.connector.handshake(request, hook.secret)
        if shaken is not None:
            outcome = "handshake" if shaken.status < 400 else "handshake_refused"
            return Answer(outcome, shaken.status, content(shaken.content_type, shaken.body), shaken.body)
        if request.method == "GET":
            raise wrong_method("POST")
        try:
            row = _verified(hook, request)
        except BadSignature:
            # What was remembered of the hook may be older than the secret that this was signed with.
            changed = await self._hooks.changed(name, hook) if is_remembered else None
            if changed is None:
                raise
            hook = changed
            row = _verified(hook, request)
        return _answer(hook, await self._group.add(row))

    def _check_head(self, headers: Mapping[str, str], size: int = 0) -> None:
        """Raises Refusal where a body is compressed, or larger than it may be by what is said of it or by its size."""
        encoding = headers.get("content-encoding")
        if encoding is not None and encoding.strip().lower() not in {"identity", ""}:
            detail = "Send the body uncompressed: the signature is checked over the bytes as they come."
            raise Refusal(415, "unsupported_encoding", detail, headers=[(b"accept-encoding", b"identity")])
        said = headers.get("content-length", "0")
        if not (said.isascii() and said.isdigit() and len(said) < 16) or max(int(said), size) > self._most_bytes:
            raise self._too_large()

    async def _body(self, headers: Mapping[str, str], receive: Receive, began: float) -> bytes:
        """The whole body. Raises Refusal (too large, too slow, compressed) or _Gone."""
        self._check_head(headers)
        reading = asyncio.current_task()
        assert reading is not None
        self._reading[reading] = began
        try:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                whole: bytes = message.get("body", b"")
                if len(whole) > self._most_bytes:
                    raise self._too_large()
                return whole
            return await self._rest(message, receive)
        except asyncio.CancelledError:
            if reading not in self._late:
                raise
            self._late.discard(reading)
            reading.uncancel()
            detail = f"The body did not come within {BODY_SECONDS:.0f} seconds."
            raise Refusal(408, "too_slow", detail, headers=[(b"connection", b"close")]) from None
        finally:
            del self._reading[reading]

    async def _rest(self, message: Message, receive: Receive) -> bytes:
        """The whole body that begins with this message. What came of it is in hand while the rest is awaited."""
        pieces: list[bytes] = []
        size = 0
        try:
            while True:
                if message["type"] != "http.request":
                    raise _Gone
                piece = message.get("body", b"")
                size += len(piece)
                self._held += len(piece)
                if size > self._most_bytes:
                    raise self._too_large()
                if self._held > self._room_for_pieces:
                    raise _crowded()
                pieces.append(piece)
                if not message.get("more_body"):
                    return b"".join(pieces)
                message = await receive()
        finally:
            self._held -= size

    async def watch(self) -> None:
        """Give up on bodies that do not come; runs for as long as the door is open.

        One watch for all of them: a timer for each would cost a tenth of a delivery.
        """
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            late = time.monotonic() - BODY_SECONDS
            for reading, began in list(self._reading.items()):
                if began < late and reading not in self._late:
                    self._late.add(reading)
                    reading.cancel()

    def _too_large(self) -> Refusal:
        return Refusal(413, "too_large", f"A body may have at most {self._most_bytes:,} bytes.")


def _crowded() -> Away:
    return Away("too many bodies are in hand")


def _verified(hook: OpenHook, request: RawRequest) -> NewArrival:
    """The row that a rightly signed delivery becomes. Raises BadSignature."""
    return arrival(hook, request, hook.connector.verify(request, hook.secret) or request.received_at)


def _answer(hook: OpenHook, found: Kept) -> Answer:
    status = hook.connector.card.accepted_status
    if status == HTTPStatus.NO_CONTENT:
        return Answer("accepted", status, [], b"")
    return kept(found, status)


def _query(raw: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return {}
