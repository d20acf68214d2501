"""Versions of single things as ETags (RFC 9110, section 8.8.3).

A thing's version is in its tag, followed by a digest of what was sent, so that a tag never stands for two answers.
"""

import hashlib
import re
from typing import Annotated

import orjson
from fastapi import Header, Request, Response

from services.api.errors import PreconditionRequired
from shared.errors import Stale

IfMatch = Annotated[str | None, Header(description="The ETag of the version that you mean.")]

_LIST = b'{"data":['
_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*(?:,|$)')


def etag(version: int | None, body: bytes) -> str:
    """The strong tag of an answer."""
    digest = hashlib.sha256(body).hexdigest()[:12]
    return f'"{version}-{digest}"' if version is not None else f'"{digest}"'


def tagged(response: Response) -> Response:
    """The answer with the tag of what is in it, where that is a single thing and has none yet."""
    body = bytes(getattr(response, "body", b""))  # what is streamed has none
    if "etag" in response.headers:
        return response
    if response.status_code in {200, 201} and body and not body.startswith(_LIST):
        response.headers["etag"] = etag(_version(body), body)
    return response


def unless_known(request: Request, response: Response) -> Response:
    """304 in the place of what the caller already has."""
    tag, wanted = response.headers.get("etag"), request.headers.get("if-none-match")
    if tag is None or wanted is None or not _holds(wanted, tag):
        return response
    return Response(status_code=304, headers={"etag": tag})


def require_version(if_match: str | None, current: int) -> None:
    """Raises PreconditionRequired without If-Match, Stale where it names another version than `current`."""
    if if_match is None:
        raise PreconditionRequired("send the ETag that you read as If-Match, so that nobody's newer change is lost")
    if if_match.strip() == "*":
        return
    # If-Match compares strongly (RFC 9110, 13.1.1): a weak tag matches nothing.
    versions = {tag.partition("-")[0] for weak, tag in _TAG.findall(if_match) if not weak}
    if str(current) not in versions:
        raise Stale("this has changed since you read it; read it again and repeat the change on what you find")


def meant(if_match: str | None, current: int) -> int | None:
    """The version that a change means where If-Match may be left out: None without it. Raises Stale."""
    if if_match is None:
        return None
    require_version(if_match, current)
    return current


def _holds(if_none_match: str, tag: str) -> bool:
    """Whether the header names the tag; If-None-Match compares weakly."""
    if if_none_match.strip() == "*":
        return True
    return any(f'"{found}"' == tag for _, found in _TAG.findall(if_none_match))


def _version(body: bytes) -> int | None:
    thing = orjson.loads(body)
    version = thing.get("version") if isinstance(thing, dict) else None
    return version if isinstance(version, int) else None
