"""The doors for programs, by a page's token: publish, look up, follow the log, subscribe a webhook."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi import Request as HttpRequest

from services.sandbox import budgets, deliveries, habits, lookups, posts, tokens
from services.sandbox.people import store_of, whim_of
from services.sandbox.store import Refusal
from services.sandbox.things import Moment, Post, Publish, Refresh, Subscribe, show

router = APIRouter(prefix="/api/v1")


def page_of(request: HttpRequest) -> sqlite3.Row:
    """Whose token this is. Raises Refusal."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    store = store_of(request)
    row = None
    if scheme.lower() == "bearer":
        row = store.account_of_token(token.strip()) or tokens.account_of(store, token.strip())
    if row is None:
        raise Refusal(401, "invalid_token", "send Authorization: Bearer with a page's token")
    if habits.of(store, row["id"]).gone:
        raise Refusal(410, "gone", "this page was deleted")
    return row


def _may(scope: str) -> Callable[[sqlite3.Row], sqlite3.Row]:
    def allowed(page: Annotated[sqlite3.Row, Depends(page_of)]) -> sqlite3.Row:
        if scope not in page["may"].split():
            raise Refusal(403, "not_granted", f"this token was not granted the scope {scope}")
        return page

    return allowed


Page = Annotated[sqlite3.Row, Depends(_may("read"))]


def _within_budget(
    request: HttpRequest, response: Response, page: Annotated[sqlite3.Row, Depends(_may("publish"))]
) -> sqlite3.Row:
    """The page, with one call less in its budget. Raises Refusal (429)."""
    response.headers.update(budgets.spend(store_of(request), page["id"]))
    return page


Publisher = Annotated[sqlite3.Row, Depends(_within_budget)]
Listener = Annotated[sqlite3.Row, Depends(_may("webhook"))]
Cursor = Annotated[str, Query(pattern="^[0-9]{1,18}$")]


@router.post("/posts", status_code=201)
async def publish(request: HttpRequest, page: Publisher, body: Publish) -> dict[str, str]:
    saying = posts.Saying(
        text=body.text, media=body.media, parent_id=body.parent_id, client_id=body.client_id, audience=body.audience
    )
    post = posts.say(store_of(request), page=page["handle"], by=page["handle"], saying=saying, whim=whim_of(request))
    return {"id": post.id, "url": post.url, "published_at": show(post.published_at)}


@router.get("/posts")
async def look_up(
    request: HttpRequest,
    page: Page,
    client_id: str | None = None,
    since: Moment | None = None,
    ids: Annotated[str | None, Query(max_length=10_000)] = None,
    follow: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
    after: Cursor = "0",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, object]:
    """With ids, those posts; with client_id or since, the page's own; else the change log after a cursor."""
    store = store_of(request)
    if ids is not None:
        return {"posts": [post.model_dump(mode="json") for post in lookups.these(store, page["id"], ids.split(","))]}
    if client_id is not None or since is not None:
        own = lookups.own(store, page["id"], client_id=client_id, since=since)
        return {"posts": [post.model_dump(mode="json") for post in own]}
    habit = habits.of(store, page["id"])
    place = 0 if habit.stuck else int(after)
    changes, more = lookups.changes(store, page["id"], after=place, limit=limit, follow=follow)
    return {
        "changes": [change.shown() for change in changes],
        "cursor": str(changes[-1].number) if changes else after,
        "more": more or habit.stuck,
        **({} if habit.wait is None else {"wait": habit.wait}),
        **({} if habit.moved is None else {"moved": habit.moved}),
    }


@router.get("/history")
async def look_back(
    request: HttpRequest,
    page: Page,
    since: Moment,
    before: Cursor = "999999999999999999",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, object]:
    """What is there of the page since a moment, newest first, and from which moment on this network shows anything."""
    store = store_of(request)
    forgets = habits.of(store, page["id"]).forgets
    shown_since = since if forgets is None else max(since, store.now() - timedelta(seconds=forgets))
    posts, cursor = lookups.history(store, page["id"], since=shown_since, before=int(before), limit=limit)
    return {
        "posts": [post.model_dump(mode="json") for post in posts],
        "cursor": None if cursor is None else str(cursor),
        "since": show(shown_since),
    }


@router.get("/search")
async def search(
    request: HttpRequest,
    page: Page,
    q: Annotated[list[str], Query(min_length=1, max_length=20)],
    since: Moment,
    before: Cursor = "999999999999999999",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, object]:
    """What everybody may read on any page and holds all of these, newest first."""
    found, cursor = lookups.holding(store_of(request), q, since=since, before=int(before), limit=limit)
    return {
        "posts": [post.model_dump(mode="json") for post in found],
        "cursor": None if cursor is None else str(cursor),
        "since": show(since),
    }


@router.get("/posts/{post_id}")
async def get_post(request: HttpRequest, page: Page, post_id: str) -> Post:
    return lookups.get(store_of(request), post_id, account_id=page["id"])


@router.post("/tokens")
async def refresh(request: HttpRequest, body: Refresh) -> dict[str, str | float]:
    """The next access token for a refresh token, which is used up by it."""
    return tokens.refresh(store_of(request), body.refresh_token)


@router.get("/me")
async def me(request: HttpRequest, page: Page) -> dict[str, object]:
    store = store_of(request)
    webhook = None
    if page["webhook_url"] is not None:
        waiting = deliveries.waiting(store, page["id"])
        webhook = {"url": page["webhook_url"], "waiting": waiting, "given_up": page["given_up"]}
    return {
        "account": page["handle"],
        "id": page["id"],
        "name": page["name"],
        "url": store.page_url(page),
        "may": page["may"].split(),
        "webhook": webhook,
        "now": show(store.now()),
    }


@router.put("/webhook")
async def subscribe(request: HttpRequest, page: Listener, body: Subscribe) -> dict[str, str | float]:
    ends_in = deliveries.subscribe(store_of(request), page["id"], url=body.url, secret=body.secret)
    return {"url": body.url, **({} if ends_in is None else {"ends_in": ends_in})}


@router.delete("/webhook", status_code=204)
async def unsubscribe(request: HttpRequest, page: Listener) -> None:
    deliveries.unsubscribe(store_of(request), page["id"])
