"""Asking for a feed: only if it has changed, as often as it wants, wherever it has moved."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import orjson

from shared.connectors import feed_reading, outcome
from shared.connectors.feed_entries import Place, ReadFeed
from shared.connectors.outcome import Reached
from shared.contract import Login, Page, RawArrival, storable
from shared.errors import BadPayload, Gone, LoginDead, NetworkError, RateLimited, Refused, Unavailable

NETWORK = "feed"
SHORTEST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=1)

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9,"
    " application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.3, */*;q=0.1"
)
_LONGEST_VALIDATOR = 1000
_MAX_AGE = re.compile(r"(?:^|[\s,])(?:s-maxage|max-age)\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_UNCACHED = re.compile(r"(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])", re.IGNORECASE)
_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)  # stands for the time of reading, where two readings are compared


@dataclass(frozen=True, slots=True)
class Fetched:
    """A feed as it was answered, and read."""

    reached: Reached
    feed: ReadFeed

    @property
    def body(self) -> bytes:
        return self.reached.response.content

    @property
    def content_type(self) -> str:
        return content_type(self.reached.response)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a poll's cursor keeps: what the address told to ask with, and a digest of what was heard there.

    `moved` is the address for which it holds as well, should the channel have been moved there.
    """

    url: str
    moved: str | None = None
    etag: str | None = None
    modified: str | None = None
    digest: str | None = None

    def cursor(self) -> str:
        return orjson.dumps(self).decode()

    def conditions(self) -> dict[str, str]:
        told = {"if-none-match": self.etag, "if-modified-since": self.modified}
        return {name: value for name, value in told.items() if value}


def remembered(cursor: str | None, url: str) -> Memory:
    """What the cursor keeps of this very address; nothing where it is of another one, or is no cursor of ours."""
    try:
        kept = orjson.loads(cursor or "null")
    except orjson.JSONDecodeError:
        kept = None
    if not isinstance(kept, Mapping) or url not in {str(kept.get("url")), str(kept.get("moved"))}:
        return Memory(url)
    etag, modified, digest = (_header(kept.get(name)) for name in ("etag", "modified", "digest"))
    return Memory(url, None, etag, modified, digest)


def _header(value: object) -> str | None:
    """A value that can be sent back in a header."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_VALIDATOR:
        return None
    return value if value.isascii() and value.isprintable() else None


def address(login: Login) -> str:
    """Where the channel's feed is. Raises Refused where nobody said."""
    found = login.base_url or login.channel_external_id
    if not found.startswith(("http://", "https://")):
        raise Refused(NETWORK, "the channel has no base_url: give the feed's address")
    return found


async def get(http: httpx.AsyncClient, login: Login, url: str, conditions: Mapping[str, str]) -> Reached:
    """Whatever is answered at `url`: 200, or 304 to a condition. Raises Gone, LoginDead, RateLimited, Unavailable."""
    headers = {"accept": _ACCEPT, **_authorization(login, url), **conditions}
    reached = await outcome.follow(http, NETWORK, url, headers=headers, accepts=feed_reading.FEED_TYPES)
    status = reached.response.status_code
    if status == 200 or (status == 304 and conditions):
        return reached
    raise _failure(reached.response)


def _authorization(login: Login, url: str) -> dict[str, str]:
    """Basic authentication, at the place of the feed's own address only."""
    user, password = login.credentials.get("username"), login.credentials.get("password")
    if not (user or password) or outcome.origin(httpx.URL(url)) != outcome.origin(httpx.URL(address(login))):
        return {}
    return {"authorization": "Basic " + base64.b64encode(f"{user or ''}:{password or ''}".encode()).decode()}


def _failure(response: httpx.Response) -> NetworkError:
    """A feed that is not there now may be there later; 410 alone says that it never will."""
    status = response.status_code
    if status == 410:
        return Gone(NETWORK, "the feed's address says that the feed is gone for good (410)")
    if status == 401:
        return LoginDead(NETWORK, "the feed asks for a user name and password, or does not take the ones it has")
    asked = _retry_after(response, datetime.now(UTC))
    if status == 429 or (status == 503 and asked is not None):
        return RateLimited(NETWORK, after=_bounded(asked or outcome.DEFAULT_WAIT))
    return Unavailable(NETWORK, f"the feed's address answered with status {status}", unsent=True)


async def fetch(http: httpx.AsyncClient, login: Login, url: str) -> Fetched:
    """The feed at `url`, whole and read. Raises BadPayload where what is there is no feed, and as `get` does."""
    reached = await get(http, login, url, {})
    return Fetched(reached, await read(reached))


async def find(http: httpx.AsyncClient, login: Login) -> tuple[str, ReadFeed]:
    """The feed at the channel's address, or the one that the web page there names, with its lasting address.

    Raises Refused where there is none, so that a person looks at what was typed in.
    """
    url = address(login)
    reached = await get(http, login, url, {})
    try:
        return reached.moved or url, await read(reached)
    except BadPayload as error:
        place = Place(reached.url, _MOMENT)
        named = feed_reading.alternate(reached.response.content, content_type(reached.response), place)
        if named is None:
            raise Refused(
                NETWORK, f"{error.message}; give the address of a feed, or of a page that names one"
            ) from None
    try:
        fetched = await fetch(http, login, named)
    except BadPayload as error:
        raise Refused(NETWORK, f"the page names {named} as its feed, and there is none: {error.message}") from None
    return fetched.reached.moved or named, fetched.feed


async def read(reached: Reached) -> ReadFeed:
    """The feed that was answered. In a thread: a hostile one may take a second or two. Raises BadPayload."""
    body, kind = reached.response.content, content_type(reached.response)
    return await asyncio.to_thread(feed_reading.read, body, kind, Place(reached.url, _MOMENT))


def content_type(response: httpx.Response) -> str:
    """What the answer says that it is, as a stored header."""
    return storable(response.headers.get("content-type", "")[:200])


async def poll(http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
    """One arrival, the body as it came, where anything is heard in it that was not heard the last time."""
    url = address(login)
    memory = remembered(cursor, url)
    reached = await get(http, login, url, memory.conditions())
    now = datetime.now(UTC)
    if reached.response.status_code == 304:
        memory = replace(memory, moved=reached.moved)
        return Page((), memory.cursor(), wait=wait(reached.response, None, now), moved=reached.moved)
    try:
        feed = await read(reached)
    except BadPayload as error:
        raise Unavailable(
            NETWORK, f"the feed's address answered with what is no feed: {error.message}", unsent=True
        ) from None
    fresh = replace(_memory(url, reached.response, feed), moved=reached.moved)
    page = Page((), fresh.cursor(), wait=wait(reached.response, feed.ttl, now), moved=reached.moved)
    if fresh.digest == memory.digest:
        return page
    # Named by its moment as well: a feed that says again what it said before is heard again.
    key = f"poll:{now.isoformat()}:{(fresh.digest or '')[:16]}"
    headers = {"content-type": content_type(reached.response), "content-location": storable(reached.url[:2000])}
    arrival = RawArrival(key, reached.response.content, now, headers)
    return Page((arrival,), page.cursor, wait=page.wait, moved=page.moved)


def _memory(url: str, response: httpx.Response, feed: ReadFeed) -> Memory:
    """What to ask with the next time. Of a broken feed nothing: the same body is asked for until it is whole."""
    heard = repr((feed.parsed.heard, feed.parsed.ignored, feed.parsed.problems))
    digest = hashlib.sha256(heard.encode("utf-8", "replace")).hexdigest()
    if any(note.startswith("ill-formed") for note in feed.parsed.ignored):
        return Memory(url, digest=digest)
    etag, modified = _header(response.headers.get("etag")), _header(response.headers.get("last-modified"))
    return Memory(url, None, etag, modified, digest)


# ---------------------------------------------------------------- how often


def wait(response: httpx.Response, ttl: int | None, now: datetime) -> timedelta | None:
    """How long the feed wants to be left alone: the longest that Retry-After, Cache-Control and its <ttl> (minutes)
    ask for, between a minute and a day. None where it does not say."""
    asked = [found for found in (_retry_after(response, now), _fresh_for(response)) if found is not None]
    if ttl:
        asked.append(timedelta(minutes=ttl))
    return _bounded(max(asked)) if asked else None


def _bounded(asked: timedelta) -> timedelta:
    return min(max(asked, SHORTEST_WAIT), LONGEST_WAIT)


def _retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    """Retry-After, in seconds or as an HTTP date."""
    asked = response.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return timedelta(seconds=min(int(asked[:9]), LONGEST_WAIT.total_seconds()))
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(until if until.tzinfo else until.replace(tzinfo=UTC), now) - now if asked else None


def _fresh_for(response: httpx.Response) -> timedelta | None:
    """What is left of Cache-Control's max-age; nothing is where the answer must not be kept."""
    told = response.headers.get("cache-control", "")[:500]
    found = _MAX_AGE.search(told)
    if found is None or _UNCACHED.search(told) or not int(found[1]):
        return None
    age = response.headers.get("age", "0").strip()[:9]
    left = int(found[1]) - (int(age) if age.isascii() and age.isdigit() else 0)
    return timedelta(seconds=max(left, 0))
