"""What Graph answers when it does not do what it was asked, or does not say so: alike for all of Meta's networks."""

import json
from datetime import timedelta
from typing import Any

from shared.errors import LoginDead, NetworkError, RateLimited, Refused, Unavailable, Uncertain
from tests.connectors.conformance.line import Reply
from tests.connectors.conformance.specimen import Call, Failure


def _polling(name: str, reply: Reply, error: type[NetworkError], after: timedelta | None = None) -> Failure:
    return Failure(name, Call.POLL, reply, error, after)


def _coded(name: str, code: int, error: type[NetworkError], *, status: int = 400, subcode: int = 0) -> Failure:
    return _polling(f"{name}, {code}", Reply(status, _error(code, subcode)), error)


def _sending(name: str, reply: Reply, error: type[NetworkError], after: timedelta | None = None) -> Failure:
    return Failure(name, Call.SEND, reply, error, after)


def _sent(name: str, code: int, error: type[NetworkError], *, subcode: int = 0, **more: Any) -> Failure:
    told = f"{code}, {subcode}" if subcode else str(code)
    return _sending(f"{name}, {told}", Reply(more.pop("status", 400), _error(code, subcode), **more), error)


def _error(code: int, subcode: int = 0, words: str = "…") -> bytes:
    told = {"message": words, "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "AbC"}
    return json.dumps({"error": told}).encode()


ECHO = lambda words: Reply(400, _error(100, words=words))  # noqa: E731 - a specimen's field, shared by two
GRAPH_ANSWERS = (
    _polling("too fast", Reply(429, _error(4), {"retry-after": "7"}), RateLimited, timedelta(seconds=7)),
    *(_coded("too fast", code, RateLimited) for code in (4, 17, 32, 341, 613, 80_001, 80_008)),
    _coded("too fast, by its subcode", 368, RateLimited, subcode=1390008),
    _polling("no login", Reply(401, _error(190)), LoginDead),
    *(_coded("no login", code, LoginDead) for code in (190, 102)),
    *(_coded("no login", 190, LoginDead, subcode=subcode) for subcode in (458, 459, 460, 463, 464, 467)),
    _polling("refused", Reply(400, _error(100)), Refused),
    *(_coded("refused", code, Refused, status=403) for code in (10, 200, 299, 368, 506, 1_609_005)),
    _polling("redirect", Reply(302, headers={"location": "https://elsewhere.example/"}), Refused),
    _polling("server error", Reply(500, b"oops"), Unavailable),
    *(_coded("later", code, Unavailable) for code in (1, 2)),
    _polling("html", Reply(200, b"<html>hello</html>"), Unavailable),
    _polling("half", Reply(200, b'{"data": [{"id'), Unavailable),
    _polling("empty", Reply(200), Unavailable),
    _polling("error inside", Reply(200, _error(2)), Unavailable),
    _polling("cut off", Reply(200, b'{"data": []}', cut=True), Unavailable),
    _polling("no answer in time", Reply(200, after_seconds=2), Unavailable),
)


GRAPH_SENDING = (
    _sending("too fast", Reply(429, _error(4), {"retry-after": "7"}), RateLimited, timedelta(seconds=7)),
    *(_sent("too fast", code, RateLimited) for code in (4, 17, 32, 341, 613, 80_001, 80_002)),
    _sending("no login", Reply(401, b""), LoginDead),
    *(_sent("no login", 190, LoginDead, subcode=subcode, status=401) for subcode in (0, 458, 459, 460, 463, 464, 467)),
    _sent("no login", 102, LoginDead),
    _sending("refused", Reply(400, _error(100)), Refused),
    *(_sent("refused", code, Refused, status=403) for code in (3, 10, 200, 299, 368, 1_609_005)),
    _sending("redirect", Reply(302, headers={"location": "https://elsewhere.example/"}), Refused),
    _sending("server error", Reply(500, b"oops"), Uncertain),
    _sending("server error, done", Reply(500, b"oops", done=True), Uncertain),
    _sending("forbidden by something between", Reply(403, b"<html>no</html>"), Uncertain),
    *(_sent("later", code, Uncertain) for code in (1, 2)),
    *(_sent("later, done", code, Uncertain, status=500, done=True) for code in (1, 2, 100)),
    _sent("the last one's twin", 506, Uncertain),
    _sent("declined once it was made", 20, Uncertain, subcode=1772107, done=True),
    _sent("a code that nobody knows, done", 987, Uncertain, done=True),
    _sending("html", Reply(200, b"<html>hello</html>", done=True), Uncertain),
    _sending("half", Reply(200, b'{"id": "100', done=True), Uncertain),
    _sending("empty", Reply(200, done=True), Uncertain),
    _sending("no id", Reply(200, b"{}", done=True), Uncertain),
    _sending("error inside", Reply(200, _error(2), done=True), Uncertain),
    _sending("cut off", Reply(200, b'{"id": "1001_1"}', cut=True, done=True), Uncertain),
    _sending("no answer in time", Reply(200, after_seconds=2, done=True), Uncertain),
)
