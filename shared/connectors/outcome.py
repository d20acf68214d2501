"""What came of a call to a network, as the errors that say what to do next."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from shared.contract import Capability, Card
from shared.errors import LoginDead, NetworkError, RateLimited, Refused, Unavailable, Uncertain
from shared.http import ACCEPTS, AddressRefused, ResponseBroken, ResponseTooLarge, WrongType
from shared.models.enums import OutgoingKind

DEFAULT_WAIT = timedelta(seconds=60)
SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)
MOST_HOPS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_CREDENTIALS = frozenset({"authorization", "cookie"})

# Raised before the first byte of the request left us.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def cannot(card: Card, what: Capability | OutgoingKind) -> Refused:
    """What a connector raises for something that is not on its card."""
    return Refused(card.network.value, f"{card.label} does not offer “{what.value.replace('_', ' ')}” here")


async def act(
    http: httpx.AsyncClient,
    network: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    accepts: Collection[str] | None = None,
) -> httpx.Response:
    """Make a request that has an effect. Raises Unavailable(unsent) before it left, Uncertain after that, Refused
    where the guard forbids the address."""
    seconds = http.timeout.read
    try:
        async with asyncio.timeout(seconds):
            extensions = {} if accepts is None else {ACCEPTS: accepts}
            return await http.request(method, url, headers=headers, content=content, extensions=extensions)
    except AddressRefused as error:
        raise Refused(network, str(error)) from error
    except _UNSENT as error:
        raise Unavailable(network, f"the network can't be reached: {error}", unsent=True) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Refused(network, f"this is not an address: {error}") from error
    except (UnicodeEncodeError, httpx.LocalProtocolError) as error:
        raise Refused(network, "a credential holds letters that no header can carry") from error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise Uncertain(network, f"the network gave no answer within {seconds} seconds") from error
    except (ResponseTooLarge, ResponseBroken, WrongType) as error:
        raise Uncertain(network, str(error)) from error
    except httpx.HTTPError as error:
        raise Uncertain(network, f"the network broke off: {str(error) or type(error).__name__}") from error


async def ask(
    http: httpx.AsyncClient,
    network: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    accepts: Collection[str] | None = None,
) -> httpx.Response:
    """Read from a network: no effect, so every failure to get an answer is Unavailable (or Refused by the guard).

    `accepts`: the content types that are read; an answer of another type is not.
    """
    try:
        return await act(http, network, "GET", url, headers=headers, accepts=accepts)
    except Uncertain as error:
        raise Unavailable(network, error.message, unsent=True) from error


@dataclass(frozen=True, slots=True)
class Reached:
    """An answer, the address that gave it, and that address again where every redirect to it was a permanent one."""

    response: httpx.Response
    url: str
    moved: str | None = None


async def follow(
    http: httpx.AsyncClient,
    network: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    accepts: Collection[str] | None = None,
) -> Reached:
    """Read like `ask`, over at most five redirects, each of which the guard has to allow like the first address.

    Credentials go along to the same scheme, host and port only. Raises Unavailable where the redirects don't end.
    """
    sent = dict(headers or {})
    permanent = True
    for hop in range(MOST_HOPS + 1):
        response = await ask(http, network, url, headers=sent, accepts=accepts)
        if response.status_code not in _REDIRECTS:
            return Reached(response, url, url if hop and permanent else None)
        permanent = permanent and response.status_code in _PERMANENT
        there = next_hop(network, response)
        if origin(there) != origin(response.url):
            sent = {name: value for name, value in sent.items() if name.lower() not in _CREDENTIALS}
        url = str(there)
    raise Unavailable(network, f"the address leads through more than {MOST_HOPS} redirects", unsent=True)


def next_hop(network: str, response: httpx.Response) -> httpx.URL:
    """Where a redirect leads. A user name in it would be sent as a login: it is left out."""
    location = response.headers.get("location", "")
    try:
        there = response.url.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise Unavailable(network, f"the address redirects to what is no address: {error}", unsent=True) from error
    if not location or there.scheme not in {"http", "https"}:
        raise Unavailable(network, "the address redirects to what is no web address", unsent=True)
    return there.copy_with(userinfo=b"", fragment=None)


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """The place that an address is at: credentials for one are for no other."""
    return url.scheme, url.host, url.port


def wait_asked(response: httpx.Response, now: datetime) -> timedelta:
    """How long Retry-After asks us to wait, in seconds or as an HTTP date; between 1 second and 1 hour, else 60 s."""
    asked = response.headers.get("retry-after", "").strip()
    try:
        wait = timedelta(seconds=float(asked)) if asked[:1].isdigit() else parsedate_to_datetime(asked) - now
    except (ValueError, TypeError, OverflowError):
        return DEFAULT_WAIT
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def discreet(words: str, response: httpx.Response) -> str:
    """A network's own words without the credential that its request carried: some networks repeat it."""
    try:
        credential = response.request.headers.get("authorization", "").rpartition(" ")[2]
    except RuntimeError:  # an answer that was recorded, and not asked for
        return words
    return words.replace(credential, "…") if credential else words


def failure(network: str, response: httpx.Response, refused: frozenset[int]) -> NetworkError:
    """The error for a status that is not 2xx; `refused` are those by which this network certainly did nothing.

    Everything else may have had its effect: an error status does not prove absence.
    """
    status = response.status_code
    if status == 401:
        return LoginDead(network)
    if status == 429:
        return RateLimited(network, after=wait_asked(response, datetime.now(UTC)))
    if 300 <= status < 400:
        return Refused(network, f"the address answers with a redirect ({status}); give the final address")
    if status in refused:
        return Refused(network, f"the network refused it with status {status}")
    return Uncertain(network, f"the network answered with status {status}")


def reading_failure(network: str, response: httpx.Response) -> NetworkError:
    """The error for a status other than the expected one when nothing but reading was asked."""
    status = response.status_code
    if status == 401:
        return LoginDead(network)
    if status == 429:
        return RateLimited(network, after=wait_asked(response, datetime.now(UTC)))
    if 300 <= status < 500 and status not in {408, 425}:
        return Refused(network, f"the network refused it with status {status}")
    return Unavailable(network, f"the network answered with status {status}", unsent=True)
