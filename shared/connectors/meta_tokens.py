"""Codes and tokens of Meta's logins, asked for by an app, before there is any channel."""

from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from shared.connectors import graph_errors, outcome
from shared.connectors.graph import Value
from shared.connectors.reading import identifier
from shared.contract import AppLogin
from shared.errors import LoginDead, Refused, Unavailable, Uncertain

_APP = frozenset({101})  # the app itself is not known
_APP_WORDS = ("client secret", "client_secret", "client_id", "app secret", "application")


async def exchange_code(
    http: httpx.AsyncClient, network: str, app: AppLogin, url: str, form: Mapping[str, str]
) -> Value:
    """What a code is worth. It can be given once: LoginDead where it is not taken (any more).

    Raises Refused where the network does not take the app's own id and secret.
    """
    try:
        response = await outcome.act(
            http,
            network,
            "POST",
            url,
            headers={"content-type": "application/x-www-form-urlencoded"},
            content=urlencode({"client_id": app.client_id, "client_secret": app.client_secret, **form}).encode(),
        )
    except Uncertain as error:
        raise Unavailable(network, error.message) from error
    code, message = graph_errors.told(response)
    if code in _APP or (code and any(word in message.casefold() for word in _APP_WORDS)):
        raise Refused(network, "the network does not take this app's id and secret: look at the app's login")
    failed = graph_errors.failure(network, response, (app.client_secret, *form.values()))
    if isinstance(failed, Refused):
        raise LoginDead(network, "the code is not taken (any more): ask for the consent again") from failed
    return _value(network, response, failed)


async def longer(http: httpx.AsyncClient, network: str, url: str, secrets: tuple[str, ...]) -> Value:
    """A token that lasts 60 days for one that lasts an hour."""
    response = await outcome.ask(http, network, url)
    return _value(network, response, graph_errors.failure(network, response, secrets))


def token(network: str, value: Value) -> str:
    """The token in an answer. Raises Unavailable."""
    found = identifier(value.get("access_token"))
    if found is None:
        raise Unavailable(network, "the network gave no token", unsent=True)
    return found


def _value(network: str, response: httpx.Response, error: Exception | None) -> Value:
    if error is not None:
        raise error
    return graph_errors.answer(response.content) or {}
