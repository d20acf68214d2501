"""People on a real Bluesky network, by the same calls that its app makes."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

Json = dict[str, Any]
POST = "app.bsky.feed.post"

# The development network signs its tokens by this.
_TOKEN_KEY = b"jwt-secret"
_PASSWORD = "hunter22-hunter22"
_APART = timedelta(milliseconds=5)
_ADMIN = ("admin", "admin-pass")


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    return iso(datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Written:
    """A record that somebody wrote."""

    uri: str
    cid: str

    @property
    def ref(self) -> Json:
        return {"uri": self.uri, "cid": self.cid}

    @property
    def key(self) -> str:
        return self.uri.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Person:
    """An account on the network, and what it does there."""

    http: httpx.AsyncClient
    pds: str
    did: str
    handle: str
    token: str

    async def call(self, method: str, body: Any, **headers: str) -> Json:
        bearer = {"authorization": f"Bearer {self.token}", **headers}
        if isinstance(body, bytes):
            answer = await self.http.post(f"{self.pds}/xrpc/{method}", content=body, headers=bearer)
        else:
            answer = await self.http.post(f"{self.pds}/xrpc/{method}", json=body, headers=bearer)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json() if answer.content else {}
        return found

    async def write(self, collection: str, record: Json) -> Written:
        body = {
            "repo": self.did,
            "collection": collection,
            "record": {"createdAt": now(), "$type": collection, **record},
        }
        made = await self.call("com.atproto.repo.createRecord", body)
        return Written(made["uri"], made["cid"])

    async def post(self, text: str, *, to: "Person | None" = None, **more: Any) -> Written:
        """Post; `to` names somebody at the end of the text, as the app does it."""
        facets = list(more.pop("facets", []))
        if to is not None:
            text, facet = mention(text, to)
            facets.append(facet)
        return await self.write(POST, {"text": text, "facets": facets, **more})

    async def burst(self, texts: list[str], to: "Person") -> None:
        """Many posts at once that name somebody, some milliseconds apart as people's are."""
        began = datetime.now(UTC) - len(texts) * _APART
        for start in range(0, len(texts), 100):
            writes = []
            for number, text in enumerate(texts[start : start + 100], start):
                named, facet = mention(text, to)
                at = iso(began + number * _APART)
                record = {"$type": POST, "createdAt": at, "text": named, "facets": [facet]}
                writes.append({"$type": "com.atproto.repo.applyWrites#create", "collection": POST, "value": record})
            await self.call("com.atproto.repo.applyWrites", {"repo": self.did, "writes": writes})

    async def picture(self, png: bytes, alt: str) -> Json:
        """A picture to embed."""
        made = await self.call("com.atproto.repo.uploadBlob", png, **{"content-type": "image/png"})
        return {"$type": "app.bsky.embed.images", "images": [{"alt": alt, "image": made["blob"]}]}

    async def reply(self, parent: Written, text: str, root: Written | None = None) -> Written:
        return await self.post(text, reply={"root": (root or parent).ref, "parent": parent.ref})

    async def quote(self, what: Written, text: str) -> Written:
        return await self.post(text, embed={"$type": "app.bsky.embed.record", "record": what.ref})

    async def like(self, what: Written) -> Written:
        return await self.write("app.bsky.feed.like", {"subject": what.ref})

    async def repost(self, what: Written) -> Written:
        return await self.write("app.bsky.feed.repost", {"subject": what.ref})

    async def block(self, whom: "Person") -> Written:
        return await self.write("app.bsky.graph.block", {"subject": whom.did})

    async def edit(self, what: Written, text: str, to: "Person") -> None:
        """Write the record anew under its address, which the app does not offer and the protocol does."""
        named, facet = mention(text, to)
        record = {"$type": POST, "createdAt": now(), "text": named, "facets": [facet]}
        body = {"repo": self.did, "collection": POST, "rkey": what.key, "record": record}
        await self.call("com.atproto.repo.putRecord", body)

    async def delete(self, what: Written) -> None:
        body = {"repo": self.did, "collection": POST, "rkey": what.key}
        await self.call("com.atproto.repo.deleteRecord", body)

    async def deactivate(self) -> None:
        await self.call("com.atproto.server.deactivateAccount", {})

    async def app_password(self, name: str) -> str:
        return str((await self.call("com.atproto.server.createAppPassword", {"name": name}))["password"])

    async def revoke(self, name: str) -> None:
        await self.call("com.atproto.server.revokeAppPassword", {"name": name})

    async def leave(self) -> None:
        """Have the account deleted by its host."""
        answer = await self.http.post(
            f"{self.pds}/xrpc/com.atproto.admin.deleteAccount", json={"did": self.did}, auth=_ADMIN
        )
        assert answer.status_code == 200, answer.text


async def join(http: httpx.AsyncClient, pds: str, name: str) -> Person:
    """A new account on the network."""
    body = {"handle": f"{name}.test", "email": f"{name}@example.be", "password": _PASSWORD}
    answer = await http.post(f"{pds}/xrpc/com.atproto.server.createAccount", json=body)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    return Person(http, pds, made["did"], made["handle"], made["accessJwt"])


def mention(text: str, whom: Person) -> tuple[str, Json]:
    """A text that ends with a person's handle, and the facet that makes it a mention."""
    start = len(f"{text} ".encode())
    named = f"{text} @{whom.handle}"
    feature = {"$type": "app.bsky.richtext.facet#mention", "did": whom.did}
    return named, {"index": {"byteStart": start, "byteEnd": len(named.encode())}, "features": [feature]}


def link(text: str, shown: str, address: str) -> Json:
    """The facet that lets a part of a text lead to an address."""
    start = len(text[: text.index(shown)].encode())
    feature = {"$type": "app.bsky.richtext.facet#link", "uri": address}
    return {"index": {"byteStart": start, "byteEnd": start + len(shown.encode())}, "features": [feature]}


def run_out(token: str) -> str:
    """The same access token as the host would have given it three hours earlier: rightly signed, and no longer good."""
    head, claims, _ = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    told |= {"iat": int(time.time()) - 10_800, "exp": int(time.time()) - 3_600}
    body = f"{head}.{_b64(json.dumps(told).encode())}"
    return f"{body}.{_b64(hmac.new(_TOKEN_KEY, body.encode(), hashlib.sha256).digest())}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
