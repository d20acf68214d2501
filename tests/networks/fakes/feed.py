"""A site with feeds: conditional answers, redirects, packing, passwords, and whatever else it is told to answer."""

import base64
import gzip
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Resource:
    """What stands at one address. Without `etag` and `modified` it can't be asked for conditionally."""

    body: bytes = b""
    content_type: str = "application/rss+xml"
    status: int = 200
    etag: bool = True
    modified: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    login: tuple[str, str] | None = None


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    status: int = 0


class Site:
    """An ASGI app; `asked` is every request that came, oldest first, with the status it got."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.asked: list[Asked] = []

    def put(self, path: str, body: bytes | str = b"", **more: Any) -> Resource:
        """Put something at an address, in the place of what was there."""
        written = body.encode() if isinstance(body, str) else body
        self.resources[path] = Resource(written, **more)
        return self.resources[path]

    def move(self, path: str, to: str, status: int = 301) -> None:
        """Let an address redirect."""
        self.put(path, status=status, headers={"location": to}, etag=False)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        asked = Asked(scope["path"], headers)
        self.asked.append(asked)
        status, told, body = self._answer(asked)
        asked.status = status
        raw = [(name.encode(), value.encode("latin-1")) for name, value in told.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        found = self.resources.get(asked.path)
        if found is None:
            return 404, {"content-type": "text/html"}, b"<html>nothing here</html>"
        if found.login is not None and asked.headers.get("authorization") != _basic(*found.login):
            return 401, {"www-authenticate": 'Basic realm="feeds"'}, b""
        told = {**found.headers}
        if found.content_type:
            told["content-type"] = found.content_type
        etag = f'"{hashlib.md5(found.body, usedforsecurity=False).hexdigest()}"' if found.etag else None
        told.update({name: value for name, value in (("etag", etag), ("last-modified", found.modified)) if value})
        if found.status == 200 and _unchanged(asked.headers, etag, found.modified):
            del told["content-type"]
            return 304, told, b""
        if "gzip" in asked.headers.get("accept-encoding", "") and len(found.body) > 1000:
            return found.status, {**told, "content-encoding": "gzip"}, gzip.compress(found.body)
        return found.status, told, found.body


def _unchanged(headers: dict[str, str], etag: str | None, modified: str | None) -> bool:
    """If-None-Match decides where it is given, and If-Modified-Since only otherwise (RFC 9110, 13.2.2)."""
    given = headers.get("if-none-match")
    if given is not None:
        return given == etag
    return modified is not None and headers.get("if-modified-since") == modified


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
