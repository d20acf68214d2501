"""The doors for people, tests and teachers, without a token: speak as anybody, look, lie, move the clock."""

import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi import Request as HttpRequest

from services.sandbox import faults, habits, lookups, moderating, posts, tokens
from services.sandbox.store import Refusal, Store
from services.sandbox.things import Author, Counters, Edit, Hide, LogIn, NewAccount, Post, React, Say, SetClock, show

router = APIRouter(prefix="/api")


def store_of(request: HttpRequest) -> Store:
    """The memory that this app was made with."""
    store: Store = request.app.state.store
    return store


def whim_of(request: HttpRequest) -> posts.Whim:
    """What the list of faults has in mind for this request."""
    whim: posts.Whim = request.scope.get(faults.WHIM, posts.NO_WHIM)
    return whim


@router.post("/accounts")
async def create_account(request: HttpRequest, body: NewAccount, response: Response) -> dict[str, str]:
    store = store_of(request)
    with store.write():
        known = store.account(body.account)
        row = store.ensure_account(body.account, name=body.name, page=True)
        token = store.ensure_token(row, body.token)
    response.status_code = 200 if known is not None and known["page"] else 201
    return {
        "account": row["handle"],
        "id": row["id"],
        "name": row["name"],
        "url": store.page_url(row),
        "token": token,
    }


@router.get("/accounts")
async def list_accounts(request: HttpRequest) -> dict[str, list[dict[str, str]]]:
    store = store_of(request)
    return {
        "accounts": [
            {"account": row["handle"], "id": row["id"], "name": row["name"], "url": store.page_url(row)}
            for row in store.pages()
        ]
    }


@router.post("/accounts/{handle}/login", status_code=201)
async def log_in(request: HttpRequest, handle: str, body: LogIn) -> dict[str, str | float]:
    return tokens.log_in(store_of(request), handle, seconds=body.seconds)


@router.delete("/accounts/{handle}/login", status_code=204)
async def log_out(request: HttpRequest, handle: str) -> None:
    tokens.log_out(store_of(request), handle)


@router.put("/accounts/{handle}/habits")
async def change_habits(request: HttpRequest, handle: str, body: habits.Habits) -> habits.Habits:
    habits.change(store_of(request), handle, body)
    return body


@router.post("/say", status_code=201)
async def say(request: HttpRequest, body: Say) -> dict[str, str]:
    saying = posts.Saying(
        text=body.text,
        media=body.media,
        kind=body.kind,
        parent_id=body.parent_id,
        rating=body.rating,
        followers=body.followers,
    )
    post = posts.say(
        store_of(request), page=body.account, by=body.as_, name=body.name, saying=saying, whim=whim_of(request)
    )
    return {"id": post.id, "url": post.url}


@router.get("/posts")
async def list_posts(
    request: HttpRequest,
    account: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    before: str | None = None,
) -> dict[str, list[Post] | int]:
    store = store_of(request)
    return {
        "posts": lookups.newest(store, account=account, limit=limit, before=before),
        "total": lookups.count(store, account=account),
    }


@router.get("/posts/{post_id}")
async def get_post(request: HttpRequest, post_id: str) -> Post:
    return lookups.get(store_of(request), post_id)


@router.patch("/posts/{post_id}")
async def edit_post(request: HttpRequest, post_id: str, body: Edit) -> Post:
    return posts.edit(store_of(request), post_id, text=body.text, rating=body.rating, whim=whim_of(request))


@router.delete("/posts/{post_id}", status_code=204)
async def delete_post(request: HttpRequest, post_id: str) -> None:
    posts.delete(store_of(request), post_id, whim=whim_of(request))


@router.post("/posts/{post_id}/reactions")
async def react(request: HttpRequest, post_id: str, body: React) -> dict[str, Counters]:
    counters = posts.react(
        store_of(request), post_id, by=body.as_, reaction=body.reaction, on=body.on, whim=whim_of(request)
    )
    return {"counters": counters}


@router.post("/posts/{post_id}/hidden")
async def hide(request: HttpRequest, post_id: str, body: Hide) -> Post:
    return moderating.hide(store_of(request), post_id, on=body.on, whim=whim_of(request))


@router.get("/accounts/{handle}/blocked")
async def list_blocked(request: HttpRequest, handle: str) -> dict[str, list[Author]]:
    store = store_of(request)
    row = store.account(handle)
    return {"blocked": [] if row is None else moderating.blocked(store, row["id"])}


@router.post("/faults", status_code=201)
async def add_fault(request: HttpRequest, body: faults.Fault) -> dict[str, object]:
    if body.effect.type == "away" and body.effect.how == "refused":
        shut: Callable[[float], None] | None = request.app.state.shut
        if shut is None:
            raise Refusal(422, "invalid", "this network is served by somebody who can't close its door")
        shut(body.effect.away_seconds or 0)
        return {"id": f"f_{secrets.token_hex(8)}", **body.model_dump()}
    return {"id": faults.add(store_of(request), body), **body.model_dump()}


@router.get("/faults")
async def list_faults(request: HttpRequest) -> dict[str, list[dict[str, object]]]:
    return {"faults": faults.listing(store_of(request))}


@router.delete("/faults", status_code=204)
async def clear_faults(request: HttpRequest) -> None:
    faults.clear(store_of(request))


@router.post("/clock")
async def move_clock(request: HttpRequest, body: SetClock) -> dict[str, str | bool]:
    store_of(request).move_clock(body.at)
    return clock_reading(store_of(request))


@router.get("/clock")
async def read_clock(request: HttpRequest) -> dict[str, str | bool]:
    return clock_reading(store_of(request))


def clock_reading(store: Store) -> dict[str, str | bool]:
    """What the network thinks the time is, and whether that was moved."""
    return {"now": show(store.now()), "moved": store.clock_offset() != 0}
