"""What in a text is a link, a hashtag or a mention: on Bluesky a text is plain, and its author's program says so.

Source: the lexicon app.bsky.richtext.facet. Places are counted in bytes of UTF-8.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import regex

from shared.connectors.bluesky_xrpc import Session, failure, query, value
from shared.errors import Refused, Unavailable

MOST_MENTIONS = 20
_TAG_GRAPHEMES, _TAG_BYTES = 64, 640
_SHOWN = 27  # characters of a link that stands beneath a text

_LINK = re.compile(r"(?<![\w@/])https?://[^\s<>\"]+", re.IGNORECASE)
_TAG = re.compile(r"(?<![\w/&#＃])[#＃](?!\ufe0f)([^\s#＃\u00ad\u200b-\u200d\u2060]+)")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_MENTION = re.compile(rf"(?<![\w/@.])@((?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?)(?![\w-])", re.IGNORECASE)
_PAIRS = {")": "(", "]": "["}
_AROUND = frozenset(".,;:!?'’”»…)]")
_GRAPHEME = regex.compile(r"\X")

Facet = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text, in characters, and what it is."""

    start: int
    end: int
    feature: Mapping[str, str]


async def facets(http: httpx.AsyncClient, here: Session, text: str, known: tuple[Span, ...] = ()) -> list[Facet]:
    """The facets of a text, in order. A handle that leads to nobody stays text; `known` are pieces that are told."""
    found = [*known]
    for span in (*links(text), *(await _mentions(http, here, text)), *_tags(text)):
        if all(span.end <= other.start or other.end <= span.start for other in found):
            found.append(span)
    return [facet(text, span) for span in sorted(found, key=lambda span: span.start)]


def beneath(text: str, address: str) -> tuple[str, Span]:
    """A text with a link beneath it, cut for the eye, and the piece that leads to the whole of it."""
    shown = re.sub(r"^https?://(www\.)?", "", address, flags=re.IGNORECASE).rstrip("/")
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}…"
    before = f"{text}\n\n" if text else ""
    feature = {"$type": "app.bsky.richtext.facet#link", "uri": address}
    return before + shown, Span(len(before), len(before) + len(shown), feature)


def host_in(address: str) -> str:
    """The host that an address names, as people say it; nothing where it names none."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2].removeprefix("www.")
    except ValueError:
        return ""


def facet(text: str, span: Span) -> Facet:
    start = len(text[: span.start].encode())
    end = start + len(text[span.start : span.end].encode())
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [dict(span.feature)]}


def links(text: str) -> list[Span]:
    found = []
    for match in _LINK.finditer(text):
        address = _whole(match[0])
        if not host_in(address):
            continue
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": address}
        found.append(Span(match.start(), match.start() + len(address), feature))
    return found


def _whole(address: str) -> str:
    """An address without what belongs to the sentence around it: its full stop, a bracket that it did not open."""
    while address:
        last = address[-1]
        open_inside = last in _PAIRS and address.count(_PAIRS[last]) >= address.count(last)
        if last not in _AROUND or open_inside:
            break
        address = address[:-1]
    return address


def _tags(text: str) -> list[Span]:
    found = []
    for match in _TAG.finditer(text):
        tag = match[1]
        while tag and unicodedata.category(tag[-1]).startswith("P"):
            tag = tag[:-1]
        long = len(tag.encode()) > _TAG_BYTES or sum(1 for _ in _GRAPHEME.finditer(tag)) > _TAG_GRAPHEMES
        if tag and not tag.isdigit() and not long:
            feature = {"$type": "app.bsky.richtext.facet#tag", "tag": tag}
            found.append(Span(match.start(), match.start() + 1 + len(tag), feature))
    return found


async def _mentions(http: httpx.AsyncClient, here: Session, text: str) -> list[Span]:
    found: list[Span] = []
    known: dict[str, str | None] = {}
    for match in _MENTION.finditer(text):
        handle = match[1].lower()
        if handle not in known:
            known[handle] = await _who(http, here, handle) if len(known) < MOST_MENTIONS else None
        did = known[handle]
        if did is not None:
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": did}
            found.append(Span(match.start(), match.end(), feature))
    return found


async def _who(http: httpx.AsyncClient, here: Session, handle: str) -> str | None:
    """The DID behind a handle. None where it leads to nobody, or its host does not say: a post waits for nobody's."""
    try:
        response = await query(http, here, "com.atproto.identity.resolveHandle", {"handle": handle})
    except Unavailable:
        return None
    did = value(response).get("did")
    if response.status_code == 200:
        return did if isinstance(did, str) and did.startswith("did:") else None
    error = failure(response, here.login)
    if isinstance(error, Refused | Unavailable):
        return None
    raise error
