"""A body read as the feed that it is, and a web page read for the feed that it names."""

import re

from shared.connectors import feed_bytes, feed_document, feed_json, feed_xml
from shared.connectors.feed_entries import Place, ReadFeed, absolute
from shared.errors import BadPayload

# What feeds are served as. Many are labelled wrongly, and what they are is seen in them: only what can't be one is out.
FEED_TYPES = (
    *("application/xml", "application/rdf", "application/rss", "application/json", "application/octet-stream"),
    *("application/x-rss+xml", "application/x-rss", "text/xml", "text/plain", "text/rss", "text/html", "text/json"),
    *("+xml", "+json"),
)
ALTERNATES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json", "application/json"})

_PAGE_HEAD = 512 * 1024
_LINK = re.compile(r"<link\b([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w:-])([a-z]{2,20})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_BASE = re.compile(r"""<base\b[^<>]{0,500}?\shref\s{0,9}=\s{0,9}["']?([^"'\s<>]{1,4000})""", re.IGNORECASE)


def read(body: bytes, content_type: str, place: Place) -> ReadFeed:
    """The feed in `body`. Raises BadPayload with a sentence where there is none."""
    text = feed_bytes.text(body, content_type).lstrip("\ufeff \t\r\n")
    if not text:
        raise BadPayload("there is no feed in it: it is empty")
    if text[0] in "{[":
        return feed_json.read(text, place)
    return feed_xml.read(feed_document.harmless(text), place)


def alternate(body: bytes, content_type: str, place: Place) -> str | None:
    """The first feed that a web page names in its head (`<link rel="alternate" type=… href=…>`)."""
    page = feed_bytes.text(body, content_type)[:_PAGE_HEAD]
    base = _BASE.search(page)
    if base is not None:
        place = Place(absolute(base[1], place) or place.address, place.stamp)
    for link in _LINK.findall(page):
        told = {name.lower(): double or single or bare for name, double, single, bare in _ATTRIBUTE.findall(link)}
        kind = told.get("type", "").partition(";")[0].strip().lower()
        if "alternate" in told.get("rel", "").lower().split() and kind in ALTERNATES:
            found = absolute(told.get("href", "").replace("&amp;", "&"), place)
            if found is not None and "wp-json" not in found:  # WordPress names its own API by the type of JSON feeds
                return found
    return None
