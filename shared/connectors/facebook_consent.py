"""Facebook Login: a person lets us act for some of their Pages."""

from typing import ClassVar
from urllib.parse import urlencode

import httpx

from shared.connectors import graph, meta_signed_request, meta_tokens
from shared.connectors.graph import Graph, Value
from shared.connectors.reading import identifier, name
from shared.contract import AppLogin, Choice, Consent, Consented
from shared.errors import Refused
from shared.models.enums import Network

_NETWORK = Network.FACEBOOK.value
_DIALOG = f"https://www.facebook.com/{graph.VERSION}"
_TASKS = (
    "MODERATE",
    "MESSAGING",
    "CREATE_CONTENT",
)  # what a person has to be allowed on a Page, so that their token may do it
_PAGES = 50  # answers of 100 Pages each


class FacebookConsent:
    """By the person's token we learn which Pages they have; each channel keeps its own Page's token, which lasts.

    `base_url` of an app puts another host in the place of Facebook's two.
    """

    network: ClassVar[Network] = Network.FACEBOOK
    scopes: ClassVar[tuple[str, ...]] = (
        "pages_show_list",
        "pages_manage_metadata",
        "pages_read_engagement",
        "pages_read_user_content",
        "pages_messaging",
        "pages_manage_posts",
        "pages_manage_engagement",
    )

    async def register(self, http: httpx.AsyncClient, base_url: str, redirect_uri: str) -> AppLogin:
        raise Refused(_NETWORK, "apps are registered by hand, in Meta's App Dashboard")

    async def is_registered(self, http: httpx.AsyncClient, app: AppLogin) -> bool:
        """Meta forgets no app by itself."""
        return True

    def authorize(self, app: AppLogin, consent: Consent) -> str:
        asked = {
            "client_id": app.client_id,
            "redirect_uri": consent.redirect_uri,
            "response_type": "code",
            "scope": ",".join(consent.scopes or self.scopes),
            "state": consent.state,
            "code_challenge": consent.challenge,
            "code_challenge_method": "S256",
        }
        return f"{(app.base_url or _DIALOG).rstrip('/')}/dialog/oauth?{urlencode(asked)}"

    async def exchange(self, http: httpx.AsyncClient, app: AppLogin, consented: Consented) -> list[Choice]:
        """One choice for each Page that the person gave us, with that Page's own token."""
        way = await self._person(http, app, consented)
        person = identifier((await way.get("me", fields="id")).value.get("id"))
        granted = {
            str(one.get("permission"))
            for one in (await way.get("me/permissions")).items
            if one.get("status") == "granted"
        }
        missing = tuple(scope for scope in self.scopes if scope not in granted)
        found = (self._choice(app, page, missing, person) for page in await _pages(way))
        return [choice for choice in found if choice is not None]

    def revoked(self, app: AppLogin, body: bytes) -> str:
        """Who took their consent back, or wants their data deleted. Raises BadSignature, BadPayload."""
        return meta_signed_request.of_form(app.client_secret, body).user_id

    async def _person(self, http: httpx.AsyncClient, app: AppLogin, consented: Consented) -> Graph:
        """The way in of the person, with a token for 60 days: a Page's token that comes of it does not run out."""
        base = (app.base_url or graph.FACEBOOK).rstrip("/")
        url = f"{base}/oauth/access_token"
        form = {"redirect_uri": consented.redirect_uri, "code": consented.code, "code_verifier": consented.verifier}
        short = meta_tokens.token(_NETWORK, await meta_tokens.exchange_code(http, _NETWORK, app, url, form))
        asked = {"grant_type": "fb_exchange_token", "fb_exchange_token": short}
        long = meta_tokens.token(_NETWORK, await meta_tokens.exchange_code(http, _NETWORK, app, url, asked))
        return Graph(http, _NETWORK, base, long, app.client_secret)

    def _choice(self, app: AppLogin, page: Value, missing: tuple[str, ...], person: str | None) -> Choice | None:
        """A Page; none where it comes without a token, since then nothing can be done for it."""
        external_id, token = identifier(page.get("id")), identifier(page.get("access_token"))
        if external_id is None or token is None:
            return None
        tasks = page.get("tasks")
        lacking = tuple(task for task in _TASKS if isinstance(tasks, list) and task not in tasks)
        return Choice(
            external_id=external_id,
            name=name(page.get("name")) or external_id,
            credentials={"access_token": token, "app_secret": app.client_secret},
            base_url=app.base_url,
            missing=(*missing, *lacking),
            granted_by=person,
        )


async def _pages(way: Graph) -> list[Value]:
    found: list[Value] = []
    place: dict[str, str] = {}
    for _ in range(_PAGES):
        answer = await way.get("me/accounts", fields="id,name,access_token,tasks", limit="100", **place)
        found += answer.items
        following = graph.place_of(answer.next_page)
        if not following or following == place:
            break
        place = following
    return found
