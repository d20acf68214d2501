"""What Instagram's answers say: its media, their comments, and what was asked for because it was only named."""

from collections.abc import Mapping
from dataclasses import replace

from shared.connectors import graph_answers, graph_talk
from shared.connectors.graph import listed, moment
from shared.connectors.graph_answers import amount, needed_id, text
from shared.connectors.graph_rounds import ABOUT, SOURCE
from shared.connectors.instagram_changes import MENTIONED_COMMENT, MENTIONED_MEDIA, author_of
from shared.connectors.meta_events import Entry, Told, Unusable, Value
from shared.connectors.meta_hooks import Tally
from shared.connectors.meta_media import media
from shared.connectors.reading import identifier, web_address
from shared.contract import Author, Counted, Hidden, MediaDraft, Parsed, RawPart, Said, read_json, storable
from shared.errors import BadPayload
from shared.models.enums import AuthorKind, MentionKind

# The account's own media, media in which others tagged it, comments on one, replies to one comment, things looked at.
MEDIA, TAGS, COMMENTS, REPLIES, LOOKED = "media", "tags", "comments", "replies", "looked"
_KINDS = {"IMAGE": "image", "VIDEO": "video", "CAROUSEL_ALBUM": "image"}


def read(part: RawPart) -> Parsed:
    """The facts of an answer, by the question that its headers name. Raises BadPayload."""
    value = read_json(part.body)
    if not isinstance(value, dict):
        raise BadPayload("the answer is not an object")
    source, about = part.headers.get(SOURCE, ""), part.headers.get(ABOUT, "")
    place = Entry(frozenset({part.channel_external_id} - {""}), part.stamp)
    tally = Tally()
    if source in (MEDIA, TAGS):
        hear = _hear_media(source)
        graph_answers.hear_each(tally, place, value.get("data"), hear, "data")
    elif source in (COMMENTS, REPLIES):
        under = _under_media(about) if source == COMMENTS else _under_comment(about)
        graph_answers.hear_each(tally, place, value.get("data"), under, "data")
    elif source == graph_talk.MESSAGES:
        inner = value.get("messages")
        items = inner.get("data") if isinstance(inner, Mapping) else inner
        graph_answers.hear_each(tally, place, items, graph_talk.hear_message, "messages", "data")
    elif source == LOOKED:
        graph_answers.hear_looked(tally, place, value, hear_any)
    elif source in (MENTIONED_COMMENT, MENTIONED_MEDIA):
        hear = _under_media("") if source == MENTIONED_COMMENT else _hear_media(TAGS)
        graph_answers.hear_one(tally, place, value.get(source), hear, source)
    else:
        raise BadPayload(f"there is no question {source[:40]!r}")
    return tally.parsed()


def hear_any(place: Entry, item: Value) -> Told:
    """A thing that may be a comment or a medium: what only one of them has tells which."""
    if any(field in item for field in ("media_type", "media_url", "caption", "permalink", "media_product_type")):
        return _hear_media(TAGS)(place, item)
    if any(field in item for field in ("text", "timestamp", "hidden")):
        return [*_comment(place, item), *_shown_again(place, item)]
    return ["a thing of which only the id is told"]


# ---------------------------------------------------------------- media


def _hear_media(source: str) -> graph_answers.Hear:
    """`source` says whose it is: the account's own media hold nothing of others."""

    def hear(place: Entry, item: Value) -> Told:
        external_id = needed_id(item, "medium")
        author, author_kind = author_of(place, item)
        own = source == MEDIA or author_kind is AuthorKind.BRAND
        if own:
            author = _own(place, author)
        url = web_address(item.get("permalink"))
        is_story = item.get("media_product_type") == "STORY" or "/stories/" in (url or "")
        said = Said(
            external_id=external_id,
            kind=MentionKind.STORY if is_story else MentionKind.POST,
            stamp=place.stamp,
            text=_storable(item.get("caption")),
            author=author,
            author_kind=AuthorKind.BRAND if own else author_kind,
            published_at=moment(item.get("timestamp")),
            url=url,
            media=_pictures(item),
        )
        if said.text is None and said.published_at is None and not said.media:
            return [f"medium {storable(external_id[:60])}: nothing of what it shows is told"]
        inner = graph_answers.hear_inner(place, item.get("comments"), _under_media(external_id))
        return [said, *_counted(place, item, external_id), *inner]

    return hear


def _own(place: Entry, author: Author | None) -> Author | None:
    """The account's own media name it by its handle, or by an id that only this app has for it."""
    known = next(iter(place.own), None)
    if known is None:
        return author
    return Author(known) if author is None else replace(author, external_id=known)


def _pictures(item: Value) -> tuple[MediaDraft, ...]:
    children = listed(item.get("children")) or [item]
    found = [(one.get("media_url") or one.get("thumbnail_url"), _kind(one)) for one in children]
    return media(found) or media([(item.get("media_url"), _kind(item))])


def _kind(item: Value) -> str:
    kind = item.get("media_type")
    return _KINDS.get(kind, "file") if isinstance(kind, str) else "image"


def _counted(place: Entry, item: Value, external_id: str) -> Told:
    likes, replies = amount(item.get("like_count")), amount(item.get("comments_count"))
    views = amount(item.get("view_count"))
    if likes is None and replies is None and views is None:
        return []
    return [Counted(external_id, place.stamp, likes, replies, None, views)]


# ---------------------------------------------------------------- comments


def _under_media(media_id: str) -> graph_answers.Hear:
    return lambda place, item: _comment(place, item, media_id=media_id)


def _under_comment(comment_id: str) -> graph_answers.Hear:
    return lambda place, item: _comment(place, item, comment_id=comment_id)


def _comment(place: Entry, item: Value, *, media_id: str = "", comment_id: str = "") -> Told:
    external_id = needed_id(item, "comment")
    parent = identifier(item.get("parent_id")) or comment_id or None
    where = item.get("media")
    under = identifier(where.get("id")) if isinstance(where, Mapping) else None
    author, author_kind = author_of(place, item)
    said = Said(
        external_id=external_id,
        kind=MentionKind.COMMENT if parent is None else MentionKind.REPLY,
        stamp=place.stamp,
        text=_storable(item.get("text")),
        author=author,
        author_kind=author_kind,
        published_at=moment(item.get("timestamp")),
        parent_external_id=parent or under or media_id or None,
    )
    if said.text is None and said.published_at is None and said.author is None:
        raise Unusable("a comment needs more than its id", "text")
    told: Told = [said]
    likes = amount(item.get("like_count"))
    if likes is not None:
        told.append(Counted(external_id, place.stamp, likes))
    if item.get("hidden") is True:
        told.append(Hidden(external_id, True, place.stamp))
    return [*told, *graph_answers.hear_inner(place, item.get("replies"), _under_comment(external_id))]


def _shown_again(place: Entry, item: Value) -> Told:
    """Looked at again, it may be shown once more: a list has only word of what is hidden."""
    external_id = identifier(item.get("id"))
    if item.get("hidden") is False and external_id is not None:
        return [Hidden(external_id, False, place.stamp)]
    return []


def _storable(value: object) -> str | None:
    found = text(value)
    return None if found is None else storable(found)
