"""Every failure as one kind of answer: RFC 9457 problems, and the one table from failures to HTTP numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope as AsgiScope

from services.charting.drawing import NotDrawn
from shared.db import is_passing
from shared.errors import (
    BadPayload,
    BadSignature,
    Conflict,
    Invalid,
    LoginDead,
    NetworkError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Over,
    ParvisError,
    Problem,
    RateLimited,
    Refused,
    Stale,
    Unavailable,
)
from shared.store import Missing, StoreAway

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5


class PreconditionRequired(ParvisError):
    """This change needs If-Match, so that nobody's newer change is lost."""

    code = "if_match_required"


class BadQuery(Invalid):
    """The query string can't be taken, whatever the method; the problems' paths name its parameters."""


class UnsupportedMedia(ParvisError):
    """The body is not of a kind that this address takes."""

    code = "unsupported_media_type"


class TooLarge(ParvisError):
    """The body is larger than this address takes."""

    code = "body_too_large"


class TooMany(ParvisError):
    """The key has made its requests of this minute; more after `seconds`."""

    code = "rate_limited"

    def __init__(self, message: str, *, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class DatabaseAway(ParvisError):
    """PostgreSQL does not answer, or not in time."""

    code = "database_away"


# The first class that fits says the number; GraphQL takes the codes of the same failures.
STATUS: tuple[tuple[type[ParvisError], int], ...] = (
    (NotAuthenticated, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (Missing, 404),
    (Over, 410),
    (Stale, 412),
    (Conflict, 409),
    (TooLarge, 413),
    (UnsupportedMedia, 415),
    (Invalid, 422),
    (BadPayload, 422),
    (BadSignature, 401),
    (PreconditionRequired, 428),
    (TooMany, 429),
    (DatabaseAway, 503),
    (StoreAway, 503),
    (NotDrawn, 503),
    (RateLimited, 503),
    (Unavailable, 503),
    (LoginDead, 409),
    (Refused, 422),
    (NetworkError, 502),
)

_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Over",
    412: "Stale",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid",
    428: "If-Match required",
    429: "Too many requests",
    500: "Internal error",
    502: "The network failed",
    503: "Away",
}
_HTTP_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}
RETRYABLE = frozenset({429, 502, 503})
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})


class ProblemPlace(BaseModel):
    """One thing that is wrong, and where: a JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str
    code: str
    detail: str


class ProblemRead(BaseModel):
    """RFC 9457. `code` is stable; `retryable`: the same request may succeed later."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool
    errors: list[ProblemPlace]


def status_of(error: ParvisError) -> int:
    """The HTTP status of a failure; 500 for one that no caller can cause."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def known(error: BaseException) -> ParvisError | None:
    """The failure as one of ours: what the database says when it is away is told apart from a fault of our own."""
    if isinstance(error, ParvisError):
        return error
    if isinstance(error, PoolTimeout) or is_passing(error):
        return DatabaseAway("the database can't be reached now; try again in a moment")
    return None


def respond(scope: AsgiScope, error: BaseException) -> Response:
    """The answer to a failure, whatever it is."""
    found = known(error)
    if found is None or status_of(found) == 500:
        return problem(scope, 500, "internal", "something broke on our side; the request id helps to find it")
    headers: dict[str, str] = {}
    status = status_of(found)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(found, TooMany):
        headers["retry-after"] = str(found.seconds)
    elif status == 503:
        headers["retry-after"] = str(RETRY_SECONDS)
    in_query = isinstance(found, BadQuery) or scope.get("method") in _WITHOUT_BODY
    places = [_place(one, in_query=in_query) for one in getattr(found, "problems", ())]
    return problem(scope, status, _code(found), found.message, places, headers)


def problem(
    scope: AsgiScope,
    status: int,
    code: str,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document."""
    body = {
        "type": f"/docs#problem-{code}",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": _clean(detail),
        "code": code,
        "request_id": scope.get("request_id", ""),
        "retryable": status in RETRYABLE or code == "idempotency_running",
        "errors": list(errors),
    }
    return Response(orjson.dumps(body), status, dict(headers or {}), MEDIA_TYPE)


def _place(one: Problem, *, in_query: bool) -> dict[str, str]:
    """Where in the caller's request a problem is."""
    pointer = f"?{one.path[0]}" if in_query and one.path else _pointer(one.path)
    return {"pointer": _clean(pointer), "code": one.code, "detail": _clean(one.message)}


async def on_parvis_error(request: Request, error: Exception) -> Response:
    return respond(request.scope, error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Unknown addresses and methods: what the router itself refuses."""
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "error")
    detail = {
        404: f"there is nothing at {request.url.path[:200]}",
        405: f"{request.method[:20]} is not possible here",
    }.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # The router says the methods of the first route that fits; an address has all of its routes'.
        allowed = request.app.state.methods_of(request.url.path)
        headers = {"allow": ", ".join(sorted(allowed)) or headers.get("Allow", "")}
    return problem(request.scope, error.status_code, code, detail, headers=headers)


async def on_validation_error(request: Request, error: Exception) -> Response:
    """What FastAPI found wrong with parameters and body, each at its place."""
    assert isinstance(error, RequestValidationError)
    found = [_place_of(one) for one in error.errors()]
    detail = "; ".join(": ".join(filter(None, (one["pointer"], one["detail"]))) for one in found[:5])
    return problem(request.scope, 422, "invalid", detail, found)


def _place_of(error: Mapping[str, Any]) -> dict[str, str]:
    where, *path = error["loc"]
    match where:
        case "query":
            pointer = f"?{path[0]}" if path else "?"
        case "header":
            pointer = f"header:{path[0]}" if path else "header:"
        case _:
            pointer = _pointer(path)
    code = {"extra_forbidden": "unknown", "missing": "required", "value_error": "invalid"}.get(
        error["type"], error["type"]
    )
    said = error["msg"].removeprefix("Value error, ")
    if code == "required" and not path:
        said = "send a JSON body" if where == "body" else said
    return {"pointer": _clean(pointer), "code": code, "detail": _clean(said)}


def _pointer(path: Sequence[str | int]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _code(error: ParvisError) -> str:
    """One wrong thing says its own code, several say `invalid`."""
    if isinstance(error, Invalid) and error.code == "invalid" and len(error.problems) == 1:
        return error.problems[0].code
    return error.code


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
