"""A Bluesky network in one small app: personal data server and AppView, as the real ones answer.

Seen on the real servers (0.3.215 of their development network) and kept here: lists are in the order of the time that a
post claims where that is in the past; notifications from people out of sight are taken out of a page, which may then be
empty and lead on; a cursor that is not theirs is a 502; an edited post keeps its address; blocks and deactivated
accounts leave no trace in getPosts; a token that ran out is a 400.
"""

import asyncio
import base64
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.networks.fakes.bluesky_deeds import Deeds
from tests.networks.fakes.bluesky_failure import Failure
from tests.networks.fakes.bluesky_paging import page as page_of
from tests.networks.fakes.bluesky_people import BLOCK, LIKE, POST, Account, Json, Record, iso


@dataclass
class Fault:
    """What is answered in place of the truth, `times` times; `done`: what was asked is done all the same."""

    answer: Response
    times: int = 1
    done: bool = False
    after_seconds: float = 0


class BlueskyNetwork(Deeds):
    """The network over HTTP. `token_seconds`: how long an access token lasts. `asked` counts the calls by method."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""  # where it serves, known once it does
        self.token_seconds = 7200.0
        self.faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.queries: list[tuple[str, dict[str, list[str]]]] = []
        self.remaining: int | None = None
        self.search_depth: int | None = None  # so many posts deep it refuses to go on
        self.closed: set[str] = set()  # posts that only some may answer
        self._access: dict[str, tuple[str, float]] = {}
        self._refresh: dict[str, str] = {}
        self.app = Starlette(routes=[Route("/xrpc/{method}", self._answer, methods=["GET", "POST"])])

    # ------------------------------------------------------------ sessions, ended on purpose

    def revoke(self, who: Account) -> None:
        """Delete the app password: its sessions end with it."""
        who.password = "gone-gone-gone-gone"
        self._access = {token: held for token, held in self._access.items() if held[0] != who.did}
        self._refresh = {token: did for token, did in self._refresh.items() if did != who.did}

    def end_tokens(self) -> None:
        """Let every access token run out now."""
        self._access = {token: (did, 0.0) for token, (did, _) in self._access.items()}

    def forget_refresh(self) -> None:
        self._refresh.clear()

    # ------------------------------------------------------------ what programs ask

    async def _answer(self, request: Request) -> Response:
        method = request.path_params["method"]
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        self.asked[method] += 1
        self.queries.append((method, query))
        fault = self.faults.get(method)
        if fault is not None and fault.times > 0:
            fault.times -= 1
            if fault.done:
                await self._do(method, query, request)
            await asyncio.sleep(fault.after_seconds)
            return fault.answer
        return await self._do(method, query, request)

    async def _do(self, method: str, query: dict[str, list[str]], request: Request) -> Response:
        handler: Callable[..., Any] | None = getattr(self, "_" + method.rpartition(".")[2], None)
        try:
            if handler is None:
                raise Failure(501, "MethodNotImplemented", "Method Not Implemented")  # noqa: TRY301
            raw = await request.body()
            is_blob = method == "com.atproto.repo.uploadBlob"
            body = (raw, request.headers["content-type"]) if is_blob else json.loads(raw or b"{}")
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            answer = handler(query, bearer, body)
        except Failure as error:
            return error.response
        headers = {} if self.remaining is None else self._limits()
        headers |= self.spent(method.rpartition(".")[2])
        return JSONResponse(answer, headers=headers)

    def _limits(self) -> dict[str, str]:
        assert self.remaining is not None
        self.remaining = max(0, self.remaining - 1)
        return {"ratelimit-limit": "3000", "ratelimit-remaining": str(self.remaining),
                "ratelimit-reset": str(int(time.time()) + 30), "ratelimit-policy": "3000;w=300"}  # fmt: skip

    def _viewer(self, bearer: str) -> Account:
        if not bearer:
            raise Failure(401, "AuthMissing", "Authentication Required")
        if bearer not in self._access:
            raise Failure(400, "InvalidToken", "Token could not be verified")
        did, until = self._access[bearer]
        if time.time() >= until:
            raise Failure(400, "ExpiredToken", "Token has expired")
        account = self.accounts.get(did)
        if account is None or account.status == "takendown":
            raise Failure(401, "AccountTakedown", "Account has been taken down")
        return account

    def _resolveHandle(self, query: Any, bearer: str, body: Json) -> Json:
        [handle] = query["handle"]
        for account in self.accounts.values():
            if account.handle == handle:
                return {"did": account.did}
        raise Failure(400, "InvalidRequest", "Unable to resolve handle")

    def document(self, account: Account) -> Json:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.url}
        return {"id": account.did, "alsoKnownAs": [f"at://{account.handle}"], "service": [service]}

    def _describeRepo(self, query: Any, bearer: str, body: Json) -> Json:
        account = self.accounts.get(query["repo"][0])
        if account is None:
            raise Failure(400, "RepoNotFound", f"Could not find repo for DID: {query['repo'][0]}")
        if account.status != "active":
            raise Failure(400, f"Repo{account.status.title()}", "Repo is not here")
        return {"did": account.did, "handle": account.handle, "didDoc": self.document(account), "handleIsCorrect": True}

    def _createSession(self, query: Any, bearer: str, body: Json) -> Json:
        for account in self.accounts.values():
            if body["identifier"] in {account.did, account.handle} and body["password"] == account.password:
                if account.status == "takendown":
                    raise Failure(401, "AccountTakedown", "Account has been taken down")
                return self._session(account)
        raise Failure(401, "AuthenticationRequired", "Invalid identifier or password")

    def _refreshSession(self, query: Any, bearer: str, body: Json) -> Json:
        did = self._refresh.get(bearer)
        if did is None:
            raise Failure(400, "ExpiredToken", "Token has been revoked")
        return self._session(self.accounts[did])

    def _session(self, account: Account) -> Json:
        now, number = time.time(), next(self.numbers)
        until = now + self.token_seconds
        claims = {"scope": "com.atproto.appPass", "sub": account.did, "iat": int(now), "exp": int(until)}
        access = ".".join(_b64(piece) for piece in ({"alg": "HS256"}, claims, number))
        refresh = ".".join(_b64(piece) for piece in ({"alg": "HS256"}, {"exp": int(now) + 7_776_000}, number))
        self._access[access], self._refresh[refresh] = (account.did, until), account.did
        active = {"active": account.status == "active"}
        status = {} if account.status == "active" else {"status": account.status}
        return {"did": account.did, "handle": account.handle, "accessJwt": access, "refreshJwt": refresh,
                **active, **status}  # fmt: skip

    def _getSession(self, query: Any, bearer: str, body: Json) -> Json:
        account = self._viewer(bearer)
        return {"did": account.did, "handle": account.handle, "active": account.status == "active"}

    def _getPreferences(self, query: Any, bearer: str, body: Json) -> Json:
        return {"preferences": self._viewer(bearer).preferences}

    def _listNotifications(self, query: Any, bearer: str, body: Json) -> Json:
        viewer = self._viewer(bearer)
        mine = [told for told in self.notifications if told[0] == viewer.did]
        page, cursor = page_of(mine, query, lambda told: told[1].at)
        page = [told for told in page if self._sees(viewer, told[1].did)]
        found = [
            {"uri": made.uri, "cid": made.cid, "author": self._author(made.did), "reason": reason,
             **({"reasonSubject": subject} if subject else {}), "record": made.value, "isRead": False,
             "indexedAt": iso(made.at), "labels": []}
            for _, made, reason, subject in page
        ]  # fmt: skip
        return {"notifications": found, **cursor, "priority": False}

    def _getAuthorFeed(self, query: Any, bearer: str, body: Json) -> Json:
        viewer, [actor] = self._viewer(bearer), query["actor"]
        page, cursor = page_of([r for r in self._posts(viewer) if r.did == actor], query, lambda record: record.at)
        return {"feed": [{"post": self._view(record, viewer)} for record in page], **cursor}

    def _searchPosts(self, query: Any, bearer: str, body: Json) -> Json:
        viewer, asked = self._viewer(bearer), query["q"][0].lower()
        words = [plain or phrase for phrase, plain in re.findall(r'"([^"]*)"|(\S+)', asked)]
        since, until = (query.get(name, [other])[0] for name, other in (("since", ""), ("until", "9")))
        found = [
            r for r in self._posts(viewer)
            if all(word in r.value["text"].lower() for word in words) and since <= iso(r.at) < until
        ]  # fmt: skip
        place = query.get("cursor", [""])[0]
        if self.search_depth and place and sum(iso(r.at) >= place for r in found) >= self.search_depth:
            raise Failure(400, "InvalidRequest", "Error: cursor is out of range")
        page, cursor = page_of(found, query, lambda record: record.at)
        return {"posts": [self._view(record, viewer) for record in page], **cursor}

    def _getPosts(self, query: Any, bearer: str, body: Json) -> Json:
        viewer, uris = self._viewer(bearer), query["uris"]
        if len(uris) > 25:
            raise Failure(400, "InvalidRequest", "Error: uris must not have more than 25 elements")
        shown = {record.uri: record for record in self._posts(viewer)}
        return {"posts": [self._view(shown[uri], viewer) for uri in uris if uri in shown]}

    def _getPostThread(self, query: Any, bearer: str, body: Json) -> Json:
        viewer = self._viewer(bearer)
        [uri] = query["uri"]
        if uri not in self.records:
            raise Failure(400, "NotFound", f"Post not found: {uri}")
        answers = [r for r in self.records.values() if r.value.get("reply", {}).get("parent", {}).get("uri") == uri]
        kind = "app.bsky.feed.defs#threadViewPost"
        replies = [{"$type": kind, "post": self._view(record, viewer), "replies": []} for record in answers]
        return {"thread": {"$type": kind, "post": self._view(self.records[uri], viewer), "replies": replies}}

    def _getRecord(self, query: Any, bearer: str, body: Json) -> Json:
        did = query["repo"][0]
        if did not in self.accounts or self.accounts[did].status != "active":
            raise Failure(400, "InvalidRequest", f"Could not find repo: {did}")
        uri = f"at://{did}/{query['collection'][0]}/{query['rkey'][0]}"
        if uri not in self.records:
            raise Failure(400, "RecordNotFound", f"Could not locate record: {uri}")
        return {"uri": uri, "cid": self.records[uri].cid, "value": self.records[uri].value}

    def _createRecord(self, query: Any, bearer: str, body: Json) -> Json:
        return self.create(self._own_repo(bearer, body), body)

    def _putRecord(self, query: Any, bearer: str, body: Json) -> Json:
        return self.put(self._own_repo(bearer, body), body)

    def _deleteRecord(self, query: Any, bearer: str, body: Json) -> Json:
        return self.remove(self._own_repo(bearer, body), body)

    def _uploadBlob(self, query: Any, bearer: str, body: tuple[bytes, str]) -> Json:
        self._viewer(bearer)
        return self.blob(*body)

    def _own_repo(self, bearer: str, body: Json) -> Account:
        who = self._viewer(bearer)
        if body["repo"] != who.did:
            raise Failure(401, "AuthenticationRequired", "Authentication Required")
        return who

    def _getProfile(self, query: Any, bearer: str, body: Json) -> Json:
        account = self.accounts.get(query["actor"][0])
        if account is None:
            raise Failure(400, "InvalidRequest", "Profile not found")
        if account.status == "deactivated":
            raise Failure(400, "AccountDeactivated", "Account is deactivated")
        if account.status == "takendown":
            raise Failure(400, "AccountTakedown", "Account has been suspended")
        shown = self._author(account.did)
        if bearer and (by := self.viewing(self._viewer(bearer), BLOCK, account.did)):
            shown["viewer"] = {**shown["viewer"], "blocking": by}
        return shown

    # ------------------------------------------------------------ views

    def _sees(self, viewer: Account, did: str) -> bool:
        other = self.accounts.get(did)
        return (
            other is not None
            and other.status == "active"
            and not ({did} & viewer.blocks or {viewer.did} & other.blocks)
        )

    def _posts(self, viewer: Account) -> list[Record]:
        return [r for r in self.records.values() if r.collection == POST and self._sees(viewer, r.did)]

    def _author(self, did: str) -> Json:
        account = self.accounts[did]
        named = {"displayName": account.name} if account.name else {}
        return {"did": did, "handle": account.handle, **named, "viewer": {"muted": False}, "labels": account.labels}

    def _view(self, record: Record, viewer: Account) -> Json:
        told = Counter(reason for _, _, reason, subject in self.notifications if subject == record.uri)
        counters = {f"{reason}Count": told[reason] for reason in ("like", "repost", "reply", "quote")}
        return {"uri": record.uri, "cid": record.cid, "author": self._author(record.did), "record": record.value,
                **counters, "indexedAt": iso(record.at), "labels": [],
                "viewer": self._relation(record, viewer)}  # fmt: skip

    def _relation(self, record: Record, viewer: Account) -> Json:
        """What the viewer did with a post, and may do."""
        liked = self.viewing(viewer, LIKE, record.uri)
        return {**({"like": liked} if liked else {}), **({"replyDisabled": True} if record.uri in self.closed else {})}


def _b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
