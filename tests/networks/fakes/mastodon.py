"""A Mastodon instance as one small app: paging, rate headers, scopes, errors, apps and consent as the real ones have.

`min_id` gives the page that follows an id and `since_id` the newest one after it; the search takes either for the
latter. Every answer to an account has X-RateLimit headers, the reset in ISO 8601. What it does otherwise on older
versions and on Mastodon's kin is set by `lacks`.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.networks.fakes.mastodon_apps import Failure, Token
from tests.networks.fakes.mastodon_deeds import Deeds, multipart
from tests.networks.fakes.mastodon_people import HOST, Json

WINDOW = timedelta(minutes=5)
MOST_AT_ONCE = 20  # statuses in one look-up


@dataclass
class Fault:
    """What is answered `times` times to paths that begin so; with `only`, where the query has that.

    `done`: what was asked is done all the same. `method`: only that one. `after_seconds`: how late it answers.
    """

    path: str
    answer: Response
    times: int = 1
    only: str = ""
    done: bool = False
    method: str = ""
    after_seconds: float = 0

    def meets(self, request: Request) -> bool:
        asked = request.url
        return (
            self.times > 0
            and asked.path.startswith(self.path)
            and self.only in asked.query
            and self.method in {"", request.method}
        )


def refused(status: int, error: str = "something") -> Response:
    return JSONResponse({"error": error}, status)


@dataclass
class Instance(Deeds):
    """The instance over HTTP. `asked` has every request's path and query, oldest first.

    `lacks`: `statuses` (several at once), `search`, `instance_v2`, `min_id` (it is taken for since_id), `max_id`,
    `rate`, `app_scopes`, `public` (nobody looks without a token), `offset`. What is `filtered` by the account is taken
    out of a search's page after it was cut.
    """

    faults: list[Fault] = field(default_factory=list)
    lacks: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    limit: int = 300
    used: Counter[str] = field(default_factory=Counter)
    resets_at: datetime = field(default_factory=lambda: datetime.now(UTC) + WINDOW)
    page_cap: int = 80
    filtered: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        read = ["GET"]
        self.app = Starlette(
            routes=[
                Route("/api/v1/apps", self._posted(self.register), methods=["POST"]),
                Route("/oauth/token", self._posted(self.token), methods=["POST"]),
                Route("/api/v1/instance", self._open(self._described), methods=read),
                Route("/api/v2/instance", self._open(self._described_now), methods=read),
                Route("/api/v1/apps/verify_credentials", self._read("", self._my_app), methods=read),
                Route("/api/v1/accounts/verify_credentials", self._read("read:accounts", self._me), methods=read),
                Route("/api/v1/notifications", self._read("read:notifications", self._notifications), methods=read),
                Route("/api/v1/accounts/{id}/statuses", self._read("read:statuses", self._said_by), methods=read),
                Route("/api/v1/timelines/tag/{tag}", self._read("read:statuses", self._tagged), methods=read),
                Route("/api/v2/search", self._read("read:search", self._search), methods=read),
                Route("/api/v1/statuses", self._read("read:statuses", self._several), methods=read),
                Route("/api/v1/statuses/{id}", self._read("read:statuses", self._one, open_=True), methods=read),
                Route("/api/v1/statuses", self._write("write:statuses", self._publish), methods=["POST"]),
                Route("/api/v1/statuses/{id}", self._write("write:statuses", self._delete), methods=["DELETE"]),
                Route("/api/v1/statuses/{id}/{verb}", self._write("write:favourites", self._favour), methods=["POST"]),
                Route("/api/v1/accounts/relationships", self._read("read:follows", self._relationships), methods=read),
                Route("/api/v1/accounts/{id}/{verb}", self._write("write:blocks", self._block), methods=["POST"]),
                Route("/api/v2/media", self._write("write:media", self._upload), methods=["POST"]),
                Route("/api/v1/media/{id}", self._write("write:media", self._medium), methods=read),
            ]
        )

    def fault(self, path: str, answer: Response, times: int = 1, only: str = "", **more: Any) -> None:
        self.faults.append(Fault(path, answer, times, only, **more))

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    # ------------------------------------------------------------ the way in

    def _open(self, answer: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            self.asked.append((request.url.path, request.url.query))
            for fault in self.faults:
                if fault.meets(request):
                    fault.times -= 1
                    if fault.done:
                        answer(request)
                    await asyncio.sleep(fault.after_seconds)
                    return fault.answer
            try:
                found = answer(request)
            except Failure as failure:
                return failure.response
            return found if isinstance(found, Response) else JSONResponse(found)

        return endpoint

    def _posted(self, answer: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
            return await self._open(lambda _: answer(form))(request)  # type: ignore[no-any-return]

        return endpoint

    def _write(self, scope: str, answer: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            return await self._read(scope, lambda asked, token: answer(asked, str(token.account), body))(request)  # type: ignore[no-any-return]

        return endpoint

    def _read(self, scope: str, answer: Any, *, open_: bool = False) -> Any:
        def checked(request: Request) -> Any:
            if open_ and "authorization" not in request.headers and "public" not in self.lacks:
                return answer(request, Token(None))
            token = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
            if token is None:
                raise Failure(401, "The access token is invalid")
            if scope and not {scope, scope.partition(":")[0]} & set(token.scopes):
                raise Failure(403, "This action is outside the authorized scopes")
            if scope and token.account is None:
                raise Failure(422, "This method requires an authenticated user")
            return answer(request, token)

        async def endpoint(request: Request) -> Response:
            token = request.headers.get("authorization", "")
            self.used[token] += 1
            if self.used[token] > self.limit:
                self.asked.append((request.url.path, request.url.query))
                return self._counted(token, refused(429, "Too many requests"))
            return self._counted(token, await self._open(checked)(request))

        return endpoint

    def _counted(self, token: str, response: Response) -> Response:
        if "rate" not in self.lacks:
            response.headers["x-ratelimit-limit"] = str(self.limit)
            response.headers["x-ratelimit-remaining"] = str(max(0, self.limit - self.used[token]))
            response.headers["x-ratelimit-reset"] = self.resets_at.isoformat().replace("+00:00", "Z")
        return response

    # ------------------------------------------------------------ lists

    def _page(self, request: Request, items: Sequence[Json], *, most: int) -> Response:
        """Newest first, at most `limit`, between `min_id` or `since_id` and `max_id`, with the addresses around it."""
        query = request.query_params
        taken = min(int(query.get("limit", 20)), most, self.page_cap)
        inside = sorted(items, key=lambda item: int(item["id"]))
        if "max_id" in query and "max_id" not in self.lacks:
            inside = [item for item in inside if int(item["id"]) < int(query["max_id"])]
        floor = query.get("min_id") or query.get("since_id")
        if floor:
            inside = [item for item in inside if int(item["id"]) > int(floor)]
        forward = "min_id" in query and "min_id" not in self.lacks
        page = list(reversed(inside[:taken] if forward else inside[-taken:]))
        response = JSONResponse(page)
        if page:
            here = str(request.url.replace(query=""))
            around = (("next", {"max_id": page[-1]["id"]}), ("prev", {"min_id": page[0]["id"]}))
            response.headers["link"] = ", ".join(f'<{here}?{urlencode(place)}>; rel="{rel}"' for rel, place in around)
        return response

    def _seen_by(self, token: Token) -> list[Json]:
        return [status for status in self.statuses.values() if self.shows(status, str(token.account))]

    def _notifications(self, request: Request, token: Token) -> Response:
        told = self.notifications[str(token.account)]
        if request.query_params.get("include_filtered") != "true":
            told = [one for one in told if not one.get("filtered")]
        return self._page(request, told, most=80)

    def _said_by(self, request: Request, token: Token) -> Response:
        author = request.path_params["id"]
        if author not in self.accounts:
            raise Failure(404, "Record not found")
        return self._page(request, [s for s in self._seen_by(token) if s["account"]["id"] == author], most=40)

    def _tagged(self, request: Request, token: Token) -> Response:
        tag = request.path_params["tag"].lower()
        found = [s for s in self._seen_by(token) if tag in {one["name"] for one in s["tags"]}]
        return self._page(request, [s for s in found if s["visibility"] == "public"], most=40)

    def _search(self, request: Request, token: Token) -> Json:
        """Newest first, whichever of the two ids is asked; an address is looked up rather than searched."""
        query = request.query_params
        words = query["q"].lower()
        clauses = [plain or phrase for phrase, plain in re.findall(r'"([^"]*)"|(\S+)', words)]
        found = [
            s for s in self._seen_by(token)
            if all(one in s["content"].lower() for one in clauses) or words == s["uri"].lower()
        ]  # fmt: skip
        if "search" in self.lacks and not words.startswith("http"):
            found = []
        floor = int(query.get("min_id") or query.get("since_id") or 0)
        newest = sorted((s for s in found if int(s["id"]) > floor), key=lambda s: int(s["id"]), reverse=True)
        skip = 0 if "offset" in self.lacks else int(query.get("offset", 0))
        page = newest[skip : skip + min(int(query.get("limit", 20)), 40, self.page_cap)]
        return {"accounts": [], "statuses": [s for s in page if s["id"] not in self.filtered], "hashtags": []}

    # ------------------------------------------------------------ one by one

    def _several(self, request: Request, token: Token) -> Any:
        if "statuses" in self.lacks:
            raise Failure(404, "Not Found")
        wanted = request.query_params.getlist("id[]")
        if len(wanted) > MOST_AT_ONCE:
            raise Failure(422, "Validation failed")
        return [status for status in self._seen_by(token) if status["id"] in wanted]

    def _one(self, request: Request, token: Token) -> Json:
        status = self.statuses.get(request.path_params["id"])
        if status is None or not self.shows(status, str(token.account)):
            raise Failure(404, "Record not found")
        return self.seen(status, str(token.account))

    # ------------------------------------------------------------ deeds

    def _publish(self, request: Request, account: str, body: bytes) -> Json:
        return self.publish(account, parse_qs(body.decode()), request.headers.get("idempotency-key"))

    def _delete(self, request: Request, account: str, body: bytes) -> Json:
        return self.take_back(account, request.path_params["id"])

    def _favour(self, request: Request, account: str, body: bytes) -> Json:
        return self.favour(account, request.path_params["id"], request.path_params["verb"] == "favourite")

    def _block(self, request: Request, account: str, body: bytes) -> Json:
        return self.block(account, request.path_params["id"], request.path_params["verb"] == "block")

    def _relationships(self, request: Request, token: Token) -> list[Json]:
        wanted = request.query_params.getlist("id[]")
        return [self.relationship(str(token.account), one) for one in wanted if one in self.accounts]

    def _upload(self, request: Request, account: str, body: bytes) -> Response:
        parts = multipart(body, request.headers["content-type"])
        kind, raw = parts["file"]
        told = parts.get("description")
        return self.upload(account, raw, kind, told[1].decode() if told else None)

    def _medium(self, request: Request, account: str, body: bytes) -> Response:
        return self.medium(account, request.path_params["id"])

    # ------------------------------------------------------------ itself

    def _me(self, request: Request, token: Token) -> Json:
        return {**self.accounts[str(token.account)], "source": {"privacy": "public"}}

    def _my_app(self, request: Request, token: Token) -> Json:
        told: Json = {"name": "Parvis", "website": None}
        return told if "app_scopes" in self.lacks else {**told, "scopes": list(token.scopes)}

    def _described(self, request: Request) -> Json:
        statuses = {"max_characters": self.characters, "characters_reserved_per_url": 23,
                    "max_media_attachments": self.most_media}  # fmt: skip
        return {"uri": HOST, "version": "4.5.0", "stats": {}, "configuration": {"statuses": statuses}}

    def _described_now(self, request: Request) -> Json:
        if "instance_v2" in self.lacks:
            raise Failure(404, "Not Found")
        return {**self._described(request), "domain": HOST, "source_url": f"https://{HOST}/source"}
