"""The HTML of a status as the text that a person reads in it.

Source: the sanitised HTML that the Mastodon API documents for `content` (paragraphs, line breaks, links, and since 4.2
lists, quotes and code), and what its kin write beside that.
"""

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import nh3

from shared.connectors.reading import web_address

# What is read of one status. Instances allow 500 to some ten thousand characters; a hostile one could send megabytes.
MAX_HTML = 100_000
MAX_TAGS = 4_000

_PARTED = frozenset({"p", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "table"})
_ON_A_LINE = frozenset({"div", "li", "tr", "dt", "dd"})
_TAGS = {*_PARTED, *_ON_A_LINE, "a", "br", "img"}
_ATTRIBUTES = {"a": {"href", "class"}, "img": {"alt"}}
_SPACE = re.compile(r"[ \t\r\f\n]+")
_BLANK = re.compile(r"\n{3,}")
_SCHEME = re.compile(r"^https?://(www\.)?", re.IGNORECASE)


def text_of(html: str, handles: Mapping[str, str]) -> str:
    """The text: a blank line between paragraphs, links as their address, mentions as @user@host, hashtags as written.

    `handles` are the full handles of those who are mentioned, by the address of their profile.
    """
    # The standard parser takes quadratic time over broken HTML; what nh3 has been through is whole.
    whole = nh3.clean(readable(html), tags=_TAGS, attributes=_ATTRIBUTES, link_rel=None)
    reader = _Reader(handles)
    reader.feed(whole)
    reader.close()
    return reader.text()


def readable(html: str) -> str:
    """As much of it as is read."""
    html = html[:MAX_HTML]
    return "<".join(html.split("<", MAX_TAGS)[:MAX_TAGS]) if html.count("<") >= MAX_TAGS else html


def _folded(space: re.Match[str]) -> str:
    """A line break in the source is a space to a reader; spaces alone stay as people set them."""
    return " " if "\n" in space[0] else space[0]


class _Reader(HTMLParser):
    def __init__(self, handles: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self._handles = handles
        self._pieces: list[str] = []
        self._breaks = 0  # line breaks that are due before the next word
        self._link: _Link | None = None
        self._kept = 0  # how deep we are in <pre>, where white space stands as it is

    def text(self) -> str:
        self._end_link()
        lines = (line.rstrip(" ") for line in "".join(self._pieces).split("\n"))
        return _BLANK.sub("\n\n", "\n".join(lines)).strip()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        match tag:
            case "br":
                self._say("\n")
            case "a":
                self._end_link()
                self._link = _Link(given.get("href") or "", (given.get("class") or "").split())
            case "img":
                self._say(given.get("alt") or "")
            case "li":
                self._break(1)
                self._say("- ")
            case "pre":
                self._kept += 1
                self._break(2)
            case _ if tag in _PARTED:
                self._break(2)
            case _ if tag in _ON_A_LINE:
                self._break(1)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end_link()
        elif tag in _PARTED:
            self._kept -= tag == "pre" and self._kept > 0
            self._break(2)
        elif tag in _ON_A_LINE:
            self._break(1)

    def handle_data(self, data: str) -> None:
        if self._kept:
            self._say(data)
        else:
            words = _SPACE.sub(_folded, data)
            begun = self._link is not None or (self._pieces and not self._pieces[-1].endswith("\n"))
            self._say(words if begun and not self._breaks else words.lstrip(" "))

    def _say(self, words: str) -> None:
        if not words:
            return
        if self._link is not None:
            self._link.words.append(words)
            return
        if self._breaks and not words.isspace():
            self._pieces.append("\n" * self._breaks)
            self._breaks = 0
        if not self._breaks:
            self._pieces.append(words)

    def _break(self, lines: int) -> None:
        self._end_link()
        if self._pieces:
            self._breaks = max(self._breaks, lines)

    def _end_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self._say(link.text(self._handles))


class _Link:
    """An anchor while its words are being read."""

    def __init__(self, href: str, classes: Sequence[str]) -> None:
        self.href = href
        self.classes = frozenset(classes)
        self.words: list[str] = []

    def text(self, handles: Mapping[str, str]) -> str:
        words = "".join(self.words)
        shown = words.strip()
        if shown.startswith("#") or "hashtag" in self.classes:
            return words
        if shown.startswith("@") and " " not in shown and (self.classes & {"mention", "u-url"} or self.href in handles):
            return words.replace(shown, self._handle(shown, handles))
        address = web_address(self.href)
        if address is None or not shown:
            return words or address or ""
        return address if _is_short_for(shown, address) else f"{words.rstrip()} ({address})"

    def _handle(self, shown: str, handles: Mapping[str, str]) -> str:
        if self.href in handles:
            return f"@{handles[self.href]}"
        user = shown.lstrip("@")
        if "@" in user:
            return shown
        known = {full for full in handles.values() if full.split("@")[0].casefold() == user.casefold()}
        if len(known) == 1:
            return f"@{known.pop()}"
        host = host_of(self.href)
        return f"@{user}@{host}" if host else shown


def _is_short_for(shown: str, address: str) -> bool:
    """Whether the words are the address itself, or its beginning as clients cut it."""
    words, whole = (unquote(_SCHEME.sub("", part)).rstrip("/") for part in (shown, address))
    return whole == words or (words.endswith(("…", "...")) and whole.startswith(words.rstrip("….")))


def host_of(address: object) -> str | None:
    """The host of an http(s) address, with its port where it names one."""
    if not isinstance(address, str):
        return None
    try:
        parts = urlsplit(address)
        return parts.netloc.rpartition("@")[2].lower() or None if parts.scheme in {"http", "https"} else None
    except ValueError:
        return None
