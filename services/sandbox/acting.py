"""The doors for programs that act on what is there: delete, hide, like, block. Done twice it is as if done once."""

from fastapi import APIRouter
from fastapi import Request as HttpRequest

from services.sandbox import lookups, moderating, posts
from services.sandbox.machines import Page, Publisher
from services.sandbox.people import store_of, whim_of
from services.sandbox.things import Author, Post

router = APIRouter(prefix="/api/v1")


def _here(request: HttpRequest, page: Publisher, post_id: str) -> Post:
    """The post, where it is on this page. Raises Refusal (404)."""
    return lookups.get(store_of(request), post_id, account_id=page["id"])


@router.delete("/posts/{post_id}", status_code=204)
async def delete(request: HttpRequest, page: Publisher, post_id: str) -> None:
    """What the page said, or what anybody said on it."""
    _here(request, page, post_id)
    posts.delete(store_of(request), post_id, whim=whim_of(request))


@router.put("/posts/{post_id}/hidden")
async def hide(request: HttpRequest, page: Publisher, post_id: str) -> dict[str, str]:
    _here(request, page, post_id)
    post = moderating.hide(store_of(request), post_id, on=True, whim=whim_of(request))
    return {"id": post.id, "url": post.url}


@router.delete("/posts/{post_id}/hidden", status_code=204)
async def unhide(request: HttpRequest, page: Publisher, post_id: str) -> None:
    _here(request, page, post_id)
    moderating.hide(store_of(request), post_id, on=False, whim=whim_of(request))


@router.put("/posts/{post_id}/like")
async def like(request: HttpRequest, page: Publisher, post_id: str) -> dict[str, str]:
    post = _here(request, page, post_id)
    posts.react(store_of(request), post_id, by=page["handle"], reaction="like", on=True, whim=whim_of(request))
    return {"id": post.id, "url": post.url}


@router.delete("/posts/{post_id}/like", status_code=204)
async def unlike(request: HttpRequest, page: Publisher, post_id: str) -> None:
    _here(request, page, post_id)
    posts.react(store_of(request), post_id, by=page["handle"], reaction="like", on=False, whim=whim_of(request))


@router.put("/blocked/{person_id}")
async def block(request: HttpRequest, page: Publisher, person_id: str) -> dict[str, str]:
    person = moderating.block(store_of(request), page["id"], person_id, on=True)
    return {"id": person.id, "url": person.url}


@router.delete("/blocked/{person_id}", status_code=204)
async def unblock(request: HttpRequest, page: Publisher, person_id: str) -> None:
    moderating.block(store_of(request), page["id"], person_id, on=False)


@router.get("/blocked")
async def list_blocked(request: HttpRequest, page: Page) -> dict[str, list[Author]]:
    return {"blocked": moderating.blocked(store_of(request), page["id"])}
