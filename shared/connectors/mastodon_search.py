"""Searching what an instance knows for words that stand together, newest first, by counting on.

Mastodon takes out what the account has filtered after it has cut the page, so that a short page is not the last one: an
empty one is. It counts no further than ten thousand. An instance without full-text search answers as one that finds
nothing; which of the two it is, is told by whether it finds what the account itself has written.
(Source: Mastodon's StatusesSearchService and SearchQueryTransformer.)
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import regex

from shared.connectors import mastodon_calls as calls
from shared.connectors.mastodon_sources import Sheet, Source, ask
from shared.connectors.mastodon_statuses import account_id
from shared.connectors.mastodon_text import text_of
from shared.connectors.reading import identifier, rfc3339, words
from shared.contract import Login, Page, RawArrival
from shared.errors import Refused

DEEPEST = 10_000
_AT_ONCE = 40
_INDEXED_AFTER = timedelta(minutes=10)
_TELLING = regex.compile(r"(?<![\p{L}\p{N}_#@./:-])\p{L}{5,30}(?![\p{L}\p{N}_./:@-])")


@dataclass(frozen=True, slots=True)
class _Place:
    """After how many the next page begins, back to which moment was read, and what headed the last page."""

    skip: int = 0
    oldest: str | None = None
    head: str = ""


async def search(
    http: httpx.AsyncClient, login: Login, asked: Sequence[str], cursor: str | None, since: datetime
) -> Page:
    """One page of what holds all of these words. Raises Refused where the instance searches no texts."""
    place = _read(cursor)
    sheet = await ask(http, login, _source(asked), [("offset", str(place.skip))] if place.skip else ())
    if not sheet.items and not place.skip:
        return Page((), None, wait=sheet.room.wait, reached=since if await _searches(http, login) else None)
    oldest = min(filter(None, (sheet.oldest, _moment(place.oldest))), default=None)
    if not sheet.items or (oldest is not None and oldest < since):
        return Page(_arrivals(sheet), None, wait=sheet.room.wait, reached=since)
    skip, head = place.skip + sheet.source.limit, sheet.ids[0] if sheet.ids else ""
    if head == place.head or skip >= DEEPEST:  # it does not count on, or no further
        arrivals = _arrivals(sheet) if head != place.head else ()
        return Page(arrivals, None, wait=sheet.room.wait, reached=oldest)
    following = json.dumps(asdict(_Place(skip, oldest.isoformat() if oldest else None, head)))
    return Page(_arrivals(sheet), following, more=True, wait=sheet.room.wait, reached=oldest)


def _source(asked: Sequence[str]) -> Source:
    said = " ".join(f'"{one}"' if " " in one else one for one in asked)
    query = (("q", said), ("type", "statuses"), ("resolve", "false"))
    return Source(f"search: {said}", "/api/v2/search", _AT_ONCE, query, late=True, offset=True)


def _arrivals(sheet: Sheet) -> tuple[RawArrival, ...]:
    return (sheet.arrival(datetime.now(UTC)),) if sheet.items else ()


async def _searches(http: httpx.AsyncClient, login: Login) -> bool:
    """Whether the instance searches texts; False where the account has written nothing that would tell.

    Raises Refused where it does not find a word that stands in the account's own status.
    """
    account = quote(account_id(login.channel_external_id), safe="")
    own = await calls.read(http, login, f"/api/v1/accounts/{account}/statuses", (("limit", "20"),))
    word = next(filter(None, map(_telling, own if isinstance(own, list) else [])), None)
    if word is None:
        return False
    if (await ask(http, login, _source([word]), ())).items:
        return True
    raise Refused(
        calls.NETWORK,
        f"the instance has no full-text search: it does not find “{word}”, which this account has written itself",
    )


def _telling(status: object) -> str | None:
    """The longest word of a public status that was there long enough to be found."""
    if not isinstance(status, Mapping) or status.get("reblog") or status.get("visibility") != "public":
        return None
    at = _moment(words(status.get("created_at")))
    if at is None or at > datetime.now(UTC) - _INDEXED_AFTER or identifier(status.get("id")) is None:
        return None
    return max(_TELLING.findall(text_of(words(status.get("content")) or "", {})), key=len, default=None)


def _moment(text: str | None) -> datetime | None:
    try:
        return rfc3339(text) if text else None
    except ValueError:
        return None


def _read(cursor: str | None) -> _Place:
    """What can't be read begins anew: a page that is brought twice is heard once."""
    try:
        kept = json.loads(cursor or "{}")
        place: Any = _Place(**kept) if isinstance(kept, dict) else _Place()
    except (ValueError, TypeError, RecursionError):
        return _Place()
    is_ours = type(place.skip) is int and isinstance(place.head, str) and isinstance(place.oldest, str | None)
    return _Place(place.skip, place.oldest, place.head) if is_ours and 0 <= place.skip < DEEPEST else _Place()
