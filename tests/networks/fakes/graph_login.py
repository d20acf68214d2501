"""How people and apps get tokens from the Graph of a test: codes, short and long tokens, renewals."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.networks.fakes.graph import FakeGraph

PATHS = frozenset({"access_token", "refresh_access_token"})
_DAYS_60 = 60 * 24 * 3600


class Declined(Exception):
    def __init__(self, body: dict[str, Any], status: int = 400) -> None:
        super().__init__(str(body))
        self.body, self.status = body, status


@dataclass
class People:
    """Codes that were given out, each good for one exchange: code → (redirect_uri, the token it is good for)."""

    client_id: str = "4242"
    client_secret: str = "app-secret"
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    long_lived: dict[str, str] = field(default_factory=dict)  # short → long
    young: set[str] = field(default_factory=set)  # tokens in their first 24 hours
    permissions: str = "instagram_business_basic,instagram_business_manage_comments"

    def answer(self, graph: "FakeGraph", steps: list[str], query: dict[str, str]) -> Any:
        if steps[-1] == "refresh_access_token":
            return self._refresh(graph, query)
        if "fb_exchange_token" in query or query.get("grant_type") == "ig_exchange_token":
            return self._exchange(query)
        return self._code(graph, query, instagram="oauth" in steps and query.get("grant_type") == "authorization_code")

    def _refresh(self, graph: "FakeGraph", query: dict[str, str]) -> Any:
        token = query.get("access_token", "")
        graph._who(token, query)
        if token in self.young:
            raise Declined(_error(10, "The token is younger than 24 hours"))
        return {"access_token": token, "token_type": "bearer", "expires_in": _DAYS_60}

    def _exchange(self, query: dict[str, str]) -> Any:
        self._app(query)
        short = query.get("fb_exchange_token") or query.get("access_token", "")
        if short not in self.long_lived:
            raise Declined(_error(190, f"Invalid OAuth access token {short}"))
        return {"access_token": self.long_lived[short], "token_type": "bearer", "expires_in": _DAYS_60}

    def _code(self, graph: "FakeGraph", query: dict[str, str], *, instagram: bool) -> Any:
        self._app(query)
        known = self.codes.pop(query.get("code", ""), None)
        if known is None and instagram:
            message = "Matching code was not found or was already used"
            raise Declined({"error_type": "OAuthException", "code": 400, "error_message": message})
        if known is None:
            raise Declined(_error(100, "This authorization code has been used.", 36009))
        if known[0] != query.get("redirect_uri"):
            raise Declined(_error(100, "Error validating verification code. redirect_uri differs", 36008))
        if instagram:
            who = graph.tokens[known[1]].who
            return {"access_token": known[1], "user_id": int(who), "permissions": self.permissions}
        return {"access_token": known[1], "token_type": "bearer", "expires_in": 5183944}

    def _app(self, query: dict[str, str]) -> None:
        if query.get("client_secret") != self.client_secret:
            raise Declined(_error(1, "Error validating client secret."))


def _error(code: int, message: str, subcode: int = 0) -> dict[str, Any]:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AbC"}
    return {"error": {**error, "error_subcode": subcode} if subcode else error}
