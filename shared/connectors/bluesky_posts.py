"""What a post's record says: its text with its links in full, what is embedded in it, who it answers.

The record is the author's own and the same wherever it is shown, so that everything is read from it alone: what a
server adds to its view (addresses of pictures, counters) differs from view to view.
Source: the lexicons app.bsky.feed.post, app.bsky.richtext.facet and app.bsky.embed.*.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from shared.connectors.bluesky_session import NO_HANDLE
from shared.connectors.reading import identifier, name, rfc3339, web_address, words
from shared.contract import Author, Heard, MediaDraft, Pointer, RawPart, Said, storable
from shared.models.enums import AuthorKind, MentionKind

Value = Mapping[str, object]
Told = list[Heard | Pointer | str]  # facts, things to fetch, and reasons for what was passed over

POST = "app.bsky.feed.post"
# Where the public network shows people, pictures and videos. Records name neither: only who and which content.
WEB = "https://bsky.app"
_PICTURES = "https://cdn.bsky.app/img/feed_fullsize/plain"
_VIDEOS = "https://video.bsky.app/watch"

_MOST_LINKS = 50
_MOST_MEDIA = 40
_THING = re.compile(r"at://(did:[a-z]+:[^/?#\s]+)/([A-Za-z0-9.-]+)/([^/?#\s]+)")
_PAGES = {POST: "post", "app.bsky.feed.generator": "feed", "app.bsky.graph.list": "lists"}
_IMAGES, _EXTERNAL, _VIDEO = "app.bsky.embed.images", "app.bsky.embed.external", "app.bsky.embed.video"
_RECORD, _BOTH = "app.bsky.embed.record", "app.bsky.embed.recordWithMedia"


class Unusable(Exception):
    """Something that lacks what is needed to keep it."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.message, self.path = message, path


@dataclass(frozen=True, slots=True)
class Thing:
    """What an at:// address names: whose, of which kind, and which one."""

    uri: str
    did: str
    collection: str
    key: str

    @property
    def page(self) -> str | None:
        """Where people see it."""
        if self.collection == "app.bsky.graph.starterpack":
            return f"{WEB}/starter-pack/{self.did}/{quote(self.key)}"
        kind = _PAGES.get(self.collection)
        return None if kind is None else f"{WEB}/profile/{self.did}/{kind}/{quote(self.key)}"


def thing(uri: object) -> Thing | None:
    """The thing that an at:// address names; None where it is no such address."""
    found = identifier(uri)
    match = _THING.fullmatch(found) if found is not None else None
    return None if match is None else Thing(match[0], match[1], match[2], match[3])


def a_post(uri: object) -> Thing | None:
    """As `thing`, where it is a post."""
    found = thing(uri)
    return found if found is not None and found.collection == POST else None


def time(value: object) -> datetime | None:
    """A time as the network writes it."""
    if not isinstance(value, str):
        return None
    try:
        return rfc3339(storable(value))
    except ValueError:
        return None


def author(view: object, did: str) -> Author:
    """The account that spoke, by its DID; handle and name where a view tells them."""
    found = view if isinstance(view, Mapping) and view.get("did") == did else {}
    handle = name(found.get("handle"))
    return Author(did, None if handle == NO_HANDLE else handle, name(found.get("displayName")), f"{WEB}/profile/{did}")


def author_kind(view: object, did: str, part: RawPart) -> AuthorKind:
    """The brand itself; an account that labels itself a bot; anybody else."""
    found = view if isinstance(view, Mapping) and view.get("did") == did else {}
    if part.channel_external_id and part.channel_external_id in {did, found.get("handle")}:
        return AuthorKind.BRAND
    labels = found.get("labels")
    for label in labels if isinstance(labels, list) else []:
        if isinstance(label, Mapping) and label.get("val") == "bot" and label.get("src") == did:
            return AuthorKind.BOT
    return AuthorKind.CONSUMER


def hear_post(post: Thing, record: Value, view: object, indexed_at: object, part: RawPart) -> Told:
    """What a post says. `view` is its author as shown. Raises Unusable.

    It is published when the network indexed it: `createdAt` is whatever its author's program wrote. Nothing in a record
    says which of two versions is the newer, so the one that was fetched later is.
    """
    kind = record.get("$type", POST)
    if kind != POST:
        return [f"a record of {name(kind) or 'an unknown type'} is no post"]
    text = words(record.get("text"))
    if text is None:
        raise Unusable("a post's text is text", "record", "text")
    parent = _parent(record)
    text, linked = full_links(text, record.get("facets"))
    media, passed = _embedded(record.get("embed"), post.did)
    said = Said(
        external_id=post.uri,
        kind=MentionKind.POST if parent is None else MentionKind.REPLY,
        stamp=part.stamp,
        text=text,
        author=author(view, post.did),
        author_kind=author_kind(view, post.did, part),
        published_at=time(indexed_at) or time(record.get("createdAt")),
        url=post.page,
        parent_external_id=parent,
        language=_language(record.get("langs")),
        media=tuple(dict.fromkeys([*media, *linked]))[:_MOST_MEDIA],
    )
    return [said, *passed]


def _parent(record: Value) -> str | None:
    reply = record.get("reply")
    parent = reply.get("parent") if isinstance(reply, Mapping) else None
    found = thing(parent.get("uri")) if isinstance(parent, Mapping) else None
    return None if found is None else found.uri


def _language(langs: object) -> str | None:
    """The language that the author names first, without its region."""
    for tag in langs if isinstance(langs, list) else []:
        if isinstance(tag, str) and (match := re.match(r"[A-Za-z]{2,3}(?![A-Za-z0-9])", tag)) is not None:
            return match[0].lower()
    return None


# ---------------------------------------------------------------- links


def full_links(text: str, facets: object) -> tuple[str, list[MediaDraft]]:
    """The text with every link in full that it shows cut, and the links that stand behind other words.

    Facets count bytes of UTF-8. One that points outside the text, or into a letter, still gives its link.
    """
    raw = text.encode()
    behind: list[MediaDraft] = []
    written: list[tuple[int, int, str]] = []
    for start, end, address in _links(facets):
        shown = _slice(raw, start, end)
        if shown is not None and _shows(shown, address):
            written.append((start, end, address))
        else:
            behind.append(MediaDraft(address, "link"))
    done = len(raw)
    for start, end, address in sorted(written, reverse=True):
        if end > done:
            continue  # two links over the same letters: one is enough
        raw, done = raw[:start] + address.encode() + raw[end:], start
    return raw.decode(), behind


def _links(facets: object) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for facet in facets if isinstance(facets, list) else []:
        index, features = (facet.get("index"), facet.get("features")) if isinstance(facet, Mapping) else (None, None)
        start, end = (index.get("byteStart"), index.get("byteEnd")) if isinstance(index, Mapping) else (None, None)
        for feature in features if isinstance(features, list) else []:
            address = _link(feature.get("uri")) if isinstance(feature, Mapping) else None
            if address is not None and len(found) < _MOST_LINKS:
                found.append((start if type(start) is int else -1, end if type(end) is int else -1, address))
    return found


def _link(uri: object) -> str | None:
    found = web_address(uri)
    return found if found is not None and found.lower().startswith(("https://", "http://")) else None


def _slice(raw: bytes, start: int, end: int) -> str | None:
    if not 0 <= start < end <= len(raw):
        return None
    try:
        _, shown, _ = raw[:start].decode(), raw[start:end].decode(), raw[end:].decode()
    except UnicodeDecodeError:
        return None
    return shown


def _bare(address: str) -> str:
    return re.sub(r"^(https?://)?(www\.)?", "", address, flags=re.IGNORECASE).rstrip("/")


def _shows(shown: str, address: str) -> bool:
    """Whether the words are the link itself, whole or cut: not other words, nor another place."""
    start = _bare(re.sub(r"(…|\.\.\.)$", "", shown.strip()))
    return "." in start and _bare(address).casefold().startswith(start.casefold())


# ---------------------------------------------------------------- what is embedded


def _embedded(embed: object, did: str) -> tuple[list[MediaDraft], list[str]]:
    """Pictures, videos, cards and quoted posts as media, and the reasons for what is none of these."""
    if not isinstance(embed, Mapping):
        return [], []
    media: list[MediaDraft] = []
    passed: list[str] = []
    kind = embed.get("$type")
    if kind == _BOTH:
        inner = embed.get("media")
        if isinstance(inner, Mapping) and inner.get("$type") != _BOTH:
            media, passed = _embedded(inner, did)
        media = [*media, *_quoted(embed.get("record"))]
    elif kind == _IMAGES:
        media = _pictures(embed.get("images"), did)
    elif kind == _VIDEO:
        media = _video(embed, did)
    elif kind == _EXTERNAL:
        media = _card(embed.get("external"))
    elif kind == _RECORD:
        media = _quoted(embed)
    else:
        passed = [f"embedded {name(kind) or 'without a type'}: not known to this connector"]
    return media, passed


def _video(embed: Value, did: str) -> list[MediaDraft]:
    content = _content(embed.get("video"))
    if content is None:
        return []
    return [
        MediaDraft(f"{_VIDEOS}/{quote(did, safe='')}/{content}/playlist.m3u8", "video", words(embed.get("alt")) or None)
    ]


def _pictures(images: object, did: str) -> list[MediaDraft]:
    found = []
    for image in images if isinstance(images, list) else []:
        content = _content(image.get("image")) if isinstance(image, Mapping) else None
        if content is not None:
            alt = words(image.get("alt")) or None
            found.append(MediaDraft(f"{_PICTURES}/{did}/{content}", "image", alt))
    return found


def _card(external: object) -> list[MediaDraft]:
    address = _link(external.get("uri")) if isinstance(external, Mapping) else None
    if address is None or not isinstance(external, Mapping):
        return []
    return [MediaDraft(address, "link", name(external.get("title")))]


def _quoted(embed: object) -> list[MediaDraft]:
    record = embed.get("record") if isinstance(embed, Mapping) else None
    found = thing(record.get("uri")) if isinstance(record, Mapping) else None
    if found is None or found.page is None:
        return []
    return [MediaDraft(found.page, "quote" if found.collection == POST else "link")]


def _content(blob: object) -> str | None:
    """A blob's content id; the first records wrote it without a `ref`."""
    if not isinstance(blob, Mapping):
        return None
    ref = blob.get("ref")
    found = ref.get("$link") if isinstance(ref, Mapping) else blob.get("cid")
    return found if isinstance(found, str) and re.fullmatch(r"[A-Za-z0-9]{8,200}", found) else None
