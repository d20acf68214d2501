"""The doors for eyes: HTML pages and the few forms on them."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.sandbox import faults, lookups, moderating, page, posts
from services.sandbox.people import store_of
from services.sandbox.store import Refusal, Store
from services.sandbox.things import Edit, Post, Say

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_AT_ONCE = 300

Shape = TypeVar("Shape", Say, Edit)


async def from_here(request: HttpRequest) -> None:
    """Raise Refusal for a form that another site's page sent."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Refusal(403, "foreign", "forms are taken from this network's own pages only")


router = APIRouter()
forms = APIRouter(dependencies=[Depends(from_here)])


def html(content: str, status: int = 200) -> HTMLResponse:
    """A page that loads nothing from anywhere."""
    return HTMLResponse(content, status_code=status, headers=_HEADERS)


def surroundings(store: Store) -> page.Surroundings:
    """What stands around every page."""
    return page.Surroundings(
        pages=[store.author(row["id"]) for row in store.pages()[:_AT_ONCE]],
        now=store.now(),
        clock_moved=store.clock_offset() != 0,
        faults=len(faults.listing(store)),
        base_url=store.base_url,
    )


def _talk(store: Store, shown: Sequence[Post]) -> page.Talk:
    deleted = [post.id for post in shown if post.deleted]
    return page.Talk(shown, lookups.last_words(store, deleted))


@router.get("/")
async def home(request: HttpRequest) -> Response:
    store = store_of(request)
    return html(page.home(surroundings(store), _talk(store, lookups.newest(store, limit=_AT_ONCE))))


@router.get("/pages/{handle:path}")
async def show_page(request: HttpRequest, handle: str) -> Response:
    store = store_of(request)
    row = store.account(handle)
    if row is None:
        raise Refusal(404, "not_found", "there is no such page")
    shown = lookups.newest(store, account=handle, limit=_AT_ONCE)
    return html(page.account(surroundings(store), store.author(row["id"]), _talk(store, shown)))


@router.get("/people/{handle:path}")
async def show_person(request: HttpRequest, handle: str) -> Response:
    store = store_of(request)
    row = store.account(handle)
    if row is None:
        raise Refusal(404, "not_found", "there is nobody with this name")
    shown = lookups.newest(store, by=handle, limit=_AT_ONCE)
    blocked_on = moderating.blocked_on(store, row["id"])
    return html(page.account(surroundings(store), store.author(row["id"]), _talk(store, shown), blocked_on))


@router.get("/posts/{post_id}")
async def show_thread(request: HttpRequest, post_id: str) -> Response:
    store = store_of(request)
    return html(page.thread(surroundings(store), _talk(store, lookups.thread(store, post_id))))


@forms.post("/say")
async def say(request: HttpRequest) -> Response:
    body = _checked(Say, await _fields(request))
    saying = posts.Saying(text=body.text, kind=body.kind, parent_id=body.parent_id, rating=body.rating)
    post = posts.say(store_of(request), page=body.account, by=body.as_, saying=saying)
    return _back(post)


@forms.post("/posts/{post_id}/edit")
async def edit(request: HttpRequest, post_id: str) -> Response:
    body = _checked(Edit, await _fields(request))
    return _back(posts.edit(store_of(request), post_id, text=body.text, rating=None))


@forms.post("/posts/{post_id}/delete")
async def delete(request: HttpRequest, post_id: str) -> Response:
    posts.delete(store_of(request), post_id)
    return _back(lookups.get(store_of(request), post_id))


@forms.post("/posts/{post_id}/like")
async def like(request: HttpRequest, post_id: str) -> Response:
    posts.react(store_of(request), post_id, by="visitor", reaction="like", on=True)
    return _back(lookups.get(store_of(request), post_id))


@forms.post("/posts/{post_id}/hide")
async def hide(request: HttpRequest, post_id: str) -> Response:
    return _back(moderating.hide(store_of(request), post_id, on=True))


@forms.post("/posts/{post_id}/show")
async def show_again(request: HttpRequest, post_id: str) -> Response:
    return _back(moderating.hide(store_of(request), post_id, on=False))


async def _fields(request: HttpRequest) -> dict[str, str]:
    form = await request.form(max_fields=20, max_files=0)
    # Browsers end lines with CR LF whatever was typed.
    return {name: value.replace("\r\n", "\n") for name, value in form.items() if isinstance(value, str) and value}


def _checked(shape: type[Shape], fields: dict[str, str]) -> Shape:
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise Refusal(422, "invalid", f"{where}: {first['msg']}") from None


def _back(post: Post) -> Response:
    """To the page that it was said on, at the post itself."""
    return RedirectResponse(f"/pages/{quote(post.account, safe='')}#{post.id}", status_code=303)
