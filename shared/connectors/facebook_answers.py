"""What a Page's answers say, in the same words as its webhooks: ids, texts and times that meet in one mention.

Graph tells no time of an edit, so what is asked for never stands against an edit that a webhook dated.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from shared.connectors import graph_answers, graph_talk
from shared.connectors.facebook_feed import rating
from shared.connectors.graph import listed, moment
from shared.connectors.graph_answers import amount, needed_id, text, total
from shared.connectors.graph_rounds import ABOUT, SOURCE
from shared.connectors.meta_events import Entry, Told, Unusable, Value
from shared.connectors.meta_hooks import Tally
from shared.connectors.meta_media import media
from shared.connectors.reading import identifier, name, web_address
from shared.contract import Author, Counted, Hidden, MediaDraft, Parsed, RawPart, Said, read_json, storable
from shared.errors import BadPayload
from shared.models.enums import MentionKind

# The Page's feed, posts that tag it, comments on one post, newest comments on several, its reviews, things looked at.
FEED, TAGGED, COMMENTS, NEWS, RATINGS, LOOKED = "feed", "tagged", "comments", "news", "ratings", "looked"
POST, COMMENT = "post", "comment"  # single things that were fetched

_OF_POSTS = ("attachments", "full_picture", "is_published", "reactions", "shares", "status_type", "updated_time")


def read(part: RawPart) -> Parsed:
    """The facts of an answer, by the question that its headers name. Raises BadPayload."""
    value = read_json(part.body)
    if not isinstance(value, dict):
        raise BadPayload("the answer is not an object")
    source, about = part.headers.get(SOURCE, ""), part.headers.get(ABOUT, "")
    place = Entry(frozenset({part.channel_external_id} - {""}), part.stamp)
    tally = Tally()
    lists = {FEED: hear_post, TAGGED: hear_post, RATINGS: _rating, COMMENTS: _under(about)}
    if source in lists:
        graph_answers.hear_each(tally, place, value.get("data"), lists[source], "data")
    elif source == NEWS:
        graph_answers.hear_looked(tally, place, value, _news)
    elif source == LOOKED:
        graph_answers.hear_looked(tally, place, value, hear_any)
    elif source in (POST, COMMENT):
        graph_answers.hear_one(tally, place, value, hear_post if source == POST else hear_any)
    elif source == graph_talk.MESSAGES:
        inner = value.get("messages")
        items = inner.get("data") if isinstance(inner, Mapping) else inner
        graph_answers.hear_each(tally, place, items, graph_talk.hear_message, "messages", "data")
    else:
        raise BadPayload(f"there is no question {source[:40]!r}")
    return tally.parsed()


def hear_any(place: Entry, item: Value) -> Told:
    """A thing that may be a post or a comment: a post is named after its Page, or has what no comment has."""
    external_id = identifier(item.get("id")) or ""
    is_post = external_id.partition("_")[0] in place.own or any(field in item for field in _OF_POSTS)
    if is_post or ("comments" in item and "message" not in item):
        return [*hear_post(place, item), *_shown_again(place, item)]
    if any(field in item for field in ("message", "created_time", "attachment", "from")):
        return [*_comment(place, item), *_shown_again(place, item)]
    return ["a thing of which nothing is told that was said"]


def _shown_again(place: Entry, item: Value) -> Told:
    """Looked at again, it may be shown once more: a list has only word of what is hidden."""
    external_id = identifier(item.get("id"))
    if item.get("is_hidden") is False and external_id is not None:
        return [Hidden(external_id, False, place.stamp)]
    return []


# ---------------------------------------------------------------- posts


def hear_post(place: Entry, item: Value) -> Told:
    """A post with its counters, and the comments that were asked for along with it. Raises Unusable."""
    external_id = needed_id(item, "post")
    if item.get("is_published") is False:
        return [f"post {storable(external_id[:60])}: not published yet"]
    author = _author(item.get("from"))
    said = Said(
        external_id=external_id,
        kind=MentionKind.POST,
        stamp=place.stamp,
        text=_storable(item.get("message")),
        author=author,
        author_kind=place.author_kind(author),
        published_at=moment(item.get("created_time")),
        url=web_address(item.get("permalink_url")),
        media=_attached(item),
    )
    told: Told = [said]
    if said.text is None and said.published_at is None and not said.media:
        told = [f"post {storable(external_id[:60])}: nothing of what it shows is told"]
    elif item.get("is_hidden") is True:
        told.append(Hidden(external_id, True, place.stamp))
    told += _post_counted(place, item, external_id)
    return [*told, *graph_answers.hear_inner(place, item.get("comments"), _under(external_id))]


def _post_counted(place: Entry, item: Value, external_id: str) -> Told:
    likes = total(item.get("reactions"))
    likes = total(item.get("likes")) if likes is None else likes
    replies, shares = total(item.get("comments")), total(item.get("shares"))
    if likes is None and replies is None and shares is None:
        return []
    return [Counted(external_id, place.stamp, likes, replies, shares)]


def _attached(item: Value) -> tuple[MediaDraft, ...]:
    found: list[tuple[object, str]] = []
    for attachment in listed(item.get("attachments")):
        for one in listed(attachment.get("subattachments")) or [attachment]:
            found += _attachment(one)
    return media(found) or media([(item.get("full_picture"), "image")])


def _attachment(value: Value) -> list[tuple[object, str]]:
    """An attachment as the webhooks would name it: a link by where it leads, a picture or film by its file."""
    kind = str(value.get("media_type") or value.get("type") or "")
    shown = value.get("media")
    picture = shown.get("image") if isinstance(shown, Mapping) else None
    source = picture.get("src") if isinstance(picture, Mapping) else None
    if kind in ("link", "share"):
        return [(value.get("unshimmed_url") or value.get("url"), "link")]
    if kind.startswith("video"):
        film = shown.get("source") if isinstance(shown, Mapping) else None
        return [(film or source or value.get("url"), "video")]
    return [(source, "image")]


# ---------------------------------------------------------------- comments


def _under(post_id: str) -> graph_answers.Hear:
    return lambda place, item: _comment(place, item, post_id)


def _news(place: Entry, post: Value) -> Told:
    return graph_answers.hear_inner(place, post.get("comments"), _under(needed_id(post, "post")))


def _comment(place: Entry, item: Value, post_id: str = "") -> Told:
    told_id, told_parent = _by_address(item.get("permalink_url"))
    external_id = identifier(item.get("id")) or told_id
    if external_id is None:
        raise Unusable("a comment needs an id", "id")
    above = item.get("parent")
    parent = (identifier(above.get("id")) if isinstance(above, Mapping) else None) or told_parent
    author, attachment = _author(item.get("from")), item.get("attachment")
    said = Said(
        external_id=external_id,
        kind=MentionKind.COMMENT if parent is None else MentionKind.REPLY,
        stamp=place.stamp,
        text=_storable(item.get("message")),
        author=author,
        author_kind=place.author_kind(author),
        published_at=moment(item.get("created_time")),
        url=web_address(item.get("permalink_url")),
        parent_external_id=parent or post_id or None,
        media=media(_attachment(attachment)) if isinstance(attachment, Mapping) and _is_file(attachment) else (),
    )
    if said.text is None and said.published_at is None and not said.media:
        raise Unusable("a comment needs more than its id", "message")
    told: Told = [said]
    likes, replies = amount(item.get("like_count")), amount(item.get("comment_count"))
    if likes is not None or replies is not None:
        told.append(Counted(external_id, place.stamp, likes, replies))
    if item.get("is_hidden") is True:
        told.append(Hidden(external_id, True, place.stamp))
    return told


def _is_file(attachment: Value) -> bool:
    """A link in a comment is part of its text; webhooks name only its pictures and films."""
    return attachment.get("type") not in ("share", "link")


def _by_address(address: object) -> tuple[str | None, str | None]:
    """A comment's id and the id of the comment that it answers, out of its address: `/posts/{post}/?comment_id=…`."""
    url = web_address(address)
    if url is None:
        return None, None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None, None
    post = parts.path.rstrip("/").rpartition("/")[2]
    query = parse_qs(parts.query)
    above, below = query.get("comment_id", [""])[0], query.get("reply_comment_id", [""])[0]
    if not (post.isdecimal() and above.isdecimal()):
        return None, None
    return (f"{post}_{below}", f"{post}_{above}") if below.isdecimal() else (f"{post}_{above}", None)


# ---------------------------------------------------------------- reviews, people


def _rating(place: Entry, item: Value) -> Told:
    story, reviewer = item.get("open_graph_story"), _author(item.get("reviewer"))
    external_id = identifier(story.get("id")) if isinstance(story, Mapping) else None
    external_id = external_id or (reviewer.external_id if reviewer is not None else None)
    if external_id is None:
        raise Unusable("a review needs an open_graph_story or a reviewer", "open_graph_story")
    return [
        Said(
            external_id=external_id,
            kind=MentionKind.REVIEW,
            stamp=place.stamp,
            text=_storable(item.get("review_text")),
            author=reviewer,
            author_kind=place.author_kind(reviewer),
            published_at=moment(item.get("created_time")),
            rating=rating(item),
        )
    ]


def _author(source: object) -> Author | None:
    external_id = identifier(source.get("id")) if isinstance(source, Mapping) else None
    if not isinstance(source, Mapping) or external_id is None:
        return None
    return Author(external_id, name=name(source.get("name")))


def _storable(value: object) -> str | None:
    found = text(value)
    return None if found is None else storable(found)
