"""Consent on the practice network: OAuth 2 with a code and PKCE, and one login for each page that a person gives us."""

import hmac
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qs, quote, urlencode

import httpx
import orjson

from shared.connectors import outcome
from shared.connectors.reading import identifier, name, words
from shared.contract import AppLogin, Choice, Consent, Consented, read_json
from shared.errors import BadPayload, BadSignature, LoginDead, NetworkError, Refused, Unavailable
from shared.models.enums import Network

_FORM = {"content-type": "application/x-www-form-urlencoded"}


class SandboxConsent:
    """The consent page of `services/sandbox`, over its public protocol only."""

    network: ClassVar[Network] = Network.SANDBOX
    scopes: ClassVar[tuple[str, ...]] = ("read", "publish", "webhook")

    async def register(self, http: httpx.AsyncClient, base_url: str, redirect_uri: str) -> AppLogin:
        """The practice network gives every caller an app, for the asking."""
        beside = redirect_uri.removesuffix("/callback")
        told = orjson.dumps(
            {
                "name": "Parvis",
                "redirect_uris": [redirect_uri],
                "deauthorize_url": f"{beside}/deauthorize",
                "deletion_url": f"{beside}/data-deletion",
            }
        )
        response = await outcome.act(
            http, "sandbox", "POST", _place(base_url, "apps"), headers={"content-type": "application/json"},
            content=told,
        )  # fmt: skip
        if response.status_code != 201:
            raise outcome.reading_failure("sandbox", response)
        made = _answer(response)
        client_id, secret = identifier(made.get("client_id")), words(made.get("client_secret"))
        if client_id is None or not secret:
            raise Unavailable("sandbox", "the network registered us and named no client", unsent=True)
        return AppLogin(client_id, secret, base_url)

    async def is_registered(self, http: httpx.AsyncClient, app: AppLogin) -> bool:
        """Asked for a token without a code, the network looks at the app first."""
        form = {"grant_type": "authorization_code", "client_id": app.client_id, "client_secret": app.client_secret}
        response = await outcome.act(
            http, "sandbox", "POST", _place(app.base_url, "token"), headers=_FORM, content=urlencode(form).encode()
        )
        match response.status_code, _answer(response).get("error"):
            case 400, "invalid_request":
                return True
            case 401, "invalid_client":
                return False
        raise outcome.reading_failure("sandbox", response)

    def authorize(self, app: AppLogin, consent: Consent) -> str:
        asked = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": consent.redirect_uri,
            "scope": " ".join(consent.scopes or self.scopes),
            "state": consent.state,
            "code_challenge": consent.challenge,
            "code_challenge_method": "S256",
        }
        return f"{(app.base_url or '').rstrip('/')}/oauth/authorize?{urlencode(asked, quote_via=quote)}"

    async def exchange(self, http: httpx.AsyncClient, app: AppLogin, consented: Consented) -> list[Choice]:
        """The code becomes the person's token, and with that the pages are read that they gave us."""
        token = await self._token(http, app, consented)
        response = await outcome.ask(
            http, "sandbox", _place(app.base_url, "pages"), headers={"authorization": f"Bearer {token}"}
        )
        if response.status_code != 200:
            raise outcome.reading_failure("sandbox", response)
        answer = _answer(response)
        pages, person = answer.get("pages"), answer.get("person")
        if not isinstance(pages, list):
            raise Unavailable("sandbox", "the pages were answered without a list of them", unsent=True)
        granted_by = identifier(person.get("id")) if isinstance(person, Mapping) else None
        found = (self._choice(page, app.base_url, granted_by) for page in pages)
        return [choice for choice in found if choice is not None]

    def revoked(self, app: AppLogin, body: bytes) -> str:
        """`signed_request=<signature>.<payload>`, both base64url; HMAC-SHA256 of the payload's letters."""
        given = parse_qs(body.decode("utf-8", "replace")).get("signed_request", [""])[0]
        signature, _, payload = given.partition(".")
        expected = hmac.digest(app.client_secret.encode(), payload.encode(), "sha256")
        if not hmac.compare_digest(_decoded(signature), expected):
            raise BadSignature("signed_request is missing, or was not signed for this app")
        person = read_json(_decoded(payload))
        found = identifier(person.get("user_id")) if isinstance(person, dict) else None
        if found is None:
            raise BadPayload("signed_request names no user_id")
        return found

    async def _token(self, http: httpx.AsyncClient, app: AppLogin, consented: Consented) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": consented.code,
            "redirect_uri": consented.redirect_uri,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "code_verifier": consented.verifier,
        }
        response = await outcome.act(
            http, "sandbox", "POST", _place(app.base_url, "token"), headers=_FORM, content=urlencode(form).encode()
        )
        answer = _answer(response)
        if response.status_code != 200:
            raise _token_failure(response, answer)
        token = words(answer.get("access_token"))
        if not token:
            raise Unavailable("sandbox", "the network took the code and gave no token for it")
        return token

    def _choice(self, page: object, base_url: str | None, granted_by: str | None) -> Choice | None:
        if not isinstance(page, Mapping):
            return None
        account, token, may = identifier(page.get("account")), words(page.get("token")), page.get("may")
        if account is None or not token:
            return None
        given = set(may) if isinstance(may, list) else set()
        return Choice(
            external_id=account,
            name=name(page.get("name")) or account,
            credentials={"access_token": token},
            base_url=base_url,
            missing=tuple(scope for scope in self.scopes if scope not in given),
            granted_by=granted_by,
        )


def _place(base_url: str | None, what: str) -> str:
    return f"{(base_url or '').rstrip('/')}/api/oauth/{what}"


def _decoded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _answer(response: httpx.Response) -> Mapping[str, object]:
    try:
        answer = read_json(response.content)
    except BadPayload:
        return {}
    return answer if isinstance(answer, dict) else {}


def _token_failure(response: httpx.Response, answer: Mapping[str, object]) -> NetworkError:
    """RFC 6749 5.2: `invalid_grant` is about the code, `invalid_client` about this installation's app."""
    error = answer.get("error")
    if response.status_code == 400 and error == "invalid_grant":
        return LoginDead("sandbox", "the network does not take this consent (any more)")
    if response.status_code == 401 and error == "invalid_client":
        return Refused("sandbox", "the network does not know this installation's app, or its secret is another")
    return outcome.reading_failure("sandbox", response)
