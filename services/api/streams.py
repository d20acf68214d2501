"""Stored files as answers: whole or a range of them (RFC 9110, section 14), piece by piece as they are read."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from services.api.rest.etags import unless_known
from services.problem import problem
from shared.models.media import Media
from shared.store import Store

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})\Z", re.ASCII)
# What people uploaded is shown and nothing else: no script runs in it, and nothing is guessed about it.
_SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "accept-ranges": "bytes",
}


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of a file that are answered."""

    start: int
    length: int


def span(header: str | None, size: int) -> Span | None:
    """The range that a header asks for; None for all of it, which also answers what is not understood.

    Raises ValueError where nothing of it is in the file.
    """
    found = _RANGE.match(header.strip()) if header is not None else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        length = min(int(found[2]), size)
        if length == 0:
            raise ValueError(header)
        return Span(size - length, length)
    start = int(found[1])
    end = min(int(found[2]) if found[2] else size - 1, size - 1)
    if found[2] and int(found[2]) < start:
        return None
    if start >= size:
        raise ValueError(header)
    return Span(start, end - start + 1)


async def stored(request: Request, store: Store, row: Media, caching: str) -> Response:
    """The file, or the part of it that is asked for. Raises Missing and StoreAway before anything is answered."""
    tag = f'"{row.fingerprint[:32]}"'
    headers = {
        **_SAFE,
        "etag": tag,
        "cache-control": caching,
        "content-disposition": f"inline; filename*=UTF-8''{quote(row.name, safe='')}",
    }
    known = unless_known(request, Response(headers={"etag": tag}))
    if known.status_code == 304:
        return known
    wanted = request.headers.get("range") if _holds(request.headers.get("if-range"), tag) else None
    try:
        part = span(wanted, row.size)
    except ValueError:
        said, request_id = problem(416, "range_not_satisfiable", f"it has {row.size} bytes: ask for some of those")
        told = {"content-range": f"bytes */{row.size}", "request-id": request_id}
        return Response(said, 416, told, "application/problem+json")
    status = 200 if part is None else 206
    if part is not None:
        headers["content-range"] = f"bytes {part.start}-{part.start + part.length - 1}/{row.size}"
    part = part or Span(0, row.size)
    headers["content-length"] = str(part.length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=row.type)
    return await _streamed(store.read(row.key, part.start, part.length), status, headers, row.type)


async def _streamed(
    pieces: AsyncIterator[bytes], status: int, headers: Mapping[str, str], type_: str
) -> StreamingResponse:
    first = await anext(pieces, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(whole(), status, headers, type_)


def _holds(if_range: str | None, tag: str) -> bool:
    """Whether a range is still one of what the caller has a part of."""
    return if_range is None or if_range.strip() == tag
