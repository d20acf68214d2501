"""Apps and consent on a Mastodon instance: an app registers, a person says yes, a code becomes a token."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from starlette.responses import JSONResponse

from tests.networks.fakes.mastodon_people import Json, People


@dataclass(frozen=True)
class App:
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass
class Grant:
    """A code that a person's consent made, to be exchanged once."""

    app: App
    account: str
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...]


@dataclass
class Token:
    account: str | None
    scopes: tuple[str, ...] = ("read", "write")


class Failure(Exception):
    def __init__(self, status: int, error: str, **more: str) -> None:
        super().__init__(error)
        self.response = JSONResponse({"error": error, **more}, status)


@dataclass
class Apps(People):
    tokens: dict[str, Token] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    codes: dict[str, Grant] = field(default_factory=dict)

    def login(self, account: str | None, *scopes: str) -> str:
        """A token that speaks for an account; None: an app's own."""
        token = secrets.token_hex(8)
        self.tokens[token] = Token(account, scopes or ("read", "write"))
        return token

    def register(self, form: Json) -> Json:
        if "://" not in form.get("redirect_uris", ""):
            raise Failure(422, "Validation failed: Redirect URI must be an absolute URI.")
        scopes = tuple(form.get("scopes", "read").split())
        app = App(secrets.token_hex(8), secrets.token_hex(16), tuple(form["redirect_uris"].split("\n")), scopes)
        self.apps[app.client_id] = app
        return {"id": "1", "name": form["client_name"], "client_id": app.client_id, "client_secret": app.client_secret}

    def approve(self, address: str, account: str, *scopes: str) -> dict[str, str]:
        """What a person's browser brings back when they say yes on the page at `address`, perhaps to less."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        app = self.apps[query["client_id"]]
        assert query["response_type"] == "code"
        assert query["redirect_uri"] in app.redirect_uris
        assert set(query["scope"].split()) <= set(app.scopes)
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_hex(8)
        granted = scopes or tuple(query["scope"].split())
        self.codes[code] = Grant(app, account, query["redirect_uri"], query["code_challenge"], granted)
        return {"code": code, "state": query["state"]}

    def token(self, form: Json) -> Json:
        app = self.apps.get(form.get("client_id", ""))
        if app is None or app.client_secret != form.get("client_secret"):
            raise Failure(401, "invalid_client", error_description="Client authentication failed")
        if not set(form.get("scope", "read").split()) <= set(app.scopes):
            raise Failure(400, "invalid_scope", error_description="The requested scope is invalid")
        if form.get("grant_type") == "client_credentials":
            return {"access_token": self.login(None), "token_type": "Bearer", "scope": form.get("scope", "read")}
        grant = self.codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            grant is None
            or (grant.app, grant.redirect_uri) != (app, form.get("redirect_uri"))
            or grant.challenge != proof.decode().rstrip("=")
        ):
            raise Failure(400, "invalid_grant", error_description="The authorization grant is invalid or expired")
        token = self.login(grant.account, *grant.scopes)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "scope": " ".join(grant.scopes),
            "created_at": 1795341600,
        }
