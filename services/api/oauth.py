"""The addresses that networks send people back to, and tell of people who take their consent back. None needs a key."""

import html
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from services.api.context import Services
from services.api.returning import ERRORS, Stranded, came_back
from services.api.revoking import how_far, take_back
from shared.models.enums import WithdrawalKind

router = APIRouter(prefix="/v1/oauth/{network}", include_in_schema=False)

_STATIC = Path(__file__).with_name("static")
_STRANDED = Template((_STATIC / "stranded.html").read_text())
_ERASING = Template((_STATIC / "erasing.html").read_text())
# The address holds a code: it is kept nowhere, and told to nobody whom the browser asks next.
_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


@router.get("/callback")
async def callback(request: Request, network: str) -> Response:
    """Where a network sends a browser whose person was asked for their consent."""
    services: Services = request.app.state.services
    found = await came_back(services, network, request.query_params)
    if isinstance(found, Stranded):
        content = _STRANDED.substitute(code=html.escape(found.code), said=html.escape(ERRORS[found.code]))
        return HTMLResponse(content, status_code=400, headers=_HEADERS)
    return RedirectResponse(found.url, status_code=303, headers=_HEADERS)


@router.post("/deauthorize")
async def deauthorize(request: Request, network: str) -> Response:
    """Where a network says, signed, that a person has taken their consent back."""
    services: Services = request.app.state.services
    await take_back(services, network, WithdrawalKind.DEAUTHORIZE, await request.body())
    return JSONResponse({})


@router.post("/data-deletion")
async def data_deletion(request: Request, network: str) -> Response:
    """Where a network says, signed, that a person wants what we keep of them erased; it is told where to ask for it."""
    services: Services = request.app.state.services
    code = await take_back(services, network, WithdrawalKind.ERASE, await request.body())
    url = f"{services.settings.api_base_url}/v1/oauth/{network}/data-deletion/{code}"
    return JSONResponse({"url": url, "confirmation_code": code})


@router.get("/data-deletion/{code}")
async def data_deletion_status(request: Request, network: str, code: str) -> Response:
    """How far an erasure is, for the person who asked for it."""
    services: Services = request.app.state.services
    found = await how_far(services, network, code)
    done = f"Done on {found.done_at:%d %b %Y, %H:%M} UTC." if found.done_at else "Not done yet: within a day."
    content = _ERASING.substitute(received=f"{found.received_at:%d %b %Y, %H:%M} UTC", done=done)
    return HTMLResponse(content, headers=_HEADERS)
