"""The consent page: an app asks, a person says who they are and what they give, and the browser goes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.sandbox import consents, page, views
from services.sandbox.consents import SCOPES, Given
from services.sandbox.people import store_of
from services.sandbox.store import Refusal, Store
from services.sandbox.things import Author

router = APIRouter()
forms = APIRouter(dependencies=[Depends(views.from_here)])

_SAID = {
    "read": "Read what is said on your pages, private messages too",
    "publish": "Publish on your pages in their name",
    "webhook": "Be told of every change on your pages",
}
# A form's answer sends the browser to the app, and that one sends it on: where to is not for this network to know.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks for, as far as it is known to be its own question."""

    client_id: str
    app: str
    redirect_uri: str
    state: str
    challenge: str
    scopes: tuple[str, ...]


def _asked(store: Store, fields: Mapping[str, str]) -> Asked | Response:
    """The question, or the way back with a mistake. Raises Refusal where it is not known who asks."""
    client = consents.client(store, fields.get("client_id", ""))
    if client is None:
        raise Refusal(400, "unknown_client", "an app that this network does not know asks for your consent")
    redirect_uri = fields.get("redirect_uri", "")
    if not consents.may_return(client, redirect_uri):
        raise Refusal(400, "unknown_address", f"{client['name']} wants you sent to an address that it did not register")
    asked = Asked(
        client["id"],
        client["name"],
        redirect_uri,
        fields.get("state", ""),
        fields.get("code_challenge", ""),
        tuple(fields.get("scope", "").split()),
    )
    wanted = {"response_type": "code", "code_challenge_method": "S256"}
    if any(fields.get(name) != value for name, value in wanted.items()) or len(asked.challenge) != 43:
        return _back(asked, error="invalid_request", error_description="a code with PKCE S256 is all that we give")
    if not asked.scopes or set(asked.scopes) - set(SCOPES):
        return _back(asked, error="invalid_scope", error_description=f"the scopes here are {' '.join(SCOPES)}")
    return asked


@router.get("/oauth/authorize")
async def ask(request: HttpRequest) -> Response:
    store = store_of(request)
    asked = _asked(store, dict(request.query_params))
    if isinstance(asked, Response):
        return asked
    around = views.surroundings(store)
    content = page.document(f"{asked.app} asks", _form(asked, around.pages), around, None)
    return HTMLResponse(content, headers=_HEADERS)


@forms.post("/oauth/authorize")
async def answer(request: HttpRequest) -> Response:
    store = store_of(request)
    form = await request.form(max_fields=400, max_files=0)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    asked = _asked(store, fields)
    if isinstance(asked, Response):
        return asked
    if fields.get("answer") != "allow":
        return _back(asked, error="access_denied", error_description="the person said no")
    person = fields.get("as", "").strip()
    if not 0 < len(person) <= 200:
        raise Refusal(422, "invalid", "say who you are")
    given = [scope for scope in form.getlist("give") if scope in asked.scopes]
    code = consents.give(
        store,
        Given(
            client_id=asked.client_id,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            person=person,
            pages=[handle for handle in form.getlist("page") if isinstance(handle, str)],
            scopes=[scope for scope in SCOPES if scope == "read" or scope in given],
        ),
    )
    return _back(asked, code=code)


def _back(asked: Asked, **said: str) -> Response:
    parts = urlsplit(asked.redirect_uri)
    query = urlencode([*parse_qsl(parts.query), *said.items(), ("state", asked.state)])
    found = RedirectResponse(urlunsplit(parts._replace(query=query)), status_code=303)
    found.headers["Referrer-Policy"] = "no-referrer"
    return found


def _form(asked: Asked, pages: Sequence[Author]) -> str:
    kept = {
        "response_type": "code",
        "client_id": asked.client_id,
        "redirect_uri": asked.redirect_uri,
        "state": asked.state,
        "code_challenge": asked.challenge,
        "code_challenge_method": "S256",
        "scope": " ".join(asked.scopes),
    }
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in kept.items())
    listed = "".join(
        f'<label class="pick"><input type="checkbox" name="page" value="{escape(one.handle)}" checked>'
        f"{page.face(one)}<span>{escape(one.name)}</span></label>"
        for one in pages
    )
    scopes = "".join(_scope(scope) for scope in asked.scopes)
    return (
        f"<h1>{escape(asked.app)} asks to act for you</h1>"
        f'<form class="say card" method="post" action="/oauth/authorize">{hidden}'
        '<div class="fields"><label>You are <input name="as" required maxlength="200" placeholder="lea"></label></div>'
        f"<h2>Which of your pages?</h2>{listed or '<p class=soft>There is no page on this network yet.</p>'}"
        f"<h2>What may it do?</h2>{scopes}"
        f'<p class="soft">You go back to {escape(urlsplit(asked.redirect_uri).netloc)}.</p>'
        '<button name="answer" value="allow">Allow</button>'
        '<button name="answer" value="refuse" class="quiet" formnovalidate>Refuse</button></form>'
    )


def _scope(scope: str) -> str:
    always = " checked disabled" if scope == "read" else " checked"
    return (
        f'<label class="pick"><input type="checkbox" name="give" value="{scope}"{always}>'
        f"<span>{_SAID[scope]}</span></label>"
    )
