"""XRPC, the protocol of Bluesky's servers: how its methods are called, and what their errors mean.

Sources: the lexicons of com.atproto and app.bsky, the PDS's and the AppView's own code (0.4 and later), and recorded
answers of both.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import orjson

from shared.connectors import outcome
from shared.connectors.reading import name, unix_time
from shared.contract import Login, Room, read_json
from shared.errors import (
    BadPayload,
    LoginDead,
    LoginExpired,
    NetworkError,
    RateLimited,
    Refused,
    Unavailable,
    Uncertain,
)
from shared.http import ResponseTooLarge

NETWORK = "bluesky"

Query = Mapping[str, str | int | Sequence[str]]

# A token that was given so shortly before and is not taken will not be taken when it is renewed once more.
_FRESH = timedelta(seconds=60)
# By these the network says that the account itself is closed to everybody, whatever the token.
_CLOSED = {
    "AccountTakedown": "the network has taken this account down",
    "AccountSuspended": "the network has suspended this account",
    "AccountDeactivated": "the account's owner has deactivated it",
    "AccountNotFound": "the account is no longer on its host",
    "RepoTakendown": "the network has taken this account down",
    "RepoSuspended": "the network has suspended this account",
    "RepoDeactivated": "the account's owner has deactivated it",
}
# What a host's own servers say to each other: our login is not in question.
_BETWEEN_SERVERS = frozenset(
    {
        *("BadJwt", "BadJwtAudience", "BadJwtIss", "BadJwtLexiconMethod", "BadJwtSignature", "BadJwtType"),
        *("JwtExpired", "MissingJwt", "UntrustedIss", "UpstreamFailure", "UpstreamTimeout"),
    }
)
_EXPIRED = frozenset({"ExpiredToken"})
_INVALID = frozenset({"InvalidToken", "AuthMissing", "AuthenticationRequired"})


@dataclass(frozen=True, slots=True)
class Session:
    """Where the account lives and the token by which it is spoken for."""

    service: str
    did: str
    login: Login

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.login.credentials.get('access_jwt', '')}"}


def session(login: Login) -> Session:
    """The session that a login holds. Raises LoginExpired where it holds none yet: renewing makes one.

    A token goes to the host that gave it and to no other: `service`, whatever the channel's address says meanwhile.
    """
    service, did = login.credentials.get("service"), login.credentials.get("did")
    if not service or not did or not login.credentials.get("access_jwt"):
        raise LoginExpired(NETWORK, "there is no session with the account's host yet")
    return Session(service, did, login)


async def query(http: httpx.AsyncClient, here: Session, method: str, asked: Query) -> httpx.Response:
    """What the host answers to a question, whatever its status."""
    return await outcome.ask(http, NETWORK, place(here.service, method, asked), headers=here.bearer)


async def read(http: httpx.AsyncClient, here: Session, method: str, asked: Query) -> httpx.Response:
    """The answer to a question; it holds a JSON object. Raises what `failure` says, and Unavailable for nonsense."""
    response = await query(http, here, method, asked)
    if response.status_code != 200:
        raise failure(response, here.login)
    found = value(response)
    if not found or "error" in found:
        raise Unavailable(NETWORK, f"{method} was answered with something else than its object", unsent=True)
    return response


async def public(http: httpx.AsyncClient, service: str, method: str, asked: Query) -> httpx.Response:
    """What a host answers to somebody without a session."""
    return await outcome.ask(http, NETWORK, place(service, method, asked))


async def call(
    http: httpx.AsyncClient,
    here: Session,
    method: str,
    content: bytes,
    kind: str = "application/json",
) -> httpx.Response:
    """Call a procedure, whatever the status of the answer. Raises as `outcome.act` does."""
    headers = {"content-type": kind, **here.bearer}
    return await outcome.act(http, NETWORK, "POST", place(here.service, method), headers=headers, content=content)


async def session_call(
    http: httpx.AsyncClient, service: str, method: str, *, bearer: str | None = None, body: object = None
) -> httpx.Response:
    """Call a procedure that makes sessions. One made in vain harms nobody, so an answer that is lost is no doubt."""
    headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
    content = None
    if body is not None:
        headers["content-type"] = "application/json"
        content = orjson.dumps(body)
    try:
        return await outcome.act(http, NETWORK, "POST", place(service, method), headers=headers, content=content)
    except Uncertain as error:
        raise Unavailable(NETWORK, error.message, unsent=True) from error


def place(service: str, method: str, asked: Query | None = None) -> str:
    """The address of a method on a host."""
    words = f"?{urlencode(asked, doseq=True)}" if asked else ""
    return f"{service.rstrip('/')}/xrpc/{method}{words}"


def value(response: httpx.Response) -> Mapping[str, object]:
    """The JSON object in an answer; empty where it holds none."""
    try:
        found = read_json(response.content)
    except BadPayload:
        return {}
    return found if isinstance(found, dict) else {}


def failure(response: httpx.Response, login: Login | None = None) -> NetworkError:
    """The error that an answer other than 200 stands for, when nothing but reading was asked."""
    status, found = response.status_code, value(response)
    error = name(found.get("error")) or ""
    said = outcome.discreet(f"{error or status}: {name(found.get('message')) or 'without a word'}", response)
    if status == 429 or error == "RateLimitExceeded":
        return RateLimited(NETWORK, after=_asked_wait(response, datetime.now(UTC)))
    if error in _BETWEEN_SERVERS:
        return Unavailable(NETWORK, f"the network's servers do not agree with each other ({said})", unsent=True)
    return _about_login(error, status, said, login) or _about_the_call(status, said)


def effect_failure(response: httpx.Response, login: Login) -> NetworkError:
    """The error that an answer other than 200 stands for where something was to happen.

    It did not where the host says so by an error of the protocol. Any other answer may be a proxy's, or that of a host
    which broke off when it had done it: the key under which a second record is asked for being taken is a 500.
    """
    error, found = failure(response, login), value(response)
    if isinstance(error, RateLimited | LoginDead | LoginExpired) or 300 <= response.status_code < 400:
        return error
    if isinstance(error, Refused) and name(found.get("error")):
        return error
    return Uncertain(NETWORK, error.message)


def _about_login(error: str, status: int, said: str, login: Login | None) -> NetworkError | None:
    if error in _CLOSED:
        return LoginDead(NETWORK, _CLOSED[error])
    if error in _EXPIRED:
        return LoginExpired(NETWORK)
    if error in _INVALID or status == 401:
        return LoginExpired(NETWORK, f"the token is not taken ({said})") if _helps(login) else _dead(said)
    return None


def _about_the_call(status: int, said: str) -> NetworkError:
    if 300 <= status < 400:
        return Refused(NETWORK, f"the address answers with a redirect ({status}); give the final address")
    if 400 <= status < 500 and status not in {408, 425}:
        return Refused(NETWORK, f"the network refused it ({said})")
    return Unavailable(NETWORK, f"the network answered with status {status} ({said})", unsent=True)


def _dead(said: str) -> LoginDead:
    return LoginDead(NETWORK, f"the network no longer takes this login ({said}): connect with a new app password")


def _helps(login: Login | None) -> bool:
    """Whether renewing can help: there is something to renew by, and it was not done a moment ago."""
    if login is None or not (login.credentials.get("refresh_jwt") or login.credentials.get("app_password")):
        return False
    issued = unix_time(claims(login.credentials.get("access_jwt", "")).get("iat"))
    return issued is None or datetime.now(UTC) - issued > _FRESH


def _asked_wait(response: httpx.Response, now: datetime) -> timedelta:
    """How long RateLimit-Reset (seconds since 1970) asks us to wait, else Retry-After; 1 second to 1 hour."""
    until = unix_time(response.headers.get("ratelimit-reset", ""))
    if until is None:
        return outcome.wait_asked(response, now)
    return min(max(until - now, outcome.SHORTEST_WAIT), outcome.LONGEST_WAIT)


def too_large(error: NetworkError) -> bool:
    """Whether an answer was not read to its end because of its size: less of it can be asked for."""
    cause = error.__cause__
    return cause is not None and isinstance(cause.__cause__, ResponseTooLarge)


def room(response: httpx.Response, points: int) -> Room | None:
    """How many more writes of so many points a host takes, by its headers."""
    left = response.headers.get("ratelimit-remaining", "").strip()
    if not (left.isascii() and left.isdigit() and len(left) < 10):
        return None
    return Room(int(left) // points, _asked_wait(response, datetime.now(UTC)))


def rest(response: httpx.Response) -> timedelta | None:
    """How long to leave the network alone where this was the last call that it takes for now."""
    if response.headers.get("ratelimit-remaining", "").strip() != "0":
        return None
    return _asked_wait(response, datetime.now(UTC))


def claims(token: str) -> Mapping[str, object]:
    """What a token says of itself; it is the host's to verify, and empty where it can't be read."""
    pieces = token.split(".")
    if len(pieces) != 3:
        return {}
    try:
        found = orjson.loads(base64.urlsafe_b64decode(pieces[1] + "=" * (-len(pieces[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
