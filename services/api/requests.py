"""What happens around every request: its id, its log, its figures, and a problem for whatever breaks."""

import re
import time
from functools import cache
from uuid import uuid4

from prometheus_client import Counter, Histogram
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.errors import TooLarge, known, respond, status_of
from shared.log import bound_contextvars, logger

_log = logger("api")
_SANE = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
MAX_BODY_BYTES = 1024 * 1024
_UPLOADS = re.compile(r"/v1/brands/[^/]+/media")

_requests = Counter("parvis_api_requests_total", "Requests by route template.", ["method", "route", "status"])
_seconds = Histogram(
    "parvis_api_request_seconds",
    "Time to answer by route template.",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_PLAIN = frozenset({"/healthz", "/readyz", "/metrics", "/graphql"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestIds:
    """Gives every request an id, the caller's own where it is sane, and says it in every answer and log line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = _asked_id(scope) or uuid4().hex
        scope["request_id"] = request_id

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"request-id", request_id.encode())]
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self._app(scope, receive, with_id)


class Cors(CORSMiddleware):
    """What a browser asks for. A POST that no page sent, which is what programs send, is passed on as it is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and not _has(scope, b"origin"):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Guard:
    """Counts and times requests, caps their bodies, and answers a problem where something breaks."""

    def __init__(self, app: ASGIApp, *, max_upload_bytes: int, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max = max_body_bytes
        self._max_upload = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                scope["answer_started"] = True
            await send(message)

        try:
            await self._app(scope, self._capped(scope, receive), watched)
        except Exception as error:
            if scope.get("answer_started"):
                raise
            self._note(error)
            await respond(scope, error)(scope, receive, watched)
        finally:
            _count(scope, status, time.perf_counter() - began)

    def _capped(self, scope: Scope, receive: Receive) -> Receive:
        """The body up to the limit. Raises TooLarge past it, before anything was done."""
        most = self._max_upload if scope["method"] == "POST" and _UPLOADS.fullmatch(scope["path"]) else self._max
        length = dict(scope["headers"]).get(b"content-length", b"0")
        declared = int(length) if length.isdigit() else 0
        read = 0

        async def capped() -> Message:
            nonlocal read
            if declared > most:
                raise TooLarge(f"a body here has at most {most} bytes")
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > most:
                    raise TooLarge(f"a body here has at most {most} bytes")
            return message

        return capped

    @staticmethod
    def _note(error: Exception) -> None:
        failure = known(error)
        if failure is None or status_of(failure) == 500:
            _log.error("request.failed", exc_info=error)
        elif status_of(failure) == 503:
            _log.warning("request.away", error=type(error).__name__)


def _has(scope: Scope, header: bytes) -> bool:
    return any(name == header for name, _ in scope["headers"])


def _asked_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"request-id":
            text: str = value.decode("latin-1")
            return text if _SANE.fullmatch(text) else None
    return None


def _count(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", None) or (scope["path"] if scope["path"] in _PLAIN else "unknown")
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    _log.info("request.done", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
    count, timer = _figures(method, route, status)
    count.inc()
    timer.observe(seconds)


@cache
def _figures(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The two figures of one kind of answer; there are as many as addresses, methods and statuses."""
    return _requests.labels(method, route, str(status)), _seconds.labels(method, route)
