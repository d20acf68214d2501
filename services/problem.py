"""What a refusal says where there is no framework around it: RFC 9457 in the house's shape."""

from http import HTTPStatus

import orjson

from shared.ids import new_uuid


def problem(status: int, code: str, detail: str) -> tuple[bytes, str]:
    """An RFC 9457 body in the house's shape, and the request id in it."""
    request_id = new_uuid().hex
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "retryable": status in {408, 500, 503},
        "errors": [],
    }
    return orjson.dumps(body), request_id
