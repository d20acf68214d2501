"""The address behind a mail's unsubscribe link. It needs no key: the link is signed, and can only turn mails off."""

from pathlib import Path
from string import Template

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from services.api.context import Services
from shared.domain.notifying import mails, unsubscribing

router = APIRouter(include_in_schema=False)

_PAGE = Template((Path(__file__).with_name("static") / "unsubscribe.html").read_text())
_FORM = '<form method="post"><button type="submit">Get no more of these mails</button></form>'
_HEADERS = {
    "content-security-policy": "default-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


@router.get(unsubscribing.PATH)
async def ask(request: Request, user: str = "", kinds: str = "", signature: str = "") -> HTMLResponse:
    """A page with a button: whatever follows links by itself, as mail scanners do, changes nothing."""
    services: Services = request.app.state.services
    unsubscribing.opened(services.vault, user, kinds, signature)
    said = "You no longer want to be told by mail? In the app you still see everything."
    return HTMLResponse(_PAGE.substitute(said=said, form=_FORM), headers=_HEADERS)


@router.post(unsubscribing.PATH)
async def unsubscribe(request: Request, user: str = "", kinds: str = "", signature: str = "") -> HTMLResponse:
    """One click, by a person or by a mail program (RFC 8058)."""
    services: Services = request.app.state.services
    user_id, told = unsubscribing.opened(services.vault, user, kinds, signature)
    async with services.db.session() as session:
        await mails.unsubscribe(session, user_id, told)
    said = "Done: you get no more of these mails. You can have them again in your preferences."
    return HTMLResponse(_PAGE.substitute(said=said, form=""), headers=_HEADERS)
