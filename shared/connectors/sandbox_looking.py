"""Looking at the practice network: at its past, and for words on any of its pages."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import orjson

from shared.connectors import sandbox_changes
from shared.connectors.reading import identifier
from shared.connectors.sandbox_calls import read
from shared.contract import Login, Page, RawArrival
from shared.errors import Unavailable

PAGE_SIZE = 100


async def backfill(http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
    """What is there of the page since then, newest first; `reached` is as far back as the network shows it."""
    return await _looked(http, login, "history", [], since, cursor)


async def search(
    http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
) -> Page:
    """What stands on any page and everybody may read, newest first."""
    return await _looked(http, login, "search", [("q", word) for word in words], since, cursor)


async def _looked(
    http: httpx.AsyncClient, login: Login, where: str, asked: list[tuple[str, str]], since: datetime, cursor: str | None
) -> Page:
    query = [*asked, ("since", since.astimezone(UTC).isoformat().replace("+00:00", "Z")), ("limit", str(PAGE_SIZE))]
    if cursor is not None:
        query.append(("before", cursor))
    found = await read(http, login, f"{where}?{urlencode(query)}")
    posts, before = found.get("posts"), identifier(found.get("cursor"))
    if not isinstance(posts, list):
        raise Unavailable("sandbox", f"the {where} has no posts", unsent=True)
    shown_since = sandbox_changes.moment(found.get("since")) or since
    oldest = posts[-1] if posts and before is not None else None
    published_at = oldest.get("published_at") if isinstance(oldest, Mapping) else None
    reached = shown_since if before is None else sandbox_changes.moment(published_at)
    arrivals = (shown(login, posts),) if posts else ()
    return Page(arrivals, before, before is not None, reached=reached)


def shown(login: Login, posts: Sequence[object]) -> RawArrival:
    """Posts as the network shows them at this moment, in the shape of a webhook's delivery."""
    now = datetime.now(UTC)
    at = now.isoformat(timespec="microseconds").replace("+00:00", "Z")
    changes = [{"verb": "shown", "at": at, "post": post} for post in posts]
    body = orjson.dumps({"object": "sandbox", "account": login.channel_external_id, "changes": changes})
    return RawArrival("shown:" + hashlib.sha256(body).hexdigest(), body, now)
