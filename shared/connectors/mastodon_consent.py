"""Mastodon's consent: an app for each instance, OAuth 2 with PKCE, one account a consent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlencode

import httpx

from shared.connectors import mastodon_calls as calls
from shared.connectors import mastodon_check, outcome
from shared.connectors.reading import words
from shared.contract import AppLogin, Choice, Consent, Consented, Login, read_json
from shared.errors import BadPayload, LoginDead, NetworkError, Refused, Unavailable
from shared.models.enums import Network

APP_NAME = "Parvis"


class MastodonConsent:
    """Asks an account's owner to let us read and write for it.

    The scopes are the wide ones: not all of Mastodon's kin know the narrow ones below them (Pixelfed refuses them).
    """

    network: ClassVar[Network] = Network.MASTODON
    scopes: ClassVar[tuple[str, ...]] = ("read", "write")

    async def register(self, http: httpx.AsyncClient, base_url: str, redirect_uri: str) -> AppLogin:
        """Our app at one instance. Instances forget apps that nobody uses, so register anew when one is not known."""
        base_url = calls.origin(base_url)
        asked = {"client_name": APP_NAME, "redirect_uris": redirect_uri, "scopes": " ".join(self.scopes)}
        response = await _post(http, f"{base_url}/api/v1/apps", asked)
        if not response.is_success:
            raise calls.failure(response)
        app = _object(response)
        client_id, client_secret = words(app.get("client_id")), words(app.get("client_secret"))
        if not client_id or not client_secret:
            raise Unavailable(calls.NETWORK, "the instance registered the app and gave no client_id and client_secret")
        return AppLogin(client_id, client_secret, base_url)

    async def is_registered(self, http: httpx.AsyncClient, app: AppLogin) -> bool:
        """Instances sweep apps without a token away, a day after they were made: a token of the app's own tells.

        An app that was registered for less than is asked for now is registered anew as well.
        """
        asked = {
            "grant_type": "client_credentials",
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "scope": " ".join(self.scopes),
        }
        response = await _post(http, f"{calls.origin(app.base_url)}/oauth/token", asked)
        if response.is_success:
            return True
        if response.status_code in {400, 401} and _error(response) in {"invalid_client", "invalid_scope"}:
            return False
        raise calls.failure(response)

    def authorize(self, app: AppLogin, consent: Consent) -> str:
        """The instance's page that asks the person, who is logged in there or logs in first."""
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": consent.redirect_uri,
            "scope": " ".join(self.scopes),
            "state": consent.state,
            "code_challenge": consent.challenge,
            "code_challenge_method": "S256",
        }
        return f"{calls.origin(app.base_url)}/oauth/authorize?{urlencode(query)}"

    async def exchange(self, http: httpx.AsyncClient, app: AppLogin, consented: Consented) -> list[Choice]:
        """The one account that the person let us act for, and the scopes that they or the instance left out."""
        asked = {
            "grant_type": "authorization_code",
            "code": consented.code,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "redirect_uri": consented.redirect_uri,
            "code_verifier": consented.verifier,
        }
        response = await _post(http, f"{calls.origin(app.base_url)}/oauth/token", asked)
        if not response.is_success:
            raise _not_exchanged(response)
        token = _object(response)
        access_token = words(token.get("access_token"))
        if not access_token:
            raise LoginDead(calls.NETWORK, "the instance took the code and gave no token: ask for consent again")
        granted = words(token.get("scope"))
        found = await mastodon_check.identify(http, Login("", app.base_url, {"access_token": access_token}))
        # RFC 6749, section 5.1: no scope in the answer means that what was asked for was given.
        lacking = mastodon_check.missing(granted) if granted is not None else ()
        return [replace(found, missing=lacking)]


async def _post(http: httpx.AsyncClient, url: str, form: Mapping[str, str]) -> httpx.Response:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await outcome.act(http, calls.NETWORK, "POST", url, headers=headers, content=urlencode(form).encode())


def _object(response: httpx.Response) -> Mapping[str, object]:
    try:
        value = read_json(response.content)
    except BadPayload as error:
        raise Unavailable(calls.NETWORK, f"the instance answered with something else: {error.message}") from None
    return value if isinstance(value, Mapping) else {}


def _error(response: httpx.Response) -> object:
    try:
        value = read_json(response.content)
    except BadPayload:
        return None
    return value.get("error") if isinstance(value, Mapping) else None


def _not_exchanged(response: httpx.Response) -> NetworkError:
    """`invalid_grant`: the code is used, expired or another's. `invalid_client`: the instance forgot our app."""
    code = _error(response)
    if code == "invalid_client":
        return Refused(calls.NETWORK, "the instance no longer knows our app: register it anew, then ask for consent")
    if code in {"invalid_grant", "invalid_request"}:
        return LoginDead(calls.NETWORK, f"the code is not taken (any more): {calls.error_of(response)}")
    return calls.failure(response)
