"""Reading what comes from outside: JSON as people really write it, and text as PostgreSQL takes it."""

import json
import re
from datetime import UTC, datetime

import orjson

from shared.errors import BadPayload

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)\Z", re.ASCII)


def read_moment(text: str) -> datetime:
    """The moment that RFC 3339 text means, in UTC; its seconds may be left out. Raises ValueError with a sentence."""
    if not _RFC3339.match(text):
        raise ValueError("a time is RFC 3339 with its offset, such as 2026-12-01T09:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("this time is out of range") from None


def read_json(body: bytes) -> object:
    """The JSON value in `body`. Raises BadPayload with a sentence about what is wrong with it.

    Lone surrogates are legal in JSON text and refused by the fast parser, so the standard one has the last word.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        value: object = json.loads(body, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BadPayload(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise BadPayload("the body is nested too deeply") from None
    except ValueError as error:
        raise BadPayload(f"the body is not JSON: {error}") from None
    return value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def storable(text: str) -> str:
    """The nearest text that PostgreSQL takes: U+0000 and lone surrogates become U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
