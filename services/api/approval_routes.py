"""The page on which a client approves by a link. It asks for no key; its twin for frontends is `approval_json`."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.api import approval_page, approving
from services.api.approval_words import spoken
from services.api.context import Services
from services.api.errors import TooMany, status_of
from shared.errors import Conflict, Invalid, NotFound, Over, ParvisError, Stale
from shared.ids import Prefix, typeid
from shared.models.enums import ApprovalKind

router = APIRouter(include_in_schema=False)

# The address is a secret: it is kept nowhere, and told to nobody whom the browser asks next. Pictures come from
# wherever they stand; nothing else does.
_HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'none'; img-src * data:; media-src *;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
}
_MOST_FIELDS = 20


@router.get("/approve/{token}")
async def show(request: Request, token: str) -> Response:
    """The posts of a link, as they will look."""
    services: Services = request.app.state.services
    try:
        await approving.spend(request, token)
        view = await approving.look(services, token)
    except (NotFound, Over, TooMany) as error:
        return _instead(request, error)
    done = request.query_params.get("done", "")
    known = {typeid(Prefix.POST, one.post.id) for one in view.posts}
    notes = {done: "done"} if done in known else {}
    return HTMLResponse(approval_page.page(services, view, token, notes=notes, typed={}), headers=_HEADERS)


@router.post("/approve/{token}")
async def answer(request: Request, token: str) -> Response:
    """A form that was sent. What can't be taken is said on the page, beside the post as it now is."""
    services: Services = request.app.state.services
    typed = await _fields(request)
    post = typed.get("post", "")
    try:
        await approving.spend(request, token)
        view = await approving.look(services, token)
        approving.require_seal(
            services, view.link, post=post, content=typed.get("content", ""), given=typed.get("seal", "")
        )
        await approving.say(
            services, token, post=post, content=typed["content"], kind=_verdict(typed.get("verdict")),
            name=typed.get("name", ""), comment=typed.get("comment"),
        )  # fmt: skip
    except (NotFound, Over, TooMany) as error:
        return _instead(request, error)
    except (Stale, Conflict, Invalid) as error:
        view = await approving.look(services, token)
        content = approval_page.page(services, view, token, notes={post: _note(error)}, typed=typed)
        return HTMLResponse(content, status_of(error), headers=_HEADERS)
    return RedirectResponse(f"/approve/{token}?done={post}#{post}", 303, headers=_HEADERS)


def _instead(request: Request, error: ParvisError) -> Response:
    """A page in words where there is nothing to show."""
    if isinstance(error, Over):
        content = approval_page.sentence(error.language, "over")
    else:
        key = "slow" if isinstance(error, TooMany) else "unknown"
        content = approval_page.sentence(spoken(request.headers.get("accept-language")), key)
    headers = {**_HEADERS, **({"retry-after": str(error.seconds)} if isinstance(error, TooMany) else {})}
    return HTMLResponse(content, status_of(error), headers=headers)


def _note(error: ParvisError) -> str:
    if isinstance(error, Stale):
        return "stale"
    if isinstance(error, Invalid):
        return "required"
    return "not_your_turn" if error.code == "not_your_turn" else "not_kept"


def _verdict(value: str | None) -> ApprovalKind:
    if value not in {ApprovalKind.APPROVED.value, ApprovalKind.CHANGES_REQUESTED.value}:
        raise Invalid("say whether you agree, or want changes")
    return ApprovalKind(value)


async def _fields(request: Request) -> dict[str, str]:
    body = (await request.body()).decode("utf-8", "replace")
    try:
        found = parse_qs(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[-1].replace("\x00", "").replace("\r\n", "\n") for name, values in found.items()}
