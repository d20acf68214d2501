"""How the practice network is asked, and what its answers and errors mean."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx

from shared.connectors import outcome
from shared.connectors.reading import identifier, web_address
from shared.contract import Login, OutgoingEffect, Room, Sent, read_json
from shared.errors import BadPayload, Gone, LoginExpired, NetworkError, Refused, Unavailable

# By these, in the body of an error, the network says that it checked and did nothing. Statuses prove less.
_REFUSALS = frozenset(
    {
        *("empty", "invalid", "parent_deleted", "too_large", "too_long", "unknown_parent", "wrong_kind"),
        *("blocked", "deleted", "not_found", "not_granted"),
    }
)


def age(outgoing: OutgoingEffect) -> timedelta:
    """How long ago the first attempt was."""
    if outgoing.first_attempt_at is None:
        return timedelta(0)
    return datetime.now(UTC) - outgoing.first_attempt_at


def place(login: Login, path: str) -> str:
    """The address of something on the channel's server. Raises Refused."""
    if not login.base_url:
        raise Refused("sandbox", "the channel has no base_url")
    return f"{login.base_url.rstrip('/')}/api/v1/{path}"


def bearer(login: Login) -> dict[str, str]:
    """The header that says who asks."""
    return {"authorization": f"Bearer {login.credentials.get('access_token', '')}"}


def answer(response: httpx.Response) -> Mapping[str, object]:
    """The object that a response holds; an empty one where it holds none."""
    try:
        value = read_json(response.content)
    except BadPayload:
        return {}
    return value if isinstance(value, dict) else {}


async def read(http: httpx.AsyncClient, login: Login, path: str) -> Mapping[str, object]:
    """What the network answers. Raises LoginExpired, Gone, and what reading may raise."""
    response = await outcome.ask(http, "sandbox", place(login, path), headers=bearer(login))
    if response.status_code != 200:
        raise failure(response)
    return answer(response)


async def posted(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """The first post with our client_id; one that was deleted since was live all the same."""
    posts = (await read(http, login, f"posts?{urlencode({'client_id': outgoing.id})}")).get("posts")
    if not isinstance(posts, list):
        raise Unavailable("sandbox", "the look-up was answered without a list of posts", unsent=True)
    for post in posts:
        external_id = identifier(post.get("id")) if isinstance(post, dict) else None
        if external_id is not None:
            return Sent(external_id, web_address(post.get("url")))
    return None


def room(response: httpx.Response) -> Room | None:
    """What is left of the page's budget, where it has one."""
    left, seconds = (response.headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "reset"))
    if not (left.isdecimal() and seconds.isdecimal() and len(left + seconds) < 20):
        return None
    return Room(int(left), timedelta(seconds=min(int(seconds), 86_400)))


def failure(response: httpx.Response) -> NetworkError:
    """What a status says where nothing but reading was asked."""
    if response.status_code == 401 and _code(response) == "expired_token":
        return LoginExpired("sandbox")
    if response.status_code == 410:
        return Gone("sandbox", "the network says that this page was deleted")
    return outcome.reading_failure("sandbox", response)


def send_failure(response: httpx.Response) -> NetworkError:
    """What a status says of a post. An error status does not prove that there is none."""
    code = _code(response)
    if response.status_code == 401 and code == "expired_token":
        return LoginExpired("sandbox")
    if response.status_code in {403, 404, 409, 413, 422} and code in _REFUSALS:
        return Refused("sandbox", f"the network refused it: {code}")
    return outcome.failure("sandbox", response, frozenset())


def _code(response: httpx.Response) -> object:
    error = answer(response).get("error")
    return error.get("code") if isinstance(error, Mapping) else None
