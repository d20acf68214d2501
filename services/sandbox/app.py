"""The practice network: a small social network of our own, a stranger to Parvis.

Base: `http://{host}:{sandbox_port}`. JSON in UTF-8; bodies ≤ 1 MiB (413); unknown body fields are refused (422), so
send only what stands here.
Times are RFC 3339 UTC with microseconds and `Z`: `2026-03-01T09:00:00.123456Z`.
Errors, always: status + `{"error": {"code": "…", "message": "…"}}`. 400/422 bad input, 401 `invalid_token` |
`expired_token`, 403 `blocked`, 404 `not_found`, 409 `deleted` (edit/react/hide a deleted thing), 413 `too_large`,
429 `rate_limited` with `Retry-After` (by a fault, or by a page's budget), 500 `internal` (by a fault).
Text limit: 10,000 characters (code points) → 422 `too_long`. Media ≤ 10. Ids are opaque strings ≤ 100 characters
and the same for every account.

A post (everything that is said has this shape)
-----------------------------------------------
    {"id": "p_4f0c2a7be19d3305", "url": "http://127.0.0.1:8002/posts/p_4f0c2a7be19d3305", "account": "cafe-parvis",
     "author": {"id": "a_91b2c3d4e5f60718", "handle": "lea", "name": "Léa", "kind": "person",
     "url": "http://127.0.0.1:8002/people/lea", "followers": 240},
     "kind": "comment", "text": "Bonjour !", "parent_id": "p_…" , "rating": null,
     "media": [{"url": "https://…", "kind": "image", "alt": null}], "visibility": "public", "client_id": null,
     "published_at": "2026-03-01T09:00:00.123456Z", "edited_at": null, "deleted": false, "deleted_at": null,
     "counters": {"likes": 0, "replies": 0, "shares": 0, "views": 0}, "hidden": false, "audience": "everyone"}
- `account` is the handle of the page that it was said on or to (= the channel's external id). `author.kind` is
  `page` or `person`; `author.followers` is absent where nobody said how many there are;
  the page itself spoke iff `author.handle == account`.
- `kind`: `post comment reply message review story article`. `visibility` is `private` for messages, else `public`.
- `rating` 1–5, reviews only. `text` is `null` once deleted. `media[].kind`: free word (`image`, `video`, …), `alt`
  may be null.
- `edited_at` is null until the first edit; `client_id` is what a machine gave.
- `hidden`: by the page, from all but its author. `audience`: for whom the page meant it, `everyone` or `followers`.
- `shares`, `views`: always 0 here (this network knows them and nobody shares).

Change
------
    {"number": 17, "verb": "created", "at": "2026-03-01T09:00:00.123456Z", "post": { a post,
     as it was after this change }}
    {"number": 18, "verb": "edited",  "at": "…", "post": {…, "edited_at": "…"}}
    {"number": 19, "verb": "deleted", "at": "…", "post": {…, "text": null, "deleted": true, "deleted_at": "…"}}
    {"number": 19, "verb": "hidden" | "unhidden", "at": "…", "post": {…, "hidden": true | false}}
    {"number": 20, "verb": "named", "at": "…", "post_id": "p_…"}    (webhooks of a page with the habit `names_only`)
    {"number": 20, "verb": "reacted" | "unreacted", "at": "…",
     "reaction": {"post_id": "p_…", "account": "cafe-parvis", "by": {author}, "reaction": "like",
     "counters": {"likes": 3, "replies": 1, "shares": 0, "views": 0}}}
`number` grows over the whole network (holes for one account are normal). One reaction per person and post: another
word replaces it (`reacted`).
A change has exactly one of the two keys `post` / `reaction`; the other is absent. `at` is by the network's clock
(which can be moved).

Webhook delivery
----------------
`POST {your url}`, `Content-Type: application/json`, `User-Agent: sandbox/1`,
`X-Sandbox-Delivery: d_…` (same for every retry of this delivery; the delivery's identity),
`X-Sandbox-Signature: sha256=<hex of HMAC-SHA256(secret as UTF-8 text, raw body)>`
    {"object": "sandbox", "account": "cafe-parvis", "changes": [ {change} ]}
`changes` has one or more. 2xx settles it. Anything else: again after 1, 2, 4, … ≤ 60 s, for an hour. At least once,
in no promised order,
also after kill -9 of the network. No handshake on subscribing.

Machine API: `Authorization: Bearer <token>` (one token an account)
-------------------------------------------------------------------
- `POST /api/v1/posts` `{"text": "…", "media"?: [{"url", "kind"?, "alt"?}], "parent_id"?: "p_…"|null, "client_id"?:
  "≤200 chars"|null, "audience"?: "everyone"|"followers"}` → 201
  `{"id": "p_…", "url": "…", "published_at": "…"}`. Not idempotent: the same client_id twice makes two posts. With a
  `parent_id`: a comment (parent is a
  post/review/story/article), a reply (parent is a comment/reply) or a message (parent is a message). Unknown
  parent, or one on another page: 422 `unknown_parent`;
  deleted parent: 422 `parent_deleted`. Text or media must not be empty: 422.
- `DELETE /api/v1/posts/{id}` → 204: what the page said, or anybody on it; again: 204.
- `PUT /api/v1/posts/{id}/hidden` → 200 `{"id", "url"}`, `DELETE` → 204: hide what somebody else said on the page, or
  show it again; the page's own words: 422 `wrong_kind`.
- `PUT /api/v1/posts/{id}/like` → 200 `{"id", "url"}`, `DELETE` → 204: as the page. `PUT /api/v1/blocked/{author id}` →
  200 `{"id", "url"}`, `DELETE` → 204: who is blocked can't speak or react on the page any more (403 `blocked`).
  `GET /api/v1/blocked` → `{"blocked": [author…]}`. All of these may be repeated: what is so already is no change.
  A page with a budget by habit is answered each of its changing calls with `X-RateLimit-Limit`,
  `X-RateLimit-Remaining` and `X-RateLimit-Reset` (seconds).
- `GET /api/v1/posts?client_id=…[&since=rfc3339]` → 200 `{"posts": [post…]}`: what this page itself posted with that
  client_id (published_at ≥ since),
  oldest first; a deleted one is still listed with `deleted: true`. `since` alone works too. At most 1000.
- `GET /api/v1/posts?after=<cursor>&limit=1..100` (neither client_id nor since) → 200 the change log, oldest first,
  from the first change after the cursor (absent: from the beginning):
  `{"changes": [change…], "cursor": "20", "more": false}`. `cursor` is always a string (the one given when nothing
  new; "0" at the very start). A bad cursor or limit: 422.
  Default limit 50.
  `&follow=<word>` (repeated): with what was said on other pages in which the word stands. By habit also `"wait":
  seconds` (leave me alone for so long) and `"moved": "<address>"`.
- `GET /api/v1/posts?ids=p_…,p_…` → 200 `{"posts": [post…]}`: those that are on this page, deleted ones too.
- `GET /api/v1/history?since=rfc3339[&before=<cursor>][&limit=1..100]` → 200 `{"posts": [post…], "cursor": "…"|null,
  "since": rfc3339}`: what is there of the page, newest first; `since` is later than asked for where it forgets.
- `GET /api/v1/search?q=…[&q=…]&since=rfc3339[&before=<cursor>][&limit=1..100]` → 200 as `history`: what everybody may
  read on any page and holds all of these, without case and accents, newest first.
- `POST /api/v1/tokens {"refresh_token"}` (without a token) → 200 `{"access_token", "refresh_token", "expires_in"}`; a
  refresh token is good for one exchange: 400 `invalid_grant` after that.
- `GET /api/v1/posts/{id}` → 200 a post (anything on/to this account) with live counters; 404 else. A deleted one is
  200 with `deleted: true`.
- `GET /api/v1/me` → 200 `{"account": "cafe-parvis", "id": "a_…", "name": "…", "url": "…", "may": ["read",
  "publish", "webhook"],
  "webhook": {"url": "…", "waiting": 0, "given_up": 0} | null, "now": "…"}`
- `PUT /api/v1/webhook` `{"url": "http(s)://…", "secret": "1–500 chars"}` → 200 `{"url": "…", "ends_in"?: seconds}`
  (replaces; what waits
  goes to the new url with the new secret).
  `DELETE /api/v1/webhook` → 204. Only changes made while a webhook is set are delivered.

Person API (no token)
---------------------
- `POST /api/accounts {"account", "name"?, "token"?}` → 201 (new) / 200 `{"account", "id", "name", "url", "token":
  "sbx_…"}`: same token every time, for a new page the one given (20 to 200 of
  letters, digits, `-`, `_`). `GET /api/accounts` lists, without tokens.
- `POST /api/accounts/{handle}/login {"seconds"?: 3600}` → 201 `{"access_token", "refresh_token", "expires_in"}`: a
  login that runs out by the network's clock (401 `expired_token`). `DELETE` → 204: all of them end (401).
- `PUT /api/accounts/{handle}/habits {"names_only"?, "hook_seconds"?, "wait"?, "stuck"?, "forgets"?, "moved"?, "gone"?,
  "budget"?: {"calls", "seconds"}}` → 200: what this network does with the page by habit; what is left out it does
  not. A page that is `gone` answers every program 410 `gone`.
- `POST /api/say {"account", "as", "text"?, "kind"?, "parent_id"?, "rating"?, "media"?, "name"?, "followers"?}` → 201
  `{"id", "url"}`. Page and author are made on first use. `name` is the author's shown name, `followers` how many
  follow them from now on.
  Kind by default: by parent as above; with a rating `review`; else `post`.
- `GET /api/posts?account=…[&limit=1..10000][&before=id]` → `{"posts": [post…], "total": n}` newest first (default
  1000; without `account`: all pages).
- `GET /api/posts/{id}`; `PATCH /api/posts/{id} {"text"?, "rating"?}` → 200 post; `DELETE /api/posts/{id}` → 204
  (again: 204).
- `POST /api/posts/{id}/hidden {"on"?: true}` → 200 post. `GET /api/accounts/{handle}/blocked` → `{"blocked": […]}`.
- `POST /api/posts/{id}/reactions {"as", "reaction"?: "like", "on"?: true}` → 200 `{"counters": {…}}`.
- `POST /api/clock {"at": rfc3339|null}` → `{"now", "moved"}`; it goes on ticking from there; null: real time. `GET
  /api/clock`.
- `POST /api/faults {"match"?, "effect", "count"?: 1}` → 201 `{"id", "match", "effect", "count"}`; `GET
  /api/faults`; `DELETE /api/faults` → 204.
  `match`: `{"method"?, "path"?: prefix or glob, "account"?, "body"?: substring of the raw body}` or "POST
  /api/v1/posts" or "/api/v1/posts". The oldest fault that matches is used up once per request.
  Never matched: /api/faults, /api/clock, /healthz, /readyz, the HTML pages.
  `effect` (object with `type`, or the type as text):
  - `status` {status, retry_after?} (text: "429", "500", "rate_limited"): nothing is done, that status
  - `expired_token`: nothing is done, 401 `expired_token`
  - `timeout` {seconds=60, done=true} (text also "accept_then_timeout"): done (unless done=false), then no answer
    for that long
  - `created_then_400`, `created_then_500`, `created_then` {status}: done, then that status
  - `reset` {done=true}: done, then the connection is reset without an answer
  - `show_late` {seconds=5}: done, answered 201, but no look-up, log or webhook shows it for that long (real time)
    (what is done to a thing that is there is told late by log and webhook, and looked up at once)
  - `away` {seconds=5, status=503}: for so long (real time; `count` does not matter) everything that matches is
    answered so; with `"how": "reset"` the connection is reset; with `"how": "refused"` nobody listens at all
  - `twice`: done, answered, but each webhook is delivered twice, under two delivery ids
  `show_late: seconds` may also stand inside any effect that is done.

Consent (OAuth 2, RFC 6749 with PKCE S256, RFC 7636)
----------------------------------------------------
- `POST /api/oauth/apps {"name", "redirect_uris": […], "deauthorize_url"?, "deletion_url"?}` → 201 `{"client_id",
  "client_secret", "name"}`.
- `GET /oauth/authorize?response_type=code&client_id&redirect_uri&scope&state&code_challenge&code_challenge_method=S256`
  → a page: who are you, which of your pages, which scopes (`read publish webhook`; read is always given). It sends
  the browser to `redirect_uri?code&state`, or `?error=access_denied&state`. A wrong client or redirect address is said
  on the page and goes nowhere; any other mistake goes back as `error=invalid_request`.
- `POST /api/oauth/token` (form) `grant_type=authorization_code&code&redirect_uri&client_id&client_secret&code_verifier`
  → 200 `{"access_token": "sbu_…", "token_type": "Bearer", "scope"}`. A code holds for 60 s, once; the second time, what
  it gave is taken back. Errors as in RFC 6749 5.2: 400 `{"error": "invalid_grant" | "invalid_request" |
  "unsupported_grant_type"}`, 401 `invalid_client`.
- `GET /api/oauth/pages` with that token → `{"person": {"id", "handle"}, "pages": [{"account", "name", "token": "sbp_…",
  "may": ["read", …]}]}`: a token for each page that was given; without the scope, publishing and the webhook are 403
  `not_granted`.
- `POST /api/oauth/withdraw {"as", "client_id", "forget"?: false}` → 200 `{"tokens": n, "told": {"status", "answer"} |
  {"error"} | null}`: the person takes everything back, and the app is told by a form at its `deauthorize_url`, or with
  `forget` at its `deletion_url`: `signed_request=<signature>.<payload>`, base64url without padding, the signature being
  HMAC-SHA256(client secret, payload as it is written), the payload `{"algorithm", "issued_at", "nonce", "user_id"}`.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from services.sandbox import acting, asking, granting, machines, page, people, views
from services.sandbox.deliveries import Courier
from services.sandbox.liar import Liar
from services.sandbox.store import Refusal, Store


def create_app(file: Path, base_url: str, *, shut: Callable[[float], None] | None = None) -> ASGIApp:
    """The whole network over one SQLite file; its courier runs as long as the app does.

    `shut` closes the door that it is served at for some seconds, where whoever serves it can do that.
    """
    store = Store(file, base_url)
    app = FastAPI(
        title="The practice network",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    app.state.store = store
    app.state.courier = None
    app.state.shut = shut
    for router in (
        people.router,
        machines.router,
        acting.router,
        granting.router,
        asking.router,
        asking.forms,
        views.router,
        views.forms,
    ):
        app.include_router(router)
    app.add_api_route("/healthz", _healthz)
    app.add_api_route("/readyz", _readyz)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _broken)
    return Liar(app, store)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    courier = asyncio.create_task(Courier(app.state.store).run(), name="courier")
    app.state.courier = courier
    yield
    courier.cancel()
    with suppress(asyncio.CancelledError):
        await courier
    app.state.store.close()


async def _healthz() -> dict[str, str]:
    return {"status": "ok"}


async def _readyz(request: HttpRequest) -> Response:
    """Ready when the file can be read and webhooks are being delivered."""
    courier: asyncio.Task[None] | None = request.app.state.courier
    try:
        request.app.state.store.clock_offset()
        database = "up"
    except sqlite3.Error:
        database = "down"
    deliveries = "up" if courier is not None and not courier.done() else "down"
    ready = database == deliveries == "up"
    return JSONResponse(
        {"status": "ready" if ready else "not ready", "database": database, "deliveries": deliveries},
        status_code=200 if ready else 503,
    )


# ---------------------------------------------------------------- refusals


async def _refused(request: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    answer = _answer(request, error.status, error.code, error.message)
    answer.headers.update(error.headers)
    return answer


async def _invalid(request: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _answer(request, 400, "not_json", f"the body is not JSON: {first['ctx']['error']}")
    where = ".".join(str(step) for step in first["loc"] if step != "body")
    return _answer(request, 422, "invalid", f"{where}: {first['msg']}" if where else str(first["msg"]))


async def _http_error(request: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    answer = _answer(request, error.status_code, code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _broken(request: HttpRequest, _error: Exception) -> Response:
    return _answer(request, 500, "internal", "this network made a mistake; its log says which")


def _answer(request: HttpRequest, status: int, code: str, message: str) -> Response:
    # What a sender wrote may come back in the message, and need not be text that can be encoded.
    message = message.encode("utf-8", "replace").decode()
    if request.url.path.startswith(("/api/", "/healthz", "/readyz")):
        return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
    return views.html(page.refusal(views.surroundings(request.app.state.store), message), status)
