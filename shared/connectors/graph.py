"""Meta's Graph API: one login's calls to it, for every network that stands behind it."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx

from shared.connectors import graph_errors, graph_usage, outcome
from shared.connectors.graph_errors import Forbidden, Missing, TooMuch
from shared.connectors.reading import identifier, rfc3339, unix_time
from shared.contract import Login, Room
from shared.errors import Refused, Unavailable, Uncertain

VERSION = "v26.0"
FACEBOOK = f"https://graph.facebook.com/{VERSION}"
INSTAGRAM = f"https://graph.instagram.com/{VERSION}"
_PAGES_HOST = "graph.facebook.com"
_FORBIDDEN = 3  # things in a row that may not be seen: then none may
_LISTED_PAGES = 10
_PLACES = frozenset({"after", "until", "__paging_token", "offset"})  # by which an answer's next page is asked for

Value = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call brought. `asked_at` is when it was asked: the answer may be older than its arrival, never newer."""

    value: Value
    body: bytes
    asked_at: datetime
    wait: timedelta | None = None

    @property
    def items(self) -> list[Value]:
        """The things of a list; what is not an object in it is left out."""
        return listed(self.value)

    @property
    def next_page(self) -> str | None:
        return next_page(self.value)


@dataclass(frozen=True, slots=True)
class Done:
    """What was answered to something that was brought about, and how much room is left for more."""

    value: Value
    room: Room | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """The way in which one login calls the Graph API. Failures are `NetworkError`s, told by Graph's own codes."""

    http: httpx.AsyncClient
    network: str
    base: str
    token: str = field(repr=False)
    app_secret: str = field(default="", repr=False)
    by_page: bool = True  # by a Page's token, rather than by an Instagram account's own

    @property
    def root(self) -> str:
        """The host without its version."""
        base, _, last = self.base.rpartition("/")
        return base if last[:1] == "v" and last[1:2].isdigit() else self.base

    async def get(self, path: str, **query: str | None) -> Answer:
        """Read one thing or one page of an edge."""
        asked_at = datetime.now(UTC)
        url = f"{self.base}/{path}?{urlencode(self._query(query))}"
        response = await outcome.ask(self.http, self.network, url, headers=self._headers())
        return self._answer(response, asked_at)

    async def get_at_root(self, path: str, **query: str | None) -> Value:
        """Ask for a token's own business, which has no version, and wants the token among the parameters."""
        url = f"{self.root}/{path}?{urlencode({**self._query(query), 'access_token': self.token})}"
        response = await outcome.ask(self.http, self.network, url)
        self._raise_failure(response)
        return graph_errors.answer(response.content) or {}

    async def post(self, path: str, **form: str | None) -> Answer:
        """Bring something about that may be brought about twice: until it is known to be done, it is not."""
        asked_at = datetime.now(UTC)
        try:
            response = await self._make("POST", path, form)
        except Uncertain as error:
            raise Unavailable(self.network, error.message, unsent=True) from error
        return self._answer(response, asked_at)

    async def act(self, method: str, path: str, **form: str | None) -> Done:
        """Bring something about, once. Raises Uncertain where it may have happened."""
        response = await self._make(method, path, form)
        error = graph_errors.acted(self.network, response, (self.token, self.app_secret))
        if error is not None:
            raise error
        value = graph_errors.answer(self._cleaned(response.content)) or {}
        return Done(value, graph_usage.room(response))

    async def _make(self, method: str, path: str, form: Mapping[str, str | None]) -> httpx.Response:
        """A request with an effect. What is deleted is named by the address alone: a body there may be passed over."""
        asked = urlencode(self._query(form))
        url, headers, content = f"{self.base}/{path}", self._headers(), None
        if method == "DELETE":
            url = f"{url}?{asked}"
        else:
            headers["content-type"] = "application/x-www-form-urlencoded"
            content = asked.encode()
        return await outcome.act(self.http, self.network, method, url, headers=headers, content=content)

    async def look(self, ids: Sequence[str], fields: str, *, together: int, other: str | None = None) -> "Looked":
        """What is there of these things. One that is not there makes Graph refuse all of them: halves tell which.

        `other`: the fields of another kind of thing, to be asked of what is refused with the first ones. What we may
        not see is in neither list; where that is all there is, the right itself is missing, and Forbidden is raised.
        """
        looked, forbidden = Looked(asked_at=datetime.now(UTC)), 0
        waiting = [list(ids[start : start + together]) for start in range(0, len(ids), together)]
        while waiting:
            some = waiting.pop()
            half = len(some) // 2
            try:
                waiting += [[one] for one in await self._look(some, fields, looked)]
            except Forbidden:
                forbidden += not half
                if (forbidden >= _FORBIDDEN and looked.is_empty) or (not half and len(ids) == 1):
                    raise
                waiting += [some[:half], some[half:]] if half else []
            except (Refused, TooMuch) as error:
                if half:
                    waiting += [some[:half], some[half:]]
                elif isinstance(error, Missing):
                    looked.missing += some
                elif other is None or isinstance(error, TooMuch):
                    raise
                else:
                    looked.add(await self.look(some, other, together=1))
        return looked

    async def listed_since(self, path: str, time: str, since: datetime) -> set[str] | None:
        """The ids on an edge down to a moment, newest first; None where that is more than we read."""
        found: set[str] = set()
        place: dict[str, str] = {}
        for _ in range(_LISTED_PAGES):
            answer = await self.get(path, fields=f"id,{time}", limit="50", **place)
            found.update(one for item in answer.items if (one := identifier(item.get("id"))) is not None)
            times = [at for item in answer.items if (at := moment(item.get(time))) is not None]
            place = place_of(answer.next_page)
            if not place or (times and min(times) < since):
                return found
        return None

    async def _look(self, ids: list[str], fields: str, looked: "Looked") -> list[str]:
        """One call for some of them. Which ones the answer left out: that alone proves nothing of them."""
        if len(ids) == 1:
            answer = await self.get(quote(ids[0], safe=""), fields=fields)
            there = {ids[0]: answer.value} if "id" in answer.value else {}
        else:
            answer = await self.get("", ids=",".join(ids), fields=fields)
            there = {one: value for one in ids if isinstance(value := answer.value.get(one), Mapping)}
        looked.found.update(there)
        looked.wait = max(filter(None, (looked.wait, answer.wait)), default=None)
        return [one for one in ids if one not in there] if len(ids) > 1 else []

    def _query(self, given: Mapping[str, str | None]) -> dict[str, str]:
        query = {name: value for name, value in given.items() if value is not None}
        if self.app_secret and self.by_page:
            query["appsecret_proof"] = appsecret_proof(self.app_secret, self.token)
        return query

    def _headers(self) -> dict[str, str]:
        # In a header, not in the address: addresses end up in logs on the way.
        return {"authorization": f"Bearer {self.token}"}

    def _answer(self, response: httpx.Response, asked_at: datetime) -> Answer:
        self._raise_failure(response)
        body = self._cleaned(response.content)
        return Answer(graph_errors.answer(body) or {}, body, asked_at, graph_usage.wait(response))

    def _raise_failure(self, response: httpx.Response) -> None:
        error = graph_errors.failure(self.network, response, (self.token, self.app_secret))
        if error is not None:
            raise error

    def _cleaned(self, body: bytes) -> bytes:
        """The answer as it came, but for the token: Graph writes it into the addresses of the pages around."""
        for secret in (self.token, appsecret_proof(self.app_secret, self.token) if self.app_secret else ""):
            for form in {secret, quote(secret, safe="")}:
                body = body.replace(form.encode(), b"-") if form else body
        return body


@dataclass(slots=True)
class Looked:
    """What was found of the things that were asked for by their ids, and what is not there."""

    asked_at: datetime
    found: dict[str, Value] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    wait: timedelta | None = None

    @property
    def is_empty(self) -> bool:
        return not self.found and not self.missing

    def add(self, other: "Looked") -> None:
        self.found.update(other.found)
        self.missing += other.missing


def of(http: httpx.AsyncClient, network: str, login: Login, default: str) -> Graph:
    """The way to Graph of this login. Raises Refused where it has no access token."""
    token = login.credentials.get("access_token", "")
    if not token:
        raise Refused(network, "the channel has no access_token: it can hear, and ask nothing")
    base = (login.base_url or default).rstrip("/")
    by_page = default == FACEBOOK or _PAGES_HOST in base.split("/")
    return Graph(http, network, base, token, login.credentials.get("app_secret", ""), by_page)


def appsecret_proof(app_secret: str, token: str) -> str:
    """The proof that whoever uses the token knows the app's secret, too."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def moment(value: object) -> datetime | None:
    """A time as Graph writes it: ISO 8601, or seconds since 1970."""
    if isinstance(value, str) and not value.isdecimal():
        try:
            return rfc3339(value)
        except ValueError:
            return None
    return unix_time(value)


def listed(value: object) -> list[Value]:
    """The objects of an answer's `data`, or of an edge that was asked for along with its thing."""
    data = value.get("data") if isinstance(value, Mapping) else None
    return [item for item in data if isinstance(item, Mapping)] if isinstance(data, list) else []


def place_of(following: str | None) -> dict[str, str]:
    """Where in an edge to go on, as the parameters that say it."""
    return dict(parse_qsl(following or ""))


def next_page(value: object) -> str | None:
    """How to ask for the page after this one, as a query; None where this is the last.

    An answer's `next` is an address with the token in it, and may name any host: only its place is taken from it.
    """
    paging = value.get("paging") if isinstance(value, Mapping) else None
    following = paging.get("next") if isinstance(paging, Mapping) else None
    if not isinstance(paging, Mapping) or not isinstance(following, str):
        return None
    cursors = paging.get("cursors")
    after = identifier(cursors.get("after")) if isinstance(cursors, Mapping) else None
    if after is not None:
        return urlencode({"after": after})
    try:
        asked = parse_qsl(urlsplit(following).query)
    except ValueError:
        return None
    return urlencode([(name, word) for name, word in asked if name in _PLACES])[:2000] or None
