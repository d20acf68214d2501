"""What a feed in XML says, as feedparser reads it in the harmless document."""

import calendar
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parseaddr
from time import struct_time

import feedparser

from shared.connectors import feed_text
from shared.connectors.feed_document import Document
from shared.connectors.feed_entries import (
    Entry,
    Place,
    ReadFeed,
    Reading,
    absolute,
    feed_itself,
    fitting,
    language,
    media_kind,
)
from shared.connectors.reading import name
from shared.contract import Author, MediaDraft
from shared.errors import BadPayload, Problem

Node = Mapping[str, object]

_MARKUP_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/xml", "application/xml"})
_NOTHING: Node = {}


def read(document: Document, place: Place) -> ReadFeed:
    """Everything that the document says. Raises BadPayload."""
    found = _parsed(document)
    entries = found["entries"]
    feed = _node(found.get("feed"))
    kind = str(found.get("version") or "")
    assert isinstance(entries, list)
    reading = Reading(place, _feed_author(feed, kind, place), language(feed.get("language")))
    for index, entry in enumerate(entries):
        reading.entry(index, _entry(entry, kind, place))
    for index, (reference, when) in enumerate(document.deleted):
        reading.deleted(index, reference, when)
    reading.ignored += document.notes
    links = tuple((rel, href) for link in _nodes(feed.get("links")) for rel, href in _link(link, place))
    ttl = str(feed.get("ttl") or "").strip()
    minutes = int(ttl) if ttl.isascii() and ttl.isdigit() and len(ttl) < 7 else None
    return ReadFeed(kind, _title(feed, kind), links, minutes, reading.parsed())


def _parsed(document: Document) -> Node:
    """The document as feedparser tells it. Raises BadPayload where even that can't be read."""
    try:
        # A file, never bytes: those feedparser takes for a file's name first.
        found: Node = feedparser.parse(
            io.BytesIO(document.xml),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:
        raise BadPayload(f"the feed can't be read ({type(error).__name__})") from error
    return found


def _entry(entry: Node, kind: str, place: Place) -> Entry:
    wrong: list[Problem] = []
    is_atom = kind.startswith("atom")
    published, updated = _time(entry, "published", wrong), _time(entry, "updated", wrong)
    if published is None and not is_atom:
        # The one date of an RSS entry says when it was published, whatever it is called (dc:date, most of all).
        published, updated = updated, None
    details = [*_nodes(entry.get("content")), _node(entry.get("summary_detail"))]
    title = _node(entry.get("title_detail"))
    return Entry(
        identity=_told(entry.get("id")),
        address=_entry_address(entry, place),
        title=_prose(title, is_certain=is_atom),
        prose=next((prose for detail in details if (prose := _prose(detail, is_certain=is_atom))), ""),
        author=_author(entry, kind, place) or _author(_node(entry.get("source")), kind, place),
        published=published,
        updated=updated,
        language=_first_language(entry.get("language"), title, *details),
        media=tuple(_media(entry, place)),
        wrong=tuple(wrong),
    )


def _entry_address(entry: Node, place: Place) -> str | None:
    """Where the entry can be read: its alternate link, else whatever it calls its link, else what it is about."""
    links = [(str(link.get("rel") or ""), absolute(link.get("href"), place)) for link in _nodes(entry.get("links"))]
    link = entry.get("link")
    if (
        entry.get("guidislink")
        and link == entry.get("id")
        and not str(link).lower().startswith(("http://", "https://"))
    ):
        link = None  # an id is no relative address, whatever it says of being a permanent link
    whole = absolute(link, place)
    for rel in ("alternate", "", "related", "via", "self"):
        found = whole if not rel else next((href for told, href in links if told == rel and href is not None), None)
        if found is not None:
            return found
    return None


def _told(value: object) -> str | None:
    """Text without the space around it; None where there is none."""
    return (value.strip() or None) if isinstance(value, str) else None


def _prose(detail: Node, *, is_certain: bool) -> str:
    """The words of a text; `is_certain`: what it says of its type is so."""
    value = detail.get("value")
    kind = str(detail.get("type") or "text/plain")
    if not isinstance(value, str) or not (kind.startswith("text/") or kind in _MARKUP_TYPES or kind.endswith("+xml")):
        return ""
    if kind in _MARKUP_TYPES:
        return feed_text.from_html(value)
    return feed_text.tidy(value) if is_certain else feed_text.from_either(value)


def _time(entry: Node, field: str, wrong: list[Problem]) -> datetime | None:
    """A time in UTC; feedparser takes one without a zone for UTC."""
    # Item by item, since feedparser's own look-up lends `updated` from `published`.
    stated = dict(entry.items())
    told, written = stated.get(f"{field}_parsed"), stated.get(field)
    if isinstance(told, struct_time):
        try:
            return datetime.fromtimestamp(calendar.timegm(told), UTC)
        except (ValueError, OverflowError, OSError):
            pass
    if isinstance(written, str) and written.strip():
        wrong.append(Problem("invalid_time", f"{field} is no time that we can read: {written[:60]!r}", (field,)))
    return None


def _author(entry: Node, kind: str, place: Place) -> Author | None:
    """The first of its authors. Feeds give them no id: their address is the best, else their name, else e-mail."""
    for told in (*_nodes(entry.get("authors")), _node(entry.get("author_detail"))):
        address = absolute(told.get("href"), place)
        called, mail = name(told.get("name")), name(told.get("email"))
        written = entry.get("author")
        if not kind.startswith("atom") and isinstance(written, str) and "@" in written:
            called, mail = _mailbox(written)
        found = address or called or mail
        if found:
            return Author(fitting(found), name=called or mail, url=address)
    return None


def _mailbox(written: str) -> tuple[str | None, str | None]:
    """The name and address in “an@example.org (An)” or “An <an@example.org>”, the two ways of RSS's `author`."""
    called, mail = parseaddr(written)
    if "@" in called and "@" not in mail:
        called, mail = mail, called
    return name(called.strip()) or (None if "@" in mail else name(written)), name(mail) if "@" in mail else None


def _title(feed: Node, kind: str) -> str | None:
    """The feed's title, on one line."""
    title = _prose(_node(feed.get("title_detail")), is_certain=kind.startswith("atom"))
    return name(" ".join(title.split()))


def _feed_author(feed: Node, kind: str, place: Place) -> Author | None:
    """Who speaks where an entry names nobody: in Atom the feed's author (RFC 4287, 4.2.1), else the feed itself."""
    if kind.startswith("atom"):
        found = _author(feed, kind, place)
        if found is not None:
            return found
    called = _title(feed, kind)
    return feed_itself(_told(feed.get("id")), called, absolute(feed.get("link"), place), place)


def _media(entry: Node, place: Place) -> list[MediaDraft]:
    """Enclosures, Media RSS, and content that is elsewhere, each address once."""
    links = [link for link in _nodes(entry.get("links")) if link.get("rel") == "enclosure"]
    told = [(link.get("href"), link.get("type")) for link in links]
    told += [(item.get("url"), item.get("type") or item.get("medium")) for item in _nodes(entry.get("media_content"))]
    told += [(content.get("src"), content.get("type")) for content in _nodes(entry.get("content"))]
    found: dict[str, MediaDraft] = {}
    for address, kind in told:
        url = absolute(address, place)
        if url is not None:
            found.setdefault(url, MediaDraft(url, media_kind(kind)))
    return list(found.values())


def _link(link: Node, place: Place) -> list[tuple[str, str]]:
    rel, href = link.get("rel"), absolute(link.get("href"), place)
    return [(rel, href)] if isinstance(rel, str) and href is not None else []


def _first_language(*told: object) -> str | None:
    for one in told:
        found = language(one.get("language") if isinstance(one, Mapping) else one)
        if found is not None:
            return found
    return None


def _node(value: object) -> Node:
    return value if isinstance(value, Mapping) else _NOTHING


def _nodes(value: object) -> Sequence[Node]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
