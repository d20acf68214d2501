"""graphql-transport-ws: one connection, its operations, and an orderly end.

The protocol is github.com/enisdenjo/graphql-ws, PROTOCOL.md. Each operation, and each event of a subscription, has a
transaction of its own and is authorised again: a key that is revoked hears nothing more.
"""

import asyncio
from contextlib import suppress
from typing import Any

import orjson
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from services.api.auth import bearer
from services.api.context import Context, Reader, Services, brand_hint
from services.api.errors import known
from services.api.graphql.engine import BadRequest, Engine, Prepared, Stream, dump, read
from services.api.graphql.failures import extensions_of
from services.api.limits import Allowance
from shared.domain.scope import Principal
from shared.errors import NotAuthenticated, NotFound, ParvisError
from shared.log import logger

_log = logger("graphql")

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
MOST_OPERATIONS = 100
MOST_MESSAGE_BYTES = 1024 * 1024


class _Close(Exception):
    """The connection ends with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection:
    """One WebSocket. Its key is said once, in `connection_init`, and looked at again for everything it does.

    Each operation counts as a request of its key; one past the key's limit is refused, and the connection stays.
    """

    def __init__(self, engine: Engine, services: Services, allowance: Allowance, websocket: WebSocket) -> None:
        self._engine = engine
        self._services = services
        self._allowance = allowance
        self._socket = websocket
        self._key: str | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Until the client goes, breaks the protocol, or the service stops."""
        if PROTOCOL not in self._socket.scope.get("subprotocols", ()):
            await self._socket.accept()
            await self._socket.close(4406, "Subprotocol not acceptable")
            return
        await self._socket.accept(PROTOCOL)
        try:
            await self._initialise()
            while True:
                await self._take(await self._receive())
        except _Close as end:
            await self._end(end.code, end.reason)
        except WebSocketDisconnect:
            pass
        finally:
            for task in list(self._operations.values()):
                task.cancel()
            await asyncio.gather(*self._operations.values(), return_exceptions=True)

    # ------------------------------------------------------------ the protocol

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                message = await self._receive()
                while message["type"] in {"ping", "pong"}:
                    await self._take(message)
                    message = await self._receive()
        except TimeoutError:
            raise _Close(4408, "Connection initialisation timeout") from None
        if message["type"] != "connection_init":
            raise _Close(4401, "Unauthorized")
        payload = message.get("payload")
        header = payload.get("authorization") or payload.get("Authorization") if isinstance(payload, dict) else None
        self._key = bearer(header) if isinstance(header, str) else None
        if self._key is None:
            raise _Close(4401, 'Unauthorized: send {"authorization": "Bearer pv_…"}')
        await (await self._open()).reader.close()
        await self._send({"type": "connection_ack"})

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "connection_init":
                raise _Close(4429, "Too many initialisation requests")
            case "subscribe":
                self._begin(message)
            case "complete":
                task = self._operations.pop(str(message.get("id")), None)
                if task is not None:
                    task.cancel()
            case _:
                raise _Close(4400, "Invalid message type")

    def _begin(self, message: dict[str, Any]) -> None:
        id_, payload = message.get("id"), message.get("payload")
        if not isinstance(id_, str) or not id_:
            raise _Close(4400, "A subscription needs an id")
        if id_ in self._operations:
            raise _Close(4409, f"Subscriber for {id_[:60]} already exists")
        if len(self._operations) >= MOST_OPERATIONS:
            raise _Close(4400, f"At most {MOST_OPERATIONS} operations at once")
        self._operations[id_] = asyncio.create_task(self._operate(id_, payload))

    async def _receive(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text")
        if not isinstance(text, str) or len(text) > MOST_MESSAGE_BYTES:
            raise _Close(4400, "Messages are JSON text of at most a mebibyte")
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise _Close(4400, "Messages are JSON") from None
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise _Close(4400, "A message needs a type")
        return value

    async def _send(self, message: dict[str, Any]) -> None:
        async with self._sending:
            if self._socket.application_state is WebSocketState.CONNECTED:
                await self._socket.send_text(dump(message).decode())

    async def _end(self, code: int, reason: str) -> None:
        async with self._sending:
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close(code, reason[:120])

    # ------------------------------------------------------------ operations

    async def _operate(self, id_: str, payload: object) -> None:
        try:
            await self._answer(id_, payload)
        except _Close as end:
            await self._end(end.code, end.reason)
        except asyncio.CancelledError:
            raise
        except (WebSocketDisconnect, RuntimeError) as error:
            _log.debug("graphql.socket_gone", error=type(error).__name__)
        except Exception as error:
            await self._fail(id_, error)
        finally:
            if self._operations.get(id_) is asyncio.current_task():
                del self._operations[id_]

    async def _answer(self, id_: str, payload: object) -> None:
        try:
            asked = read(payload)
        except BadRequest as error:
            raise _Close(4400, str(error)) from None
        assert self._key is not None
        await self._allowance.spend(self._key)
        prepared = self._engine.prepare(asked)
        if not isinstance(prepared, Prepared):
            await self._send({"id": id_, "type": "error", "payload": prepared["errors"]})
            return
        context = await self._open()
        try:
            if prepared.kind is not OperationType.SUBSCRIPTION:
                answer = await self._engine.run(prepared, context)
                await self._send({"id": id_, "type": "next", "payload": answer})
                await self._send({"id": id_, "type": "complete"})
                return
            await context.reader.close()
            stream = await self._engine.subscribe(prepared, context)
        finally:
            await context.reader.close()
        if isinstance(stream, Stream):
            await self._follow(id_, stream)
        else:
            await self._send({"id": id_, "type": "error", "payload": stream["errors"]})

    async def _follow(self, id_: str, stream: Stream) -> None:
        async for event in stream.events:
            context = await self._open()
            try:
                context.scope(event.brand_id)
                answer = await stream.run(event, context)
            finally:
                await context.reader.close()
            await self._send({"id": id_, "type": "next", "payload": answer})
        await self._send({"id": id_, "type": "complete"})

    async def _open(self) -> Context:
        """A context with a transaction of its own. Raises _Close (4403) where the key holds no more."""
        assert self._key is not None
        try:
            hint = brand_hint(self._socket.headers.get("parvis-brand"))
        except NotFound as error:
            raise _Close(4400, error.message) from None
        reader = Reader(self._services.db, self._key)
        try:
            principal: Principal = await reader.enter()
        except NotAuthenticated:
            await reader.close()
            raise _Close(4403, "Forbidden: the API key is wrong, expired or revoked") from None
        except BaseException:
            await reader.close()
            raise
        return Context(self._services, self._key, principal, reader, brand_hint=hint)

    async def _fail(self, id_: str, error: Exception) -> None:
        """An operation that can't go on says why; a key that holds no more ends the connection."""
        cause = getattr(error, "original_error", None) or error
        found: ParvisError | None = known(cause)
        if isinstance(found, NotAuthenticated):
            await self._end(4403, "Forbidden: the API key is wrong, expired or revoked")
            return
        if found is None:
            _log.error("graphql.failed", exc_info=error)
            entry = {"message": "something broke on our side", "extensions": {"code": "INTERNAL"}}
        else:
            entry = {"message": found.message, "extensions": extensions_of(found)}
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._send({"id": id_, "type": "error", "payload": [entry]})
