"""What the door says, by whichever road a delivery came: answers, and refusals in the house's shape."""

from typing import NamedTuple

from services.ingest.storing import Away, Closed, Kept
from services.problem import problem
from shared.errors import BadSignature, NotFound

Headers = list[tuple[bytes, bytes]]

_JSON = (b"content-type", b"application/json")


class Answer(NamedTuple):
    """An answer over HTTP, and the outcome as which it is counted."""

    outcome: str
    status: int
    headers: Headers
    body: bytes


class Refusal(Exception):
    """The door says no: a status, a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, detail: str, headers: Headers | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers = headers or []


def kept(found: Kept, status: int) -> Answer:
    """The delivery is durable: under this id, and whether it came before."""
    repeat = found.duplicate
    body = b'{"arrival_id":"%b","duplicate":%b}' % (found.arrival_id.encode(), b"true" if repeat else b"false")
    return Answer("duplicate" if repeat else "accepted", status, [_JSON, _length(body)], body)


def refused(error: Exception) -> Answer:
    """What an error means to who sends; 500 where it is none of those that the door knows."""
    refusal = _refusal(error)
    body, request_id = problem(refusal.status, refusal.code, refusal.detail)
    headers = [*content("application/problem+json", body), (b"request-id", request_id.encode()), *refusal.headers]
    return Answer(refusal.code, refusal.status, headers, body)


def _refusal(error: Exception) -> Refusal:
    match error:
        case Refusal():
            return error
        case NotFound():
            return Refusal(404, "not_found", error.message)
        case Closed():
            return Refusal(404, "not_found", str(error))
        case BadSignature():
            return Refusal(401, "bad_signature", error.message)
        case Away():
            detail = f"The delivery can't be kept now: {error}. Send it again later."
            return Refusal(503, "unavailable", detail, headers=[(b"retry-after", b"5")])
        case _:
            return Refusal(500, "internal", "The door broke; send it again later.")


def wrong_method(allowed: str) -> Refusal:
    detail = f"This address takes {allowed.replace(', ', ' and ')}."
    return Refusal(405, "method_not_allowed", detail, headers=[(b"allow", allowed.encode())])


def content(kind: str, body: bytes) -> Headers:
    """The two headers that say what a body is."""
    return [(b"content-type", kind.encode()), _length(body)]


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)
