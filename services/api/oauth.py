"""The addresses that networks send people back to. They need no key: the state in them says who asked."""

import html
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from services.api.context import Services
from services.api.returning import ERRORS, Stranded, came_back

router = APIRouter(prefix="/v1/oauth/{network}", include_in_schema=False)

_PAGE = Template((Path(__file__).with_name("static") / "stranded.html").read_text())
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
        content = _PAGE.substitute(code=html.escape(found.code), said=html.escape(ERRORS[found.code]))
        return HTMLResponse(content, status_code=400, headers=_HEADERS)
    return RedirectResponse(found.url, status_code=303, headers=_HEADERS)
