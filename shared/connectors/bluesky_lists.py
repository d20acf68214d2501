"""The lists that an account is heard by: its notifications, its own posts, and a search for each of its terms.

All of them are newest first and their cursors lead backwards only. They are in the order of the time that a post claims
for itself, where that is earlier than its indexing: something backdated turns up in the middle.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx

from shared.connectors.bluesky_posts import Value, time
from shared.connectors.bluesky_views import ASKED, FAILED, FRESH
from shared.connectors.bluesky_xrpc import NETWORK, Query, Session, read, too_large, value
from shared.contract import RawArrival
from shared.errors import NetworkError, Unavailable

NOTIFICATIONS = "notifications"
OWN_POSTS = "own posts"


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list: its identity, which changes when what is said under its address does, and its time."""

    id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Source:
    """One list: how it is asked for, and where its entries stand in the answer."""

    id: str
    method: str
    field: str
    asked: Query
    item: Callable[[Value], Item]

    @property
    def label(self) -> str:
        """The list in words."""
        return f"the search for “{self.id[1:]}”" if self.id.startswith("?") else f"the account's {self.id}"


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list. `next` leads to what is older, None where there is nothing more."""

    response: httpx.Response
    items: tuple[Item, ...]
    next: str | None

    @property
    def newest(self) -> datetime | None:
        return max((item.at for item in self.items if item.at is not None), default=None)

    @property
    def oldest(self) -> datetime | None:
        return min((item.at for item in self.items if item.at is not None), default=None)

    @property
    def edge(self) -> datetime | None:
        """How far back it leads: to its oldest entry, or further where entries were taken out and `next` is a time."""
        return min(filter(None, (self.oldest, time(self.next))), default=None)


def sources(here: Session, terms: Sequence[str]) -> list[Source]:
    """Every list of a login, the notifications first."""
    own = {"actor": here.did, "filter": "posts_with_replies"}
    found = [
        Source(NOTIFICATIONS, "app.bsky.notification.listNotifications", "notifications", {}, _notification),
        Source(OWN_POSTS, "app.bsky.feed.getAuthorFeed", "feed", own, _feed_item),
    ]
    return [*found, *map(search_for, dict.fromkeys(filter(None, (term.strip() for term in terms))))]


def search_for(said: str, until: str | None = None) -> Source:
    """The search for what somebody typed, for posts before `until`."""
    asked = {"q": said, "sort": "latest", **({} if until is None else {"until": until})}
    return Source(f"?{said}", "app.bsky.feed.searchPosts", "posts", asked, _post)


async def page(
    http: httpx.AsyncClient, here: Session, source: Source, *, limit: int, cursor: str | None, since: str | None = None
) -> Listed:
    """One page of a list from `cursor` on; a shorter one where it is too large to be read. Raises a NetworkError.

    A post may be a megabyte of facets, and some of these on one page would keep the whole list away.
    """
    while True:
        try:
            return await _page(http, here, source, limit=limit, cursor=cursor, since=since)
        except Unavailable as error:
            if limit == 1 or not too_large(error):
                raise
        limit = max(1, limit // 5)


async def _page(
    http: httpx.AsyncClient, here: Session, source: Source, *, limit: int, cursor: str | None, since: str | None
) -> Listed:
    asked = {**source.asked, "limit": limit}
    if cursor:
        asked["cursor"] = cursor
    if since is not None and source.method == "app.bsky.feed.searchPosts":
        asked["since"] = since
    response = await read(http, here, source.method, asked)
    found = value(response)
    items, after = found.get(source.field), found.get("cursor")
    if not isinstance(items, list):
        raise Unavailable(NETWORK, f"{source.label}: the answer holds no list of {source.field}", unsent=True)
    read_items = tuple(source.item(item) if isinstance(item, Mapping) else Item("", None) for item in items)
    listed = Listed(response, read_items, after if isinstance(after, str) and after else None)
    return replace(listed, next=_whole_moment(listed))


def _whole_moment(listed: Listed) -> str | None:
    """Where the page leads, and where that is a time, with what else was at that moment.

    The AppView's cursor of notifications is the time of the last one, and leads to what is earlier: of several at one
    millisecond, those beyond the page's edge would be passed over. A page of nothing but that moment is left by it.
    """
    at = time(listed.next)
    if at is None or at != listed.oldest or listed.newest == at:
        return listed.next
    return (at + timedelta(milliseconds=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def arrival(source: Source, listed: Listed, fresh: Sequence[int] | None = None) -> RawArrival:
    """A page as an arrival, with the network's own bytes. `fresh`: which of its entries were not brought before."""
    body = listed.response.content
    headers = {ASKED: source.method}
    if fresh is not None and len(fresh) < len(listed.items):
        headers[FRESH] = ",".join(map(str, fresh))
    return RawArrival(f"{source.field}:{digest(source.id.encode(), body)}", body, datetime.now(UTC), headers)


def failed(source: Source, error: NetworkError) -> RawArrival:
    """A list that was not to be had, as an arrival that says so once an hour; its neighbours are heard all the same."""
    now = datetime.now(UTC)
    said = f"{source.label} can't be read for now: {error.message}; the next poll asks again"
    key = f"failed:{digest(source.id.encode(), said.encode(), now.strftime('%Y-%m-%dT%H').encode())}"
    return RawArrival(key, b"", now, {ASKED: source.method, FAILED: said})


def digest(*pieces: bytes, size: int = 16) -> str:
    """A short name for these bytes."""
    found = hashlib.blake2b(digest_size=size)
    for piece in pieces:
        found.update(len(piece).to_bytes(8) + piece)
    return base64.urlsafe_b64encode(found.digest()).decode().rstrip("=")


def _item(at: object, *named: object) -> Item:
    return Item(digest(*(str(one).encode("utf-8", "replace") for one in named), size=8), time(at))


def _notification(item: Value) -> Item:
    return _item(item.get("indexedAt"), item.get("uri"), item.get("cid"), item.get("reason"))


def _post(view: Value) -> Item:
    return _item(view.get("indexedAt"), view.get("uri"), view.get("cid"))


def _feed_item(item: Value) -> Item:
    view, reason = item.get("post"), item.get("reason")
    view = view if isinstance(view, Mapping) else {}
    reason = reason if isinstance(reason, Mapping) else {}
    at = reason.get("indexedAt") or view.get("indexedAt")
    return _item(at, view.get("uri"), view.get("cid"), reason.get("$type"), reason.get("uri"))
