"""The pages for people: the start page, the REST reference, and the two schemas as files. None needs the internet."""

import asyncio
import hashlib
import html
import json
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import text
from starlette.responses import HTMLResponse, JSONResponse

from services.api import openapi
from services.api.auth import authenticate
from services.api.context import Services
from shared.db import is_passing
from shared.domain import scope as scopes
from shared.domain.brands import brands, channels
from shared.domain.listening import identities, mentions
from shared.domain.listening.filters import MentionFilter
from shared.domain.page import PageRequest
from shared.errors import ParvisError
from shared.ids import Prefix, parse_typeid
from shared.models.enums import Visibility
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
_SHOWN = 8
# By the names under which they beat, with what is missing without them.
_WORKERS = (
    ("ingest-worker", "Ingest worker", "what networks send is kept and waits"),
    ("scheduler", "Scheduler", "nothing is sent, polled or numbered"),
)


@router.get("/")
async def start(request: Request) -> HTMLResponse:
    """What runs, where things are, and the example brand's last mentions."""
    services: Services = request.app.state.services
    local = await asyncio.to_thread(_local, services.settings.data_dir / "local.json")
    alive, redis, example = await asyncio.gather(_alive(services), services.queues.is_up(), _example(services, local))
    lights = _light("PostgreSQL", up=alive is not None, without="nothing works without it")
    lights += _light("Redis", up=redis, without="all still works, up to a second later")
    if alive is not None:
        lights += "".join(_light(said, up=name in alive, without=what) for name, said, what in _WORKERS)
    page = _START.substitute(
        version=html.escape(openapi.VERSION),
        servers=lights,
        door=html.escape(services.settings.hook_base_url),
        sandbox=_sandbox(local.get("sandbox")),
        example=_section(example),
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


@dataclass(frozen=True, slots=True)
class _Example:
    """The example brand as its own key sees it."""

    brand: str
    said: list[tuple[Mention, Identity | None, str]]


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


async def _example(services: Services, local: dict[str, Any]) -> _Example | None:
    """The example brand's newest public mentions, while PARVIS_EXAMPLE=1 and `parvis up` keeps local.json."""
    if not services.settings.example:
        return None
    try:
        brand_id = parse_typeid(Prefix.BRAND, str(local.get("brand_id")))
        async with services.db.reading() as session:
            principal = await authenticate(session, f"Bearer {local.get('api_key')}")
            scope = await scopes.open_brand(session, principal, brand_id)
            brand = await brands.get(session, scope)
            found = await mentions.search(
                session,
                scope,
                where=MentionFilter(visibility=Visibility.PUBLIC),
                page=PageRequest(_SHOWN),
                cursors=services.cursors,
            )
            authors = await identities.by_ids(
                session, scope, {mention.author_id for mention in found.items if mention.author_id is not None}
            )
            named = await channels.by_ids(session, scope, {mention.channel_id for mention in found.items})
    except ParvisError:
        return None
    except Exception as error:
        if is_passing(error):
            return None
        raise
    said = [
        (mention, authors.get(mention.author_id) if mention.author_id else None, named[mention.channel_id].name)
        for mention in found.items
    ]
    return _Example(brand.name, said)


def _sandbox(address: object) -> str:
    if not isinstance(address, str) or not address.startswith("http"):
        return ""
    said = "A small network to practise on: say something there as a customer."
    return f'<li><a href="{html.escape(address)}"><strong>Practice network</strong>{said}</a></li>'


def _local(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _light(name: str, *, up: bool, without: str) -> str:
    state, said = ("up", "up") if up else ("down", f"down: {without}")
    return f'<li class="{state}"><strong>{name}</strong> <span>{said}</span></li>'


def _section(example: _Example | None) -> str:
    if example is None:
        return ""
    rows = "".join(_row(*one) for one in example.said)
    empty = '<p class="quiet">Nothing has been heard yet.</p>'
    return (
        f"<section><h2>Last heard about {html.escape(example.brand)}</h2>"
        f'<p class="quiet">The example brand. With PARVIS_EXAMPLE=0 this page shows no mentions.</p>'
        f"{f'<ol class=mentions>{rows}</ol>' if rows else empty}</section>"
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
