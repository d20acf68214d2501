"""A feed's XML made harmless: well-formed, bounded, without a document type, and with nothing in it that we don't read.

feedparser knows every kind of feed, but a hostile one can make it slow: it takes quadratic time on a long author or on
many categories, and lets some entity declarations through. So it is given this document and never the feed itself.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from shared.connectors import feed_mending
from shared.errors import BadPayload

MAX_ENTRIES = 1000
MAX_ELEMENTS = 50_000
MAX_MENDED = 2_000_000  # characters of an ill-formed feed
_MAX_DEPTH = 100
_MAX_ATTRIBUTES = 30
_MAX_VALUE = 4000

_A_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?(?:rss|feed|rdf)[\s>]", re.IGNORECASE)
_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
_ENTRIES = frozenset({"entry", "item"})
# How many characters are read of an element, with all that is in it: elements that hold what people wrote, in which
# any markup may stand, and elements that say one thing. What is in neither is left out with all that is in it.
_PROSE = {
    "title": 20_000,
    **dict.fromkeys(("body", "content", "description", "encoded", "fulltext", "summary"), 200_000),
    **dict.fromkeys(("subtitle", "tagline"), 5_000),
}
_SAYING = {
    **dict.fromkeys(("created", "date", "issued", "modified", "pubdate", "published", "updated"), 100),
    **dict.fromkeys(("author", "creator", "email", "language", "name", "ttl"), 500),
    **dict.fromkeys(("enclosure", "guid", "homepage", "id", "link", "uri", "url"), 5_000),
    **dict.fromkeys(("channel", "entry", "feed", "group", "item", "rdf", "rss", "source"), 500),
}
_WELL_KNOWN = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A harmless feed. `deleted` are the references and times of Atom's tombstones (RFC 6721); `notes` say in words
    what of the feed is not in it, or was not as it should be."""

    xml: bytes
    deleted: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def harmless(text: str) -> Document:
    """The feed in `text`, as far as it can be read. Raises BadPayload where it is something else, or nothing."""
    text = feed_mending.plain(text)
    before = ""
    if _A_ROOT.match(text) is None and (root := _A_ROOT.search(text)) is not None:
        # What some programs write before their feed: a warning of theirs, mostly.
        before, text = text[: root.start()], text[root.start() :]
    if before[:5].lower() == "<html":
        raise BadPayload("this is a web page and no feed")
    sieve = _Sieve()
    fault = sieve.sift(text)
    if fault is not None:
        sieve = _Sieve()
        again = sieve.sift(feed_mending.mend(text[:MAX_MENDED]))
        sieve.notes.insert(0, f"ill-formed: {fault}; read as far as it goes")
        if len(text) > MAX_MENDED:
            sieve.notes.append(f"ill-formed and longer than {MAX_MENDED:,} characters: what follows is not read")
        if again is not None:
            sieve.notes.append(f"what follows could not be read: {again}")
    if before:
        sieve.notes.insert(0, f"ill-formed: {len(before):,} characters before the feed were left out")
    return Document(sieve.document(), tuple(sieve.deleted), tuple(sieve.notes))


class _Enough(Exception):
    """The feed goes on, and is read no further."""


@dataclass(slots=True)
class _Element:
    name: str
    prefixes: tuple[str, ...]
    is_prose: bool
    left: list[int] = field(default_factory=list)  # characters, shared with the elements inside of prose


class _Sieve:
    """Lets through what we read, as expat tells it."""

    def __init__(self) -> None:
        self.deleted: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self._pieces: list[str] = []
        self._root = ""
        self._open: list[_Element] = []
        self._bound: Counter[str] = Counter({"xml": 1, "xmlns": 1})
        self._unbound: set[str] = set()
        self._left_out = 0  # depth below an element that is left out
        self._elements = self._entries = self._cut = 0

    def sift(self, text: str) -> str | None:
        """Read it; what is ill-formed in it, if anything is. What came before that has been let through."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            return f"{expat.ErrorString(error.code)} in line {error.lineno}"
        except _Enough as reason:
            self.notes.append(str(reason))
        if self._cut:
            self.notes.append(f"{self._cut} elements are longer than we read, and were cut")
        return None

    def document(self) -> bytes:
        if not self._pieces:
            raise BadPayload("there is no feed in it")
        names = sorted(self._unbound)
        missing = "".join(f' xmlns:{p}="{_WELL_KNOWN.get(p, f"urn:unbound:{p}")}"' for p in names)
        ends = "".join(f"</{element.name}>" for element in reversed(self._open))
        whole = f'<?xml version="1.0" encoding="utf-8"?>\n<{self._root}{missing}{"".join(self._pieces)}{ends}'
        return whole.encode("utf-8", "replace")

    def _doctype(self, *_: object) -> None:
        raise _Enough("a document type within the document: what follows is not read")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._left_out:
            self._left_out += 1
            return
        local = name.rpartition(":")[2].lower()
        if not self._open and not self._pieces:
            _check_root(local)
        within = self._open[-1] if self._open else None
        if not self._lets_through(local, within, attributes):
            self._left_out = 1
            return
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _Enough(f"more than {MAX_ELEMENTS:,} elements: what follows is not read")
        in_prose = within is not None and within.is_prose
        if local in _ENTRIES and not in_prose:
            self._entries += 1
            if self._entries > MAX_ENTRIES:
                raise _Enough(f"more than {MAX_ENTRIES:,} entries: those that follow are not read")
        left = within.left if within is not None and in_prose else [_PROSE.get(local) or _SAYING[local]]
        kept = _kept(attributes, only_names=in_prose)
        prefixes = tuple(attribute[6:] for attribute in kept if attribute.startswith("xmlns:"))
        self._bound.update(prefixes)
        self._use(name, *kept)
        self._open.append(_Element(name, prefixes, in_prose or local in _PROSE, left))
        told = "".join(f" {attribute}={quoteattr(value)}" for attribute, value in kept.items())
        if self._pieces:
            self._pieces.append(f"<{name}{told}>")
        else:
            self._root = name
            self._pieces.append(f"{told}>")

    def _lets_through(self, local: str, within: _Element | None, attributes: Mapping[str, str]) -> bool:
        if local == "deleted-entry" and attributes.get("ref") and len(self.deleted) < MAX_ENTRIES:
            self.deleted.append((attributes["ref"], attributes.get("when", "")))
            return False
        if len(self._open) >= _MAX_DEPTH:
            return False
        return (within is not None and within.is_prose) or local in _PROSE or local in _SAYING

    def _use(self, *names: str) -> None:
        for name in names:
            prefix, colon, _ = name.partition(":")
            if colon and not self._bound[prefix]:
                self._unbound.add(prefix)

    def _end(self, name: str) -> None:
        if self._left_out:
            self._left_out -= 1
            return
        element = self._open.pop()
        self._bound.subtract(element.prefixes)
        self._pieces.append(f"</{element.name}>")

    def _characters(self, data: str) -> None:
        if self._left_out or not self._open:
            return
        left = self._open[-1].left
        if len(data) > left[0]:
            self._cut += left[0] > 0
            data = data[: left[0]]
        left[0] -= len(data)
        self._pieces.append(escape(data))


def _check_root(local: str) -> None:
    if local == "html":
        raise BadPayload("this is a web page and no feed")
    if local not in _ROOTS:
        raise BadPayload(f"this is no feed: its first element is “{local[:40]}”")


def _kept(attributes: Mapping[str, str], *, only_names: bool) -> dict[str, str]:
    """The attributes that may matter, each cut; of markup inside of prose only what binds names."""
    kept: dict[str, str] = {}
    for name, value in attributes.items():
        if len(kept) == _MAX_ATTRIBUTES:
            break
        if not only_names or name.startswith("xmlns"):
            kept[name] = value[:_MAX_VALUE]
    return kept
