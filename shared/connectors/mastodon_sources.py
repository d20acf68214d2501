"""Where a channel listens on its instance, and a page from one of those places.

The instance orders everything by id. Ids are numbers on Mastodon, ULIDs on GoToSocial and base 62 on Pleroma: the
longer one is the later one, and of one length the one that sorts later.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx

from shared.connectors import mastodon_calls as calls
from shared.connectors.mastodon_hearing import NOTE, SOURCE
from shared.connectors.mastodon_statuses import account_id
from shared.connectors.reading import identifier, rfc3339
from shared.contract import Login, RawArrival, storable
from shared.errors import Unavailable
from shared.http import ResponseTooLarge

NOTIFICATIONS = "notifications"
OWN = "own statuses"
# A status that comes late from another instance is filed under the time at which it was written: behind what was read.
LATE_BY = timedelta(minutes=15)
SHORT = 5  # items of a page that was too large with all of them
VERSION = 12  # letters that name one version of one thing

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Source:
    """One list of an instance. `late`: things may appear behind its newest. `offset`: it is paged by counting."""

    name: str
    path: str
    limit: int
    query: calls.Query = ()
    late: bool = False
    offset: bool = False

    @property
    def asked_for(self) -> bool:
        """Whether a person asked for it by a term: such a one may fail by itself."""
        return self.name != NOTIFICATIONS


def sources_of(login: Login) -> list[Source]:
    """The account's notifications, what it says itself (so that answers hang on something), and each term.

    Since Mastodon 4.3 an account's notifications leave out private mentions by people whom it does not follow, unless
    it decided otherwise: to a brand those are its customers.
    """
    account = quote(account_id(login.channel_external_id), safe="")
    found = [
        Source(NOTIFICATIONS, "/api/v1/notifications", 80, (("include_filtered", "true"),)),
        Source(OWN, f"/api/v1/accounts/{account}/statuses", 40, (("exclude_reblogs", "true"),)),
    ]
    terms = dict.fromkeys(storable(term).strip() for term in login.terms)
    return found + [source_of(term) for term in terms if term.strip("#")]


def source_of(term: str) -> Source:
    """A hashtag has a timeline of its own; everything else is searched for."""
    if term.startswith("#"):
        return Source(term, f"/api/v1/timelines/tag/{quote(term[1:], safe='')}", 40, late=True)
    query = (("q", term), ("type", "statuses"), ("resolve", "false"))
    return Source(f"search: {term}", "/api/v2/search", 40, query, late=True, offset=True)


# ---------------------------------------------------------------- a page


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one page holds: the ids and times of its items, the bytes, and what the rate headers said."""

    source: Source
    items: Sequence[object]
    ids: tuple[str, ...]
    body: bytes
    room: calls.Room

    @property
    def oldest(self) -> datetime | None:
        """The time of the oldest item, where any can be read."""
        return min(filter(None, map(_time, self.items)), default=None)

    @property
    def versions(self) -> list[str]:
        """A short name for each item as it is now, whatever its counters say."""
        found = [item for item in self.items if isinstance(item, Mapping) and identifier(item.get("id"))]
        return [_digest(f"{identifier(item.get('id'))}\x1f{_edited(item)}", VERSION // 2) for item in found]

    def arrival(self, now: datetime) -> RawArrival:
        """The page as it came. It goes by what it holds, so the same page that comes again is the same arrival."""
        held = ",".join(self.versions) or self.body.hex()
        return RawArrival(
            f"page:{_digest(f'{self.source.name}={held}', 16)}", self.body, now, {SOURCE: self.source.name}
        )


async def ask(http: httpx.AsyncClient, login: Login, source: Source, place: calls.Query) -> Sheet:
    """A page of a source, a short one where a whole one is more than we read.

    Raises what the answer stands for, and Unavailable where it is no list.
    """
    try:
        return await _ask(http, login, source, place)
    except Unavailable as error:
        if not _is_too_large(error):
            raise
    return await _ask(http, login, replace(source, limit=SHORT), place)


def _is_too_large(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ResponseTooLarge):
        error = error.__cause__
    return error is not None


async def _ask(http: httpx.AsyncClient, login: Login, source: Source, place: calls.Query) -> Sheet:
    query = (*source.query, ("limit", str(source.limit)), *place)
    response = await calls.get(http, login, source.path, query)
    if response.status_code != 200:
        raise calls.failure(response)
    value = calls.value_of(response)
    items = value.get("statuses") if isinstance(value, Mapping) else value
    if not isinstance(items, list):
        raise Unavailable(calls.NETWORK, f"no list came: {calls.error_of(response)}", unsent=True)
    ids = tuple(filter(None, (identifier(item.get("id")) for item in items if isinstance(item, Mapping))))
    return Sheet(source, items, ids, response.content, calls.room(response))


def note(source: Source, reason: str, now: datetime) -> RawArrival:
    """An arrival that says why a source was passed over; one a day for each reason."""
    said = storable(f"{source.name}: {reason}"[:1000])
    key = f"note:{_digest(f'{now.astimezone(UTC):%Y-%m-%d} {said}', 16)}"
    return RawArrival(key, said.encode(), now, {SOURCE: source.name, NOTE: said})


def _digest(named: str, size: int) -> str:
    return hashlib.blake2b(named.encode("utf-8", "replace"), digest_size=size).hexdigest()


def _time(item: object) -> datetime | None:
    given = item.get("created_at") if isinstance(item, Mapping) else None
    try:
        return rfc3339(given) if isinstance(given, str) else None
    except ValueError:
        return None


def _edited(item: object) -> object:
    status = item.get("status", item) if isinstance(item, Mapping) else None
    return status.get("edited_at") if isinstance(status, Mapping) else None


# ---------------------------------------------------------------- the order of ids


def order(external_id: str) -> tuple[int, str]:
    return len(external_id), external_id


def after(one: str, other: str) -> bool:
    """Whether the thing with the id `one` came later. Everything comes after the empty id."""
    return order(one) > order(other)


def highest(ids: Sequence[str]) -> str:
    return max(ids, key=order, default="")


def some_time_before(external_id: str, by: timedelta) -> str:
    """The id that something would have that came `by` earlier; the id itself where it does not tell its time.

    Mastodon's ids are milliseconds since 1970, shifted by 16 bits; a ULID's first ten letters are them in base 32.
    """
    earlier = by // timedelta(milliseconds=1)
    if external_id.isascii() and external_id.isdigit() and 17 <= len(external_id) <= 19:
        return str(max(0, int(external_id) - (earlier << 16)))
    if _ULID.fullmatch(external_id):
        moment = 0
        for letter in external_id[:10]:
            moment = moment * 32 + _CROCKFORD.index(letter)
        moment = max(0, moment - earlier)
        return "".join(_CROCKFORD[moment >> 5 * place & 31] for place in reversed(range(10))) + "0" * 16
    return external_id
