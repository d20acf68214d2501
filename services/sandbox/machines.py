"""The doors for programs, by a page's token: publish, look up, follow the log, subscribe a webhook."""

import sqlite3
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi import Request as HttpRequest

from services.sandbox import deliveries, lookups, posts
from services.sandbox.people import store_of, whim_of
from services.sandbox.store import Refusal
from services.sandbox.things import Moment, Post, Publish, Subscribe, show

router = APIRouter(prefix="/api/v1")


def _page(request: HttpRequest) -> sqlite3.Row:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    row = store_of(request).account_of_token(token.strip()) if scheme.lower() == "bearer" else None
    if row is None:
        raise Refusal(401, "invalid_token", "send Authorization: Bearer with a page's token")
    return row


def _may(scope: str) -> Callable[[sqlite3.Row], sqlite3.Row]:
    def allowed(page: Annotated[sqlite3.Row, Depends(_page)]) -> sqlite3.Row:
        if scope not in page["may"].split():
            raise Refusal(403, "not_granted", f"this token was not granted the scope {scope}")
        return page

    return allowed


Page = Annotated[sqlite3.Row, Depends(_may("read"))]
Publisher = Annotated[sqlite3.Row, Depends(_may("publish"))]
Listener = Annotated[sqlite3.Row, Depends(_may("webhook"))]
Cursor = Annotated[str, Query(pattern="^[0-9]{1,18}$")]


@router.post("/posts", status_code=201)
async def publish(request: HttpRequest, page: Publisher, body: Publish) -> dict[str, str]:
    saying = posts.Saying(text=body.text, media=body.media, parent_id=body.parent_id, client_id=body.client_id)
    post = posts.say(store_of(request), page=page["handle"], by=page["handle"], saying=saying, whim=whim_of(request))
    return {"id": post.id, "url": post.url, "published_at": show(post.published_at)}


@router.get("/posts")
async def look_up(
    request: HttpRequest,
    page: Page,
    client_id: str | None = None,
    since: Moment | None = None,
    after: Cursor = "0",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, object]:
    """With client_id or since, the page's own posts; else the change log after a cursor."""
    store = store_of(request)
    if client_id is not None or since is not None:
        own = lookups.own(store, page["id"], client_id=client_id, since=since)
        return {"posts": [post.model_dump(mode="json") for post in own]}
    changes, more = lookups.changes(store, page["id"], after=int(after), limit=limit)
    return {
        "changes": [change.shown() for change in changes],
        "cursor": str(changes[-1].number) if changes else after,
        "more": more,
    }


@router.get("/posts/{post_id}")
async def get_post(request: HttpRequest, page: Page, post_id: str) -> Post:
    return lookups.get(store_of(request), post_id, account_id=page["id"])


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
async def subscribe(request: HttpRequest, page: Listener, body: Subscribe) -> dict[str, str]:
    deliveries.subscribe(store_of(request), page["id"], url=body.url, secret=body.secret)
    return {"url": body.url}


@router.delete("/webhook", status_code=204)
async def unsubscribe(request: HttpRequest, page: Listener) -> None:
    deliveries.unsubscribe(store_of(request), page["id"])
