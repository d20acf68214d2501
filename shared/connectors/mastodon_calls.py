"""Calls to a Mastodon instance: the token, the errors, and how much room its rate limit leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

import httpx

from shared import contract
from shared.connectors import outcome
from shared.connectors.reading import rfc3339, unix_time, words
from shared.contract import Login, read_json, storable
from shared.errors import BadPayload, Gone, LoginDead, NetworkError, RateLimited, Refused, Unavailable, Uncertain

NETWORK = "mastodon"
# Of the 300 requests that an account usually has in five minutes, these stay for whatever else its people use.
LEAST_LEFT = 15
NO_REASON = "(no reason given)"
# By these, with a reason, an instance says that it looked at what was asked and did nothing. 400 is not among them.
_SAYS_NO = frozenset({403, 404, 410, 413, 415, 422})

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Room:
    """What the rate headers of an answer say: requests left, of how many, and the time until there are more."""

    left: int | None
    limit: int | None
    resets_in: timedelta | None

    @property
    def wait(self) -> timedelta | None:
        """How long to leave the instance alone, where little is left."""
        if self.left is None or self.resets_in is None:
            return None
        least = LEAST_LEFT if self.limit is None else min(LEAST_LEFT, max(1, self.limit // 10))
        return self.resets_in if self.left < least else None


def origin(address: str | None) -> str:
    """`https://host[:port]` of an instance's address, whatever page of it was given. Raises Refused."""
    try:
        parts = urlsplit((address or "").strip())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refused(NETWORK, "give the address of the instance as base_url, such as https://mastodon.example")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def bearer(login: Login) -> dict[str, str]:
    return {"authorization": f"Bearer {login.credentials.get('access_token', '')}"}


async def get(
    http: httpx.AsyncClient, login: Login, path: str, query: Query = (), *, as_anybody: bool = False
) -> httpx.Response:
    """Ask, whatever the status of the answer; `as_anybody` without the token.

    Raises Unavailable where no answer came, Refused by the guard.
    """
    asked = f"?{urlencode(query)}" if query else ""
    headers = None if as_anybody else bearer(login)
    return await outcome.ask(http, NETWORK, f"{origin(login.base_url)}{path}{asked}", headers=headers)


async def read(http: httpx.AsyncClient, login: Login, path: str, query: Query = ()) -> object:
    """The JSON value at `path`. Raises what `failure` makes of another status, Unavailable where it is no JSON."""
    response = await get(http, login, path, query)
    if response.status_code != 200:
        raise failure(response)
    return value_of(response)


async def post(
    http: httpx.AsyncClient,
    login: Login,
    method: str,
    path: str,
    *,
    content: bytes,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Do something, whatever the status of the answer; the content is a form unless the headers say otherwise."""
    sent = {"content-type": "application/x-www-form-urlencoded", **bearer(login), **(headers or {})}
    return await outcome.act(
        http, NETWORK, method, f"{origin(login.base_url)}{path}", headers=sent, content=content or None
    )


def made_of(response: httpx.Response) -> Mapping[str, object]:
    """The object in the answer to something that was to happen."""
    if response.status_code != 200:
        raise effect_failure(response)
    try:
        value = read_json(response.content)
    except BadPayload:
        value = None
    if not isinstance(value, Mapping) or not value or "error" in value:
        raise Uncertain(NETWORK, "the instance answered with something else than what it made")
    return value


def value_of(response: httpx.Response) -> object:
    """The JSON value of an answer. Raises Unavailable: a page of HTML in its place is gone after a while."""
    try:
        return read_json(response.content)
    except BadPayload as error:
        raise Unavailable(NETWORK, f"the instance answered with something else: {error.message}", unsent=True) from None


def failure(response: httpx.Response) -> NetworkError:
    """The error that a status other than 200 stands for, with the instance's own words."""
    status, said = response.status_code, error_of(response)
    dead = _why_dead(status, said)
    if dead is not None:
        return LoginDead(NETWORK, dead)
    if status == 429:
        return RateLimited(NETWORK, f"the instance asks to slow down: {said}", after=_until_reset(response))
    if status == 410:
        return Gone(NETWORK, f"the instance says that it is gone: {said}")
    error = outcome.reading_failure(NETWORK, response)
    if 300 <= status < 400 or isinstance(error, Unavailable):
        return error
    return Refused(NETWORK, f"the instance refused it with status {status}: {said}")


def effect_failure(response: httpx.Response) -> NetworkError:
    """The error that a status other than 200 stands for where something was to happen.

    It did not where the instance itself says so, in its own JSON: that it does not take the login, the pace, or what
    was asked. Any other answer may be a proxy's, or that of an instance which broke off when it had done it.
    """
    error = failure(response)
    if isinstance(error, LoginDead | RateLimited) or 300 <= response.status_code < 400:
        return error
    said = error_of(response)
    if response.status_code in _SAYS_NO and said != NO_REASON:
        return Refused(NETWORK, f"the instance refused it with status {response.status_code}: {said}")
    return Uncertain(NETWORK, f"the instance answered with status {response.status_code}: {said}")


def _why_dead(status: int, said: str) -> str | None:
    if status == 401:
        return f"the instance does not take the token: {said}"
    # “Your login is currently disabled”, “… is pending approval”, “… is missing a confirmed e-mail address”.
    if status == 403 and "your login" in said.lower():
        return f"the instance does not let this account in: {said}"
    if status in {403, 422} and "authenticated user" in said.lower():
        return "the token is an app's and speaks for no account: connect with an account's token"
    return None


def error_of(response: httpx.Response) -> str:
    """The sentence in an error's body, else that there is none."""
    try:
        value = read_json(response.content)
    except BadPayload:
        return NO_REASON
    said = None
    if isinstance(value, Mapping):
        said = words(value.get("error_description")) or words(value.get("error"))
    return outcome.discreet(said, response)[:300] if said else NO_REASON


def room(response: httpx.Response) -> Room:
    """What X-RateLimit-Remaining, -Limit and -Reset say; a pair of the headers that is missing is unknown."""
    left, limit = (_whole(response.headers.get(f"x-ratelimit-{name}")) for name in ("remaining", "limit"))
    return Room(left, limit, _resets_in(response))


def room_of(response: httpx.Response) -> contract.Room | None:
    """As `room`, for what was done: how many more of it the instance takes."""
    found = room(response)
    if found.left is None or found.resets_in is None:
        return None
    return contract.Room(found.left, found.resets_in)


def _whole(header: str | None) -> int | None:
    return int(header) if header and header.isascii() and header.isdigit() and len(header) < 10 else None


def _resets_in(response: httpx.Response) -> timedelta | None:
    """The reset is a moment by the instance's clock: ISO 8601 on Mastodon, seconds since 1970 on some of its kin."""
    given = storable(response.headers.get("x-ratelimit-reset", "").strip())
    try:
        at = unix_time(given) or rfc3339(given)
    except ValueError:
        return None
    return min(max(at - its_now(response), outcome.SHORTEST_WAIT), outcome.LONGEST_WAIT)


def its_now(response: httpx.Response) -> datetime:
    try:
        said = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return datetime.now(UTC)
    return said if said.tzinfo is not None else said.replace(tzinfo=UTC)


def _until_reset(response: httpx.Response) -> timedelta:
    if "retry-after" in response.headers:
        return outcome.wait_asked(response, datetime.now(UTC))
    return _resets_in(response) or outcome.DEFAULT_WAIT
