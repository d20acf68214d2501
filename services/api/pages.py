"""The pages for people: the start page, the REST reference, and the two schemas as files. None needs the internet."""

import asyncio
import hashlib
import html
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request, Response
from sqlalchemy import text
from starlette.responses import HTMLResponse, JSONResponse

from services.api import example, openapi
from services.api.context import Services
from services.api.example import Example
from services.api.rest import charts
from services.charting.drawing import picture
from shared.db import is_passing
from shared.domain.insight.charting.look import ChartTheme, Look
from shared.models.mention import Identity, Mention

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).with_name("static")
_FILES = {
    name: ((_STATIC / name).read_bytes(), kind)
    for name, kind in {
        "parvis.css": "text/css; charset=utf-8",
        "approve.css": "text/css; charset=utf-8",
        "docs.js": "text/javascript; charset=utf-8",
        "icon.svg": "image/svg+xml",
    }.items()
}
_START = Template((_STATIC / "start.html").read_text())
_DOCS = (_STATIC / "docs.html").read_text()
_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_SHAPES = {"wide": (944, 400), "narrow": (340, 400)}  # pixels of width and height
# By the names under which they beat, with what is missing without them.
_WORKERS = (
    ("ingest-worker", "Ingest worker", "what networks send is kept and waits"),
    ("scheduler", "Scheduler", "nothing is sent, polled or numbered"),
)


@router.get("/")
async def start(request: Request) -> HTMLResponse:
    """What runs, where things are, and the example brand's last mentions."""
    services: Services = request.app.state.services
    local = await example.told(services)
    alive, redis, found = await asyncio.gather(_alive(services), services.queues.is_up(), example.find(services, local))
    lights = _light("PostgreSQL", up=alive is not None, without="nothing works without it")
    lights += _light("Redis", up=redis, without="all still works, up to a second later")
    if alive is not None:
        lights += "".join(_light(said, up=name in alive, without=what) for name, said, what in _WORKERS)
    page = _START.substitute(
        version=html.escape(openapi.VERSION),
        servers=lights,
        door=html.escape(services.settings.hook_base_url),
        sandbox=_sandbox(local.get("sandbox")),
        example=_section(found),
    )
    return HTMLResponse(page, headers=_HEADERS)


@router.get("/docs")
async def docs() -> HTMLResponse:
    return HTMLResponse(_DOCS, headers=_HEADERS)


@router.get("/openapi.json")
async def openapi_json(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi(), headers={"cache-control": "no-cache"})


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    found = _FILES.get(name)
    if found is None:
        return Response(status_code=404)
    body, kind = found
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {**_HEADERS, "etag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=kind)


@router.get("/example/{theme}-{shape}.svg")
async def chart(request: Request, theme: str, shape: str) -> Response:
    """Volume and mood of the example's last days, for the start page."""
    services: Services = request.app.state.services
    if theme not in set(ChartTheme) or shape not in _SHAPES:
        return Response(status_code=404)
    width, height = _SHAPES[shape]
    look = Look(ChartTheme(theme), width=width, height=height, title="What was said, and in what mood")
    found = await example.chart(services, await example.told(services), look)
    if found is None:
        return Response(status_code=404)
    return await charts.answer(request, services, picture(found), charts.SVG)


async def _alive(services: Services) -> set[str] | None:
    """The workers that lately said that they are alive; None where PostgreSQL can't be asked."""
    try:
        async with services.db.reading() as session:
            found = await session.execute(text("SELECT service FROM parvis.heartbeats() WHERE alive"))
            return set(found.scalars())
    except Exception as error:
        if is_passing(error):
            return None
        raise


def _sandbox(address: object) -> str:
    if not isinstance(address, str) or not address.startswith("http"):
        return ""
    said = "A small network to practise on: say something there as a customer."
    return f'<li><a href="{html.escape(address)}"><strong>Practice network</strong>{said}</a></li>'


def _light(name: str, *, up: bool, without: str) -> str:
    state, said = ("up", "up") if up else ("down", f"down: {without}")
    return f'<li class="{state}"><strong>{name}</strong> <span>{said}</span></li>'


def _section(found: Example | None) -> str:
    if found is None:
        return ""
    rows = "".join(_row(*one) for one in found.said)
    empty = '<p class="quiet">Nothing has been heard yet.</p>'
    return (
        f"{_figure(found)}<section><h2>Last heard about {html.escape(found.brand)}</h2>"
        f'<p class="quiet">The example brand. With PARVIS_EXAMPLE=0 this page shows no mentions.</p>'
        f"{f'<ol class=mentions>{rows}</ol>' if rows else empty}</section>"
    )


def _figure(found: Example) -> str:
    """The chart, as each screen shows it best: narrow or wide, light or dark."""
    sources = "".join(
        f'<source media="({width}) and (prefers-color-scheme: {theme})" srcset="/example/{theme}-{shape}.svg">'
        for width, shape in (("max-width: 40rem", "narrow"), ("min-width: 0", "wide"))
        for theme in ("dark", "light")
    )
    width, height = _SHAPES["wide"]
    return (
        f"<section><h2>{html.escape(found.brand)}: the last days</h2><figure><picture>{sources}"
        f'<img src="/example/light-wide.svg" width="{width}" height="{height}" alt="{html.escape(found.chart)}">'
        "</picture></figure></section>"
    )


def _row(mention: Mention, author: Identity | None, channel: str) -> str:
    who = (author.name or author.handle or author.external_id) if author is not None else "somebody"
    stars = f' <span class="stars">{mention.rating:g} of 5</span>' if mention.rating is not None else ""
    language = f' lang="{html.escape(mention.language)}"' if mention.language else ""
    text = html.escape((mention.text or "")[:400])
    return (
        f'<li><p class="said"{language}>{text}</p>'
        f'<p class="by"><span class="kind">{mention.kind.value}</span> {html.escape(who[:80])}'
        f' on {html.escape(channel[:80])}{stars} <time datetime="{mention.published_at.isoformat()}">'
        f"{mention.published_at:%d %b %Y, %H:%M} UTC</time></p></li>"
    )
