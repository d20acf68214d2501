"""What the Graph API's errors mean: its own codes decide, whatever status they come under (200 included).

Sources: the error references of Graph and of Instagram, and the bodies in the tests of restfb.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx

from shared.connectors import graph_usage, outcome
from shared.contract import read_json, storable
from shared.errors import (
    BadPayload,
    LoginDead,
    NetworkError,
    RateLimited,
    Refused,
    Unavailable,
    Uncertain,
    Unprepared,
)

_TOO_FAST = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_TOO_FAST_BELOW = frozenset({1390008})
_APP_TOO_FAST = frozenset({4, 341})
_LOGIN = frozenset({102, 190})
_RIGHTS = frozenset({3, 10, *range(200, 300)})
_ALIASES = 803  # of several ids asked for at once, one is not there
_NOT_THERE = 33  # subcode of 100
# What is answered before anything is done: a wrong parameter, syntax or proof, a policy, a link that may not be
# posted, somebody who can't be written to. Any other code may come after the effect: Meta has created a comment, and
# then answered 400 because it did not like how the answer was asked for (20, 1772107).
_DID_NOTHING = frozenset({100, 104, 368, 551, 2500, 1_609_005})
_RESTRICTED = 25  # Instagram wants the account's owner to log in and look
# Messages may be answered for 24 hours (Facebook's subcode, Instagram's).
_OVER = frozenset({2018278, 2534022})
_WINDOW = "a private message may be answered for 24 hours after the person last wrote, and that is over"
# A container of Instagram's that has to be made again, or waited for.
_CONTAINER = frozenset({2207006, 2207020, 2207027})
# Instagram could not load or make what it was pointed to: later it may.
_LATER = frozenset({2207001, 2207003, 2207032, 2207052, 2207053})
_SPAM = 2207051  # subcode of 4: it is not too fast, it is taken for spam
_DAY_IS_FULL = 2207042  # subcode of 9: as many posts as an account may publish in 24 hours
_A_PLACE = timedelta(hours=1)  # until one of them is likely to be older than that
_LOGIN_WORDS = {
    458: "the person has removed the app",
    459: "the person has to log in at Meta and pass a security check",
    460: "the person's password was changed",
    463: "the access token has run out",
    464: "the person's account is not confirmed",
    467: "the access token is no longer valid",
    492: "the person no longer has a role on the page",
}


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


def acted(network: str, response: httpx.Response, secrets: tuple[str, ...] = ()) -> NetworkError | None:
    """The error in an answer to something that has an effect, None where it was done.

    Uncertain, unless the code is one of those by which Graph certainly did nothing: a status proves nothing.
    """
    value = answer(response.content)
    said = None if value is None else _said(value)
    if said is None:
        if value is not None and response.is_success:
            return None
        return outcome.failure(network, response, frozenset())
    early = _before_all(network, response, said)
    if early is not None:
        return early
    words = _words(said, secrets)
    if response.status_code < 500 and not said.transient:
        certain = _did_nothing(network, said, words)
        if certain is not None:
            return certain
    if response.status_code == 401:
        return LoginDead(network)
    return Uncertain(network, f"the network answered with an error that does not say whether it was done: {words}")


def _did_nothing(network: str, said: _Said, words: str) -> NetworkError | None:
    """The error that certainly comes before any effect; None for one that may come after it."""
    if said.subcode in _CONTAINER:
        return Unprepared(network, words)
    if said.subcode in _OVER:
        return Refused(network, f"{_WINDOW}: {words}")
    if _is_missing(said):
        return Missing(network, words)
    if said.code in _RIGHTS:
        return Forbidden(network, words)
    if said.code in _DID_NOTHING or said.code == _RESTRICTED or said.subcode == _SPAM:
        return Refused(network, words)
    return None


def _meant(network: str, response: httpx.Response, said: _Said, secrets: tuple[str, ...]) -> NetworkError:
    early = _before_all(network, response, said)
    if early is not None:
        return early
    words = _words(said, secrets)
    if _is_missing(said):
        return Missing(network, words)
    if said.transient or said.code in {1, 2} or said.subcode in _LATER or response.status_code >= 500:
        later = TooMuch if said.code == 1 and "reduce the amount" in said.message else Unavailable
        return later(network, words, unsent=True)
    if response.status_code == 401:
        return LoginDead(network)
    return Forbidden(network, words) if said.code in _RIGHTS else Refused(network, words)


def _before_all(network: str, response: httpx.Response, said: _Said) -> NetworkError | None:
    """What is said before anything is read or done: too fast, or a login that is not taken."""
    if said.subcode == _DAY_IS_FULL:
        message = "as many posts as Instagram takes in 24 hours have been published"
        return RateLimited(network, message, after=_A_PLACE)
    fast = said.code in _TOO_FAST and said.subcode != _SPAM
    if fast or said.subcode in _TOO_FAST_BELOW or response.status_code == 429:
        whole_app = said.code in _APP_TOO_FAST or graph_usage.app_is_full(response)
        return RateLimited(network, after=graph_usage.regain(response), whole_app=whole_app)
    if said.code in _LOGIN:
        return LoginDead(network, _LOGIN_WORDS.get(said.subcode, "the network no longer takes the access token"))
    return None


def _words(said: _Said, secrets: tuple[str, ...]) -> str:
    return f"{_without(said.message, secrets)} (code {said.code}{f', {said.subcode}' if said.subcode else ''})"


def answer(body: bytes) -> Mapping[str, object] | None:
    """The object that was answered; None where it is not JSON. Graph writes an empty object as an empty list."""
    try:
        value = read_json(body)
    except BadPayload:
        return None
    if value == []:
        return {}
    return value if isinstance(value, dict) else None


def comes_later(subcode: int) -> bool:
    """Whether Instagram failed at a thing that it may manage at another time."""
    return subcode in _LATER


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
