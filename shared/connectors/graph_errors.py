"""What the Graph API's errors mean: its own codes decide, whatever status they come under (200 included).

Sources: the error references of Graph and of Instagram, and the bodies in the tests of restfb.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import orjson

from shared.connectors import outcome
from shared.contract import read_json, storable
from shared.errors import BadPayload, LoginDead, NetworkError, RateLimited, Refused, Unavailable

_TOO_FAST = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_TOO_FAST_BELOW = frozenset({1390008})
_LOGIN = frozenset({102, 190})
_RIGHTS = frozenset({3, 10, *range(200, 300)})
_ALIASES = 803  # of several ids asked for at once, one is not there
_NOT_THERE = 33  # subcode of 100
_FETCH_FAILED = 2207052  # Instagram could not load what it was pointed to: later it may
_THROTTLED = timedelta(
    minutes=5
)  # the limits are sliding hours; without a word from the network, look again after this
_LONGEST = timedelta(hours=24)
_LOGIN_WORDS = {
    458: "the person has removed the app",
    459: "the person has to log in at Meta and pass a security check",
    460: "the person's password was changed",
    463: "the access token has run out",
    464: "the person's account is not confirmed",
    467: "the access token is no longer valid",
    492: "the person no longer has a role on the page",
}
# How much of a limit may be used before we slow down, in percent, and how long we then leave the network alone.
_SLOWER = ((95, timedelta(minutes=30)), (80, timedelta(minutes=10)))


class Missing(Refused):
    """The thing that was asked for is not there, or not for us to see."""

    code = "missing"


class Forbidden(Refused):
    """The login has not been given the right to this."""

    code = "forbidden"


class TooMuch(Unavailable):
    """The answer would have been too large for the network to make: ask for less at once."""

    code = "too_much"


@dataclass(frozen=True, slots=True)
class _Said:
    code: int
    subcode: int
    transient: bool
    kind: str
    message: str


def failure(network: str, response: httpx.Response, secrets: tuple[str, ...] = ()) -> NetworkError | None:
    """The error in an answer to something that only reads, None where there is none. First match wins.

    The network's own sentence is passed on without `secrets`, which it sometimes repeats.
    """
    value = answer(response.content)
    if value is None:
        return _no_json(network, response)
    said = _said(value)
    if said is None:
        return None if response.is_success else outcome.reading_failure(network, response)
    return _meant(network, response, said, secrets)


def _meant(network: str, response: httpx.Response, said: _Said, secrets: tuple[str, ...]) -> NetworkError:
    if said.code in _TOO_FAST or said.subcode in _TOO_FAST_BELOW or response.status_code == 429:
        return RateLimited(network, after=regain(response))
    if said.code in _LOGIN:
        return LoginDead(network, _LOGIN_WORDS.get(said.subcode, "the network no longer takes the access token"))
    words = f"{_without(said.message, secrets)} (code {said.code}{f', {said.subcode}' if said.subcode else ''})"
    if _is_missing(said):
        return Missing(network, words)
    if said.transient or said.code in {1, 2} or said.subcode == _FETCH_FAILED or response.status_code >= 500:
        later = TooMuch if said.code == 1 and "reduce the amount" in said.message else Unavailable
        return later(network, words, unsent=True)
    if response.status_code == 401:
        return LoginDead(network)
    return Forbidden(network, words) if said.code in _RIGHTS else Refused(network, words)


def answer(body: bytes) -> Mapping[str, object] | None:
    """The object that was answered; None where it is not JSON. Graph writes an empty object as an empty list."""
    try:
        value = read_json(body)
    except BadPayload:
        return None
    if value == []:
        return {}
    return value if isinstance(value, dict) else None


def told(response: httpx.Response) -> tuple[int, str]:
    """The code and the sentence of an answer's error; 0 and nothing where there is none."""
    said = _said(answer(response.content) or {})
    return (0, "") if said is None else (said.code, said.message)


def _no_json(network: str, response: httpx.Response) -> NetworkError:
    if response.status_code in {401, 429} or 300 <= response.status_code < 400:
        return outcome.reading_failure(network, response)
    return Unavailable(network, f"the network answered {response.status_code} without JSON", unsent=True)


def _said(value: Mapping[str, object]) -> _Said | None:
    error = value.get("error")
    if isinstance(error, Mapping):
        kind, message = error.get("type"), error.get("error_user_msg") or error.get("message")
        code, subcode = error.get("code"), error.get("error_subcode")
        return _Said(_number(code), _number(subcode), error.get("is_transient") is True, str(kind), str(message))
    if "error_message" in value or "error_type" in value:  # Instagram's own login answers like this
        kind, message = value.get("error_type"), value.get("error_message")
        return _Said(_number(value.get("code")), 0, False, str(kind), str(message))
    return None


def _is_missing(said: _Said) -> bool:
    if said.code == _ALIASES or (said.code == 100 and said.subcode == _NOT_THERE):
        return True
    # Older versions give no subcode.
    return said.code == 100 and said.kind == "GraphMethodException" and "does not exist" in said.message


def _number(value: object) -> int:
    return value if type(value) is int else int(value) if isinstance(value, str) and value.isdecimal() else 0


def _without(message: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if secret:
            message = message.replace(secret, "…")
    return storable(message[:300])


# ---------------------------------------------------------------- limits


def regain(response: httpx.Response) -> timedelta:
    """How long to wait after being told that it was too fast."""
    minutes = max((minutes for _, minutes in _usage(response)), default=0.0)
    if minutes > 0:
        return min(timedelta(minutes=minutes), _LONGEST)
    if "retry-after" in response.headers:
        return outcome.wait_asked(response, datetime.now(UTC))
    return _THROTTLED


def wait(response: httpx.Response) -> timedelta | None:
    """How long the network's own figures of use ask us to leave it alone; None: they don't."""
    usage = _usage(response)
    minutes = max((minutes for _, minutes in usage), default=0.0)
    if minutes > 0:
        return min(timedelta(minutes=minutes), _LONGEST)
    used = max((percent for percent, _ in usage), default=0.0)
    return next((wait for limit, wait in _SLOWER if used >= limit), None)


def _usage(response: httpx.Response) -> list[tuple[float, float]]:
    """Percent used, and minutes until access is regained, of each limit that the headers name."""
    app = _header(response, "x-app-usage")
    business = _header(response, "x-business-use-case-usage")
    listed = [one for many in business.values() if isinstance(many, list) for one in many]
    return [_limit(one) for one in [app, *listed] if isinstance(one, Mapping) and one]


def _limit(usage: Mapping[str, object]) -> tuple[float, float]:
    percents = [usage.get(name) for name in ("call_count", "total_time", "total_cputime")]
    minutes = usage.get("estimated_time_to_regain_access")
    return max((float(p) for p in percents if isinstance(p, int | float)), default=0.0), (
        float(minutes) if isinstance(minutes, int | float) else 0.0
    )


def _header(response: httpx.Response, name: str) -> Mapping[str, object]:
    try:
        value = orjson.loads(response.headers.get(name, "{}"))
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
