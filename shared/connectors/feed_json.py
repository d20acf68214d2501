"""What a JSON Feed says (jsonfeed.org, versions 1 and 1.1)."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from shared.connectors import feed_text
from shared.connectors.feed_document import MAX_ENTRIES
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
from shared.connectors.reading import identifier, name, rfc3339
from shared.contract import Author, MediaDraft, read_json, storable
from shared.errors import BadPayload, Problem

Node = Mapping[str, object]

_VERSIONS = "https://jsonfeed.org/version/"


def read(text: str, place: Place) -> ReadFeed:
    """Everything that the feed says. Raises BadPayload where it is none."""
    feed = read_json(text.encode("utf-8", "surrogatepass"))
    if not isinstance(feed, dict):
        raise BadPayload("this is no feed: its JSON is not an object")
    items = feed.get("items")
    if not isinstance(items, list):
        raise BadPayload("this is no feed: its JSON has no list of items")
    version = feed.get("version")
    if not isinstance(version, str) or "jsonfeed.org/version/" not in version:
        raise BadPayload("this is no feed: its JSON does not say which version of JSON Feed it is")
    reading = Reading(place, _feed_author(feed, place), language(feed.get("language")))
    for index, item in enumerate(items[:MAX_ENTRIES]):
        if isinstance(item, Mapping):
            reading.entry(index, _entry(item, place))
        else:
            reading.problems.append(Problem("unusable", "an item is an object", (index,)))
    if len(items) > MAX_ENTRIES:
        reading.ignored.append(f"more than {MAX_ENTRIES:,} entries: those that follow are not read")
    if feed.get("expired") is True:
        reading.ignored.append("the feed says that it has ended")
    kind = f"json{version.rpartition('/')[2][:10]}"
    return ReadFeed(kind, _called(feed.get("title")), tuple(_links(feed, place)), None, reading.parsed())


def _entry(item: Node, place: Place) -> Entry:
    wrong: list[Problem] = []
    markup = item.get("content_html")
    plain = item.get("content_text") or item.get("summary")
    prose = feed_text.from_html(markup) if isinstance(markup, str) else ""
    if not prose and isinstance(plain, str):
        prose = feed_text.tidy(plain)
    title = item.get("title")
    return Entry(
        identity=_identity(item.get("id")),
        address=absolute(item.get("url"), place) or absolute(item.get("external_url"), place),
        title=feed_text.tidy(title) if isinstance(title, str) else "",
        prose=prose,
        author=_author(item, place),
        published=_time(item, "date_published", wrong),
        updated=_time(item, "date_modified", wrong),
        language=language(item.get("language")),
        media=tuple(_media(item, place)),
        wrong=tuple(wrong),
    )


def _identity(value: object) -> str | None:
    """Ids are text; numbers are to be taken for theirs."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if type(value) is float else identifier(value)


def _author(told: Node, place: Place) -> Author | None:
    """The first who is named: by `authors` since version 1.1, by `author` before."""
    authors = told.get("authors")
    for one in (*(authors if isinstance(authors, list) else ()), told.get("author")):
        if not isinstance(one, Mapping):
            continue
        called, address = _called(one.get("name")), absolute(one.get("url"), place)
        if called or address:
            return Author(fitting(address or called or ""), name=called, url=address)
    return None


def _feed_author(feed: Node, place: Place) -> Author | None:
    home = absolute(feed.get("home_page_url"), place)
    named = _author(feed, place)
    return named or feed_itself(absolute(feed.get("feed_url"), place), _called(feed.get("title")), home, place)


def _called(value: object) -> str | None:
    return name(feed_text.tidy(value)) if isinstance(value, str) else None


def _time(item: Node, field: str, wrong: list[Problem]) -> datetime | None:
    value = item.get(field)
    if value is None:
        return None
    try:
        return rfc3339(storable(value) if isinstance(value, str) else "")
    except ValueError as error:
        wrong.append(Problem("invalid_time", f"{field} {error}", (field,)))
        return None


def _media(item: Node, place: Place) -> list[MediaDraft]:
    found: dict[str, MediaDraft] = {}
    for field in ("image", "banner_image"):
        url = absolute(item.get(field), place)
        if url is not None:
            found.setdefault(url, MediaDraft(url, "image"))
    attachments = item.get("attachments")
    for one in attachments if isinstance(attachments, list) else ():
        url = absolute(one.get("url"), place) if isinstance(one, Mapping) else None
        if url is not None:
            found.setdefault(url, MediaDraft(url, media_kind(one.get("mime_type")), _called(one.get("title"))))
    return list(found.values())


def _links(feed: Node, place: Place) -> Iterator[tuple[str, str]]:
    """Its own address and its WebSub hubs, as an XML feed's links would name them."""
    itself = absolute(feed.get("feed_url"), place)
    if itself is not None:
        yield "self", itself
    hubs = feed.get("hubs")
    for hub in hubs if isinstance(hubs, list) else ():
        kind = hub.get("type") if isinstance(hub, Mapping) else None
        url = absolute(hub.get("url"), place) if isinstance(kind, str) and kind.lower() == "websub" else None
        if url is not None:
            yield "hub", url
