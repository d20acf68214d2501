"""Instagram Login: a professional account lets us act for it, without any Facebook Page."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

import httpx

from shared.connectors import graph, meta_signed_request, meta_tokens
from shared.connectors.graph import Graph, Value
from shared.connectors.reading import identifier, name
from shared.contract import AppLogin, Choice, Consent, Consented
from shared.errors import Refused
from shared.models.enums import Network

_NETWORK = Network.INSTAGRAM.value
_DIALOG = "https://www.instagram.com"
_CODES = "https://api.instagram.com"
_TOKENS = "https://graph.instagram.com"
_LASTS = timedelta(days=60)


class InstagramConsent:
    """`base_url` of an app puts another host in the place of Instagram's three."""

    network: ClassVar[Network] = Network.INSTAGRAM
    scopes: ClassVar[tuple[str, ...]] = (
        "instagram_business_basic",
        "instagram_business_manage_comments",
        "instagram_business_manage_messages",
        "instagram_business_content_publish",
    )

    async def register(self, http: httpx.AsyncClient, base_url: str, redirect_uri: str) -> AppLogin:
        raise Refused(_NETWORK, "apps are registered by hand, in Meta's App Dashboard")

    async def is_registered(self, http: httpx.AsyncClient, app: AppLogin) -> bool:
        """Meta forgets no app by itself."""
        return True

    def authorize(self, app: AppLogin, consent: Consent) -> str:
        """Instagram knows no PKCE: the code is worth nothing without the app's secret."""
        asked = {
            "client_id": app.client_id,
            "redirect_uri": consent.redirect_uri,
            "response_type": "code",
            "scope": ",".join(consent.scopes or self.scopes),
            "state": consent.state,
        }
        return f"{(app.base_url or _DIALOG).rstrip('/')}/oauth/authorize?{urlencode(asked)}"

    async def exchange(self, http: httpx.AsyncClient, app: AppLogin, consented: Consented) -> list[Choice]:
        """The one account that consented, with a token for 60 days."""
        url = f"{(app.base_url or _CODES).rstrip('/')}/oauth/access_token"
        form = {
            "grant_type": "authorization_code",
            "redirect_uri": consented.redirect_uri,
            "code": consented.code.removesuffix("#_"),  # Instagram hangs it on every code
        }
        first = _first(await meta_tokens.exchange_code(http, _NETWORK, app, url, form))
        short = meta_tokens.token(_NETWORK, first)
        asked = {"grant_type": "ig_exchange_token", "client_secret": app.client_secret, "access_token": short}
        tokens = (app.base_url or _TOKENS).rstrip("/")
        longer = await meta_tokens.longer(
            http, _NETWORK, f"{tokens}/access_token?{urlencode(asked)}", (app.client_secret, short)
        )
        lasting, seconds = meta_tokens.token(_NETWORK, longer), longer.get("expires_in")
        lasts = timedelta(seconds=seconds) if type(seconds) is int and 0 < seconds < 10**9 else _LASTS
        base = app.base_url or graph.INSTAGRAM
        way = Graph(http, _NETWORK, base.rstrip("/"), lasting, by_page=False)
        account = (await way.get("me", fields="id,user_id,username,name")).value
        external_id = identifier(account.get("user_id")) or identifier(account.get("id"))
        if external_id is None:
            raise Refused(_NETWORK, "the person gave no professional account")
        handle = name(account.get("username"))
        granted = _permissions(first.get("permissions"))
        return [
            Choice(
                external_id=external_id,
                name=f"@{handle}" if handle else external_id,
                credentials={"access_token": lasting, "app_secret": app.client_secret},
                base_url=app.base_url,
                expires_at=datetime.now(UTC) + lasts,
                missing=tuple(scope for scope in self.scopes if granted is not None and scope not in granted),
                granted_by=identifier(first.get("user_id")),
            )
        ]

    def revoked(self, app: AppLogin, body: bytes) -> str:
        """Who took their consent back, or wants their data deleted. Raises BadSignature, BadPayload."""
        return meta_signed_request.of_form(app.client_secret, body).user_id


def _first(value: Value) -> Value:
    """The answer to a code: the thing itself, or a list with it alone."""
    items = graph.listed(value)
    return items[0] if items else value


def _permissions(value: object) -> set[str] | None:
    """What was granted, as a list or as words between commas; None where it is not told."""
    if isinstance(value, str):
        return {one.strip() for one in value.split(",")}
    return {str(one) for one in value} if isinstance(value, list) else None
