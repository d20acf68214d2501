"""What is kept of a delivery: its key as the table can hold it, its body, and those of its headers that may be kept."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

import orjson
from asyncpg.pgproto.pgproto import UUID  # made, and sent, for a third of the time of Python's
from uuid_utils import uuid7

from services.ingest.hooks import OpenHook
from services.ingest.storing import NewArrival
from shared.contract import RawRequest, storable

LONGEST_KEY = 200
LONGEST_HEADER = 1000
_REMEMBERED_NAMES = 1000


def arrival(hook: OpenHook, request: RawRequest, stamp: datetime) -> NewArrival:
    """The row that a verified delivery becomes."""
    key = storable_key(hook.connector.key(request))
    return NewArrival(
        UUID(uuid7().bytes),
        hook.id,
        key,
        kept_headers(request.headers.items()),
        request.body,
        stamp,
        request.received_at,
    )


def storable_key(key: str) -> str:
    """The key itself where the unique index takes it; its digest where it is too long or PostgreSQL can't hold it."""
    if len(key) <= LONGEST_KEY and "\x00" not in key and (key.isascii() or storable(key) == key):
        return key
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


# Names that are kept: what says which event came from whom, when. Everything else is left out, and so is whatever
# could be a secret.
_KEPT = frozenset({"content-type", "content-length", "user-agent", "webhook-id", "webhook-timestamp", "x-request-id"})
_KEPT_WORDS = ("event", "delivery", "topic", "timestamp", "retry", "attempt")
_SECRET_WORDS = ("sign", "token", "secret", "auth", "cookie", "key", "password", "hmac")
_is_kept: dict[str, bool] = {}


def _keep(name: str) -> bool:
    kept = name in _KEPT or (
        name.startswith("x-")
        and len(name) <= 100
        and any(word in name for word in _KEPT_WORDS)
        and not any(word in name for word in _SECRET_WORDS)
    )
    if len(_is_kept) < _REMEMBERED_NAMES:
        _is_kept[name] = kept
    return kept


def kept_headers(headers: Iterable[tuple[str, str]]) -> str:
    """The headers that are stored, as JSON; never authorization, cookies, signatures or secret tokens."""
    known = _is_kept.get
    kept = {}
    for name, value in headers:
        is_kept = known(name)
        if is_kept or (is_kept is None and _keep(name)):
            is_plain = len(value) <= LONGEST_HEADER and value.isprintable()
            kept[name] = value if is_plain else storable(value[:LONGEST_HEADER])
    return orjson.dumps(kept).decode()
