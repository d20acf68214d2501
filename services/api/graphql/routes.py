"""POST /graphql, its WebSocket, the explorer and the schema as a file."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from services.api import errors
from services.api.auth import bearer
from services.api.context import Context, Reader, Services, brand_hint
from services.api.graphql import quick
from services.api.graphql.engine import Asked, BadRequest, Engine, Prepared, dump, read
from services.api.graphql.failures import refused
from services.api.graphql.socket import Connection
from services.api.idempotency import asked
from services.api.schema import sdl
from shared.contract import read_json
from shared.errors import BadPayload, NotAuthenticated, ParvisError

_HERE = Path(__file__).parent
_MORE_HEADERS = frozenset({"parvis-brand", "idempotency-key"})  # what only the ordinary way looks at
_PAGE_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:;"
    " base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class Ahead:
    """POST /graphql, answered before the router compares its path with every address of REST."""

    def __init__(self, app: ASGIApp, *, engine: Engine) -> None:
        self._app = app
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/graphql" and scope["method"] == "POST":
            response = await _post(self._engine, Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def graphql_routes(engine: Engine) -> list[BaseRoute]:
    """The routes beside it; what they need is `app.state.services` and `app.state.key_use`."""
    text = sdl()

    async def post(request: Request) -> Response:
        return await _post(engine, request)

    async def socket(websocket: WebSocket) -> None:
        state = websocket.app.state
        await Connection(engine, state.services, state.allowance, websocket).serve()

    async def explorer(_: Request) -> Response:
        return FileResponse(_HERE / "explorer.html", headers=_PAGE_HEADERS)

    async def script(_: Request) -> Response:
        return FileResponse(_HERE / "explorer.js", headers=_PAGE_HEADERS, media_type="text/javascript")

    async def style(_: Request) -> Response:
        return FileResponse(_HERE / "explorer.css", headers=_PAGE_HEADERS)

    async def schema(_: Request) -> Response:
        return PlainTextResponse(text, headers={"cache-control": "no-cache"})

    return [
        Route("/graphql", post, methods=["POST"]),
        Route("/graphql", explorer, methods=["GET"]),
        Route("/graphql/explorer.js", script, methods=["GET"]),
        Route("/graphql/explorer.css", style, methods=["GET"]),
        Route("/graphql/schema.graphql", schema, methods=["GET"]),
        WebSocketRoute("/graphql", socket),
    ]


async def _post(engine: Engine, request: Request) -> Response:
    """One operation. 401 without a valid key and 400 for what is no request; everything else is GraphQL's, with 200."""
    services: Services = request.app.state.services
    key = bearer(request.headers.get("authorization"))
    if key is None:
        raise NotAuthenticated("send your API key as `Authorization: Bearer pv_…`")
    body = await request.body()
    question = _question(body)
    if isinstance(question, Asked) and not _MORE_HEADERS.intersection(request.headers):
        found = quick.read(engine, services, question)
        done = await quick.run(found, services, key) if found is not None else None
        if done is not None:
            request.app.state.key_use.note(done[1])
            return _json(done[0])
    reader = Reader(services.db, key)
    try:
        principal = await reader.enter()
        request.app.state.key_use.note(principal.key_id)
        if not isinstance(question, Asked):
            return errors.problem(request.scope, 400, "bad_request", str(question))
        prepared = engine.prepare(question)
        if not isinstance(prepared, Prepared):
            return _json(prepared)
        try:
            hint = brand_hint(request.headers.get("parvis-brand"))
            what = asked(request.headers.get("idempotency-key"), *question.parts())
        except ParvisError as error:
            return _json(refused(error.code.upper(), error.message, prepared.cost))
        context = Context(
            services,
            key,
            principal,
            reader,
            brand_hint=hint,
            idempotency_key=what.key if what is not None else None,
            request_digest=what.digest if what is not None else b"",
        )
        answer = _json(await engine.run(prepared, context))
        if context.was_replayed:
            answer.headers["idempotency-replayed"] = "true"
        return answer
    finally:
        await reader.close()


def _question(body: bytes) -> Asked | BadPayload | BadRequest:
    """What is asked, or why it is no request: whoever has no valid key is told that first."""
    try:
        return read(read_json(body))
    except (BadPayload, BadRequest) as error:
        return error


def _json(value: object) -> Response:
    return Response(dump(value), media_type="application/json")
