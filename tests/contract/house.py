"""What a stranger holds who has only the contract: addresses, a key, channels, and the means to sign and to ask."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

Json = dict[str, Any]
PATIENCE = 60.0
T = TypeVar("T")


def eventually(look: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """The first truthy answer of `look`; fails with its last answer after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not happen in {seconds:.0f} s; last seen: {found!r}"
        time.sleep(0.05)


def rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def now() -> str:
    return rfc3339(datetime.now(UTC))


def mention(external_id: str, text: str = "Bonjour", **more: Any) -> Json:
    """One mention as section 5 writes it; `more` replaces what is given here."""
    return {
        "id": external_id,
        "kind": "comment",
        "text": text,
        "author": {"id": "noor"},
        "published_at": "2026-11-20T10:00:00Z",
        **more,
    }


@dataclass(frozen=True)
class Channel:
    """A channel as local.json gives it, with a network's way of signing."""

    given: Json
    web: httpx.Client

    @property
    def id(self) -> str:
        return str(self.given["id"])

    @property
    def external_id(self) -> str:
        return str(self.given["external_id"])

    @property
    def address(self) -> str:
        return str(self.given["webhook_url"])

    def signature(self, body: bytes, key: str, stamp: str) -> str:
        secret = base64.b64decode(str(self.given["secret"]).removeprefix("whsec_"))
        digest = hmac.new(secret, f"{key}.{stamp}.".encode() + body, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(digest).decode()}"

    def headers(self, body: bytes, key: str | None = None, stamp: float | None = None) -> dict[str, str]:
        """The right headers over `body`: Standard Webhooks for generic, Meta's for facebook and instagram."""
        if self.given["network"] in ("facebook", "instagram"):
            digest = hmac.new(str(self.given["secret"]).encode(), body, hashlib.sha256).hexdigest()
            return {"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"}
        key = key or f"msg_{uuid.uuid4().hex}"
        at = str(int(time.time() if stamp is None else stamp))
        return {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": at,
            "webhook-signature": self.signature(body, key, at),
        }

    def post(self, body: bytes | Json, *, key: str | None = None, stamp: float | None = None) -> httpx.Response:
        """Deliver `body`, rightly signed."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.web.post(self.address, content=raw, headers=self.headers(raw, key, stamp))


@dataclass(frozen=True)
class Tenant:
    """One organization with its brand, key and channels."""

    local: Json
    given: Json
    web: httpx.Client = field(repr=False)

    @property
    def brand_id(self) -> str:
        return str(self.given["brand_id"])

    @property
    def authorization(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.given['api_key']}"}

    def channel(self, network: str = "generic") -> Channel:
        return next(Channel(it, self.web) for it in self.given["channels"] if it["network"] == network)

    def connect(self, **body: Any) -> Channel:
        """Another channel of this brand, by REST."""
        answer = self.rest("POST", "/channels", json={"network": "generic", **body})
        assert answer.status_code == 201, answer.text
        return Channel(answer.json(), self.web)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any request to the api, under this tenant's key unless `headers` say otherwise."""
        headers = {**self.authorization, **more.pop("headers", {})}
        return self.web.request(method, self.local["api"] + path, headers=headers, **more)

    def rest(self, method: str, path: str = "", **more: Any) -> httpx.Response:
        """A request below this tenant's brand."""
        return self.call(method, f"/v1/brands/{self.brand_id}{path}", **more)

    def get(self, path: str = "", **params: Any) -> Any:
        """What a read below the brand answers; it has to be a 200."""
        answer = self.rest("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def graphql(self, document: str, headers: dict[str, str] | None = None, **variables: Any) -> Json:
        """The answer to a GraphQL request, errors and all; its HTTP status has to be 200."""
        answer = self.call("POST", "/graphql", json={"query": document, "variables": variables}, headers=headers or {})
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def asked(self, document: str, **variables: Any) -> Json:
        """The data of a GraphQL request without errors."""
        answer = self.graphql(document, **variables)
        assert not answer.get("errors"), answer["errors"]
        data: Json = answer["data"]
        return data

    def arrival(self, arrival_id: str) -> Json:
        """The arrival once the worker is done with it."""

        def done() -> Json | None:
            found: Json = self.get(f"/arrivals/{arrival_id}")
            return found if found["state"] != "received" else None

        found = eventually(done, f"settling of {arrival_id}")
        assert found is not None
        return found

    def hear(
        self,
        *mentions: Any,
        deleted: Sequence[str] = (),
        stamp: float | None = None,
        channel: Channel | None = None,
    ) -> Json:
        """Deliver to the generic channel; the arrival once it is settled."""
        body = {"mentions": list(mentions), "deleted": list(deleted)}
        answer = (channel or self.channel()).post(body, stamp=stamp)
        assert answer.status_code == 200, answer.text
        return self.arrival(answer.json()["arrival_id"])

    def mentions(self, **params: Any) -> list[Json]:
        """Every mention by these filters, page after page: modules share a brand, and each tells it more."""
        found: list[Json] = []
        more: Json = {}
        while True:
            page = self.get("/mentions", limit=100, **params, **more)
            found += page["data"]
            if not page["has_more"]:
                return found
            more = {"cursor": page["next_cursor"]}

    def by_external_id(self, external_id: str, **params: Any) -> Json:
        """The one mention with this external id."""
        found = [it for it in self.mentions(**params) if it["external_id"] == external_id]
        assert len(found) == 1, (external_id, found)
        return found[0]

    def history(self, mention_id: str) -> list[str | None]:
        """The texts of a mention's versions, in their order."""
        return [it["text"] for it in self.get(f"/mentions/{mention_id}/history")["data"]]


def body(external_id: str, text: str = "Bonjour") -> bytes:
    return json.dumps({"mentions": [mention(external_id, text)]}).encode()
