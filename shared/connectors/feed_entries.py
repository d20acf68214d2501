"""A feed's entries in one form, whatever it is written in, and the facts that they are."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from shared.connectors import feed_text
from shared.connectors.reading import MAX_ID, rfc3339, web_address
from shared.contract import Author, Deleted, MediaDraft, Parsed, Said, storable
from shared.errors import Problem
from shared.models.enums import MentionKind

MAX_MEDIA = 100

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a feed was read: the address that its links are relative to, and the moment."""

    address: str
    stamp: datetime


@dataclass(frozen=True, slots=True)
class ReadFeed:
    """What a feed says of itself; `kind` as feedparser names it (rss20, atom10, …), or as JSON Feed does."""

    kind: str
    title: str | None
    links: tuple[tuple[str, str], ...]
    ttl: int | None  # minutes
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as its feed writes it, in whatever format: texts plain, addresses absolute."""

    identity: str | None
    address: str | None
    title: str
    prose: str
    author: Author | None
    published: datetime | None
    updated: datetime | None
    language: str | None
    media: tuple[MediaDraft, ...]
    wrong: tuple[Problem, ...] = ()


class Reading:
    """A feed being read: what was heard, what was passed over, and what was wrong."""

    def __init__(self, place: Place, author: Author | None, language: str | None) -> None:
        self.place, self.author, self.language = place, author, language
        self.heard: list[Said | Deleted] = []
        self.ignored: list[str] = []
        self.problems: list[Problem] = []
        self._silent: list[int] = []

    def entry(self, index: int, entry: Entry) -> None:
        """An entry is said, unless it says nothing at all."""
        self.problems += (Problem(p.code, p.message, (index, *p.path)) for p in entry.wrong)
        text, is_cut = feed_text.joined(entry.title, entry.prose)
        if is_cut:
            message = f"the text was cut: it has more than {feed_text.MAX_TEXT:,} characters"
            self.problems.append(Problem("too_long", message, (index, "text")))
        if not (text or entry.media or entry.address or entry.identity or entry.author):
            self._silent.append(index)
            return
        self.heard.append(
            Said(
                external_id=_identity(entry, text),
                kind=MentionKind.ARTICLE,
                stamp=self.place.stamp,
                text=storable(text) if text else None,
                author=entry.author or self.author,
                published_at=entry.published or entry.updated,
                edited_at=_edited(entry),
                url=entry.address,
                language=entry.language or self.language,
                media=entry.media[:MAX_MEDIA],
            )
        )

    def deleted(self, index: int, reference: str, when: str) -> None:
        """A tombstone. Its time is the feed's own where it tells one."""
        try:
            at = min(rfc3339(when.strip()), self.place.stamp)
        except ValueError:
            at = self.place.stamp
        self.heard.append(Deleted(fitting(reference), at))

    def parsed(self) -> Parsed:
        """What came of it; a feed without entries is knowingly ignored."""
        ignored = list(self.ignored)
        if self._silent:
            which = ", ".join(map(str, self._silent[:10])) + (", …" if len(self._silent) > 10 else "")
            ignored.append(f"{len(self._silent)} without id, address, author, title, text and media: entry {which}")
        if not self.heard and not ignored and not self.problems:
            ignored.append("a feed without entries")
        return Parsed(tuple(self.heard), (), tuple(ignored), tuple(self.problems))


def _identity(entry: Entry, text: str | None) -> str:
    """The feed's id for it, else its address, else a digest of title and time, else of all that it says."""
    if entry.identity or entry.address:
        return fitting(entry.identity or entry.address or "")
    published = entry.published or entry.updated
    said = [entry.title, published.isoformat() if published else ""]
    if not any(said):
        said = [text or "", *(item.url for item in entry.media), entry.author.external_id if entry.author else ""]
    return "sha256:" + hashlib.sha256("\x1f".join(said).encode("utf-8", "replace")).hexdigest()


def fitting(text: str) -> str:
    """An id as it is, or by its digest where it is too long."""
    text = storable(text)
    return text if len(text) <= MAX_ID else "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _edited(entry: Entry) -> datetime | None:
    """When it was edited. Equal to its publishing, it was not."""
    if entry.updated is None or (entry.published is not None and entry.updated <= entry.published):
        return None
    return entry.updated


def feed_itself(identity: str | None, called: str | None, home: str | None, place: Place) -> Author | None:
    """The feed as an author: by its id, else its address."""
    if called is None or not (identity or place.address):
        return None
    return Author(fitting(identity or place.address), name=called, url=home)


def media_kind(told: object) -> str:
    """`image`, `audio` or `video` by a media type or Media RSS's medium, else `file`."""
    kind = str(told or "").partition("/")[0].strip().lower()
    return kind if kind in {"image", "audio", "video"} else "file"


def absolute(value: object, place: Place) -> str | None:
    """An address that a person can follow, relative ones resolved against the feed's; no `javascript:` and the like."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        whole = urljoin(place.address, value.strip())
    except ValueError:
        return None
    return web_address(whole) if whole.partition(":")[0].lower() in {"http", "https"} else None


def language(value: object) -> str | None:
    """The first part of a language tag, in lower case; None for what is no tag."""
    tag = _LANGUAGE.match(value.strip()[:60]) if isinstance(value, str) else None
    return tag[1].lower() if tag is not None else None
