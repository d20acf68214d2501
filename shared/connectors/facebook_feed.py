"""What a Facebook Page's `changes[]` say: its feed, mentions of it, and its ratings.

Sources: the Page webhook reference, and the recorded deliveries of restfb's tests. Any piece may be missing: Facebook
leaves `from` out for privacy, and old subscriptions write `sender_id` and `sender_name` instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.connectors.meta_events import Entry, Told, Unusable, Value
from shared.connectors.meta_media import media
from shared.connectors.reading import identifier, name, number, unix_time, web_address, words
from shared.contract import Author, Deleted, Hidden, MediaDraft, Pointer, Reacted, Said
from shared.models.enums import MentionKind

_FIELDS = frozenset({"feed", "mention", "ratings"})
_ADDED = frozenset({"add"})
_EDITED = frozenset({"edit", "edited", "update"})
_REMOVED = frozenset({"remove", "delete"})
_HIDING = frozenset({"hide", "unhide"})
_COMMENTS = frozenset({"comment", "reply"})
_REACTIONS = frozenset({"like", "reaction"})
_REVIEWS = frozenset({"rating", "review", "recommendation"})
_POSTS = frozenset(
    {
        *("album", "event", "link", "milestone", "note", "photo", "photo-album", "picture"),
        *("platform-story", "post", "question", "reel", "share", "status", "video"),
    }
)
_POST_IDS = ("post_id", "story_id", "photo_id", "video_id", "share_id", "link_id", "album_id", "event_id")
# People recommend a page or do not; these are the ends of the star scale on which Facebook still shows a page's score.
_RECOMMENDATIONS = {"positive": 5.0, "negative": 1.0}


@dataclass(frozen=True, slots=True)
class _Thing:
    """What a change is about."""

    external_id: str
    kind: MentionKind
    parent: str | None = None
    rating: float | None = None


def hear_change(entry: Entry, field: str, value: object) -> Told:
    """The facts of one change, what it only names, and the reasons for what is passed over. Raises Unusable."""
    if field not in _FIELDS:
        return [f"field {name(field)}: not about mentions"]
    if not isinstance(value, Mapping):
        raise Unusable(f"a change of {field} needs a value that is an object", "value")
    item = _item(field, value)
    # Mentions and ratings without a verb are new ones; the feed always says what happened.
    verb = words(value.get("verb")) or ("" if field == "feed" else "add")
    if not verb:
        raise Unusable("a change of feed needs a verb", "value", "verb")
    if item in _REACTIONS:
        return _reaction(entry, verb, value)
    thing = _thing(entry, item, value)
    if thing is None:
        return [f"{field} {item[:40] or 'without an item'}: not about mentions"]
    told = _by_verb(entry, verb, item, value, thing)
    if field == "mention" and verb in _ADDED and not value.get("message"):
        # Somebody else's post or comment, of which Facebook often gives the id alone.
        told.append(Pointer(thing.external_id, "post" if thing.kind is MentionKind.POST else "comment"))
    return told


def _item(field: str, value: Value) -> str:
    item = words(value.get("item")) or ""
    if item and item != "mention":
        return item
    if value.get("comment_id"):
        return "comment"
    return {"mention": "post", "ratings": "rating"}.get(field, "post" if item else "")


def _thing(entry: Entry, item: str, value: Value) -> _Thing | None:
    if item in _COMMENTS:
        external_id = _first_id(value, "comment_id")
        root = _optional_id(value, "post_id", "open_graph_story_id")
        parent = _optional_id(value, "parent_id") or root
        kind = MentionKind.COMMENT if _is_root(entry, parent, root) else MentionKind.REPLY
        return _Thing(external_id, kind, root if kind is MentionKind.COMMENT and root else parent)
    if item in _REVIEWS:
        external_id = _first_id(value, "open_graph_story_id", "post_id", "rating_id", "reviewer_id")
        return _Thing(external_id, MentionKind.REVIEW, rating=rating(value))
    if item == "story":
        return _Thing(_first_id(value, *_POST_IDS), MentionKind.STORY)
    if item in _POSTS:
        return _Thing(_first_id(value, *_POST_IDS), MentionKind.POST)
    return None


def _by_verb(entry: Entry, verb: str, item: str, value: Value, thing: _Thing) -> Told:
    if verb in _REMOVED:
        return [Deleted(thing.external_id, entry.stamp)]
    if verb in _HIDING:
        return [Hidden(thing.external_id, verb == "hide", entry.stamp), *_copy(entry, item, value, thing)]
    if verb not in _ADDED | _EDITED:
        return [f"{item} {verb[:40]}: says nothing about what was said"]
    if value.get("published") in (0, "0"):
        return [f"{item}: not published yet"]
    edited_at = unix_time(value.get("edited_time")) if verb in _EDITED else None
    said = _said(entry, value, thing, edited_at)
    return [said, Hidden(thing.external_id, True, entry.stamp)] if value.get("is_hidden") is True else [said]


# ---------------------------------------------------------------- one version


def _said(entry: Entry, value: Value, thing: _Thing, edited_at: datetime | None) -> Said:
    author = _author(value)
    text = words(value.get("message")) or None
    return Said(
        external_id=thing.external_id,
        kind=thing.kind,
        stamp=entry.stamp,
        text=(words(value.get("review_text")) or None) if text is None else text,
        author=author,
        author_kind=entry.author_kind(author),
        published_at=unix_time(value.get("created_time")),
        edited_at=edited_at,
        url=_url(value),
        parent_external_id=thing.parent,
        rating=thing.rating,
        media=_media(value),
    )


def _copy(entry: Entry, item: str, value: Value, thing: _Thing) -> Told:
    """The content that comes along with a hiding, so that what was never heard before is seen.

    It is often not whole (a photo's text is missing), so it must not beat the version that was sent as one: it is
    dated just before its creation. Without that time only a text is worth to be taken for the newest version.
    """
    said = _said(entry, value, thing, None)
    if said.published_at is not None:
        return [replace(said, stamp=said.published_at - timedelta(seconds=1))]
    if said.text is not None:
        return [said]
    return [f"{item} hidden or shown again: its link without text and time"] if said.media else []


def _author(value: Value) -> Author | None:
    source = value.get("from")
    if isinstance(source, Mapping):
        external_id = identifier(source.get("id"))
        if external_id is not None:
            return Author(external_id, name=name(source.get("name")))
    for who in ("sender", "reviewer"):
        external_id = identifier(value.get(f"{who}_id"))
        if external_id is not None:
            return Author(external_id, name=name(value.get(f"{who}_name")))
    return None


def _url(value: Value) -> str | None:
    post = value.get("post")
    inner = post.get("permalink_url") if isinstance(post, Mapping) else None
    return web_address(value.get("permalink_url")) or web_address(value.get("permalink")) or web_address(inner)


def _media(value: Value) -> tuple[MediaDraft, ...]:
    item = value.get("item")
    link_kind = item if item in ("photo", "video") else "link"
    photos = value.get("photos")
    found = [
        (value.get("photo"), "image"),
        *((photo, "image") for photo in (photos if isinstance(photos, list) else [])),
        (value.get("video"), "video"),
        (value.get("link"), "image" if link_kind == "photo" else str(link_kind)),
    ]
    return media(found)


def rating(value: Value) -> float | None:
    """The stars of a review, or the end of their scale that a recommendation stands for."""
    stars = number(value.get("rating"))
    if stars is not None:
        return stars
    recommendation = value.get("recommendation_type")
    return _RECOMMENDATIONS.get(recommendation.lower()) if isinstance(recommendation, str) else None


# ---------------------------------------------------------------- reactions and ids


def _reaction(entry: Entry, verb: str, value: Value) -> Told:
    target = _optional_id(value, "comment_id", "post_id", "open_graph_story_id")
    if target is None:
        return ["like of the page itself: not about a mention"]
    if verb not in _ADDED | _EDITED | _REMOVED:
        return [f"reaction {verb[:40]}: says nothing about what was said"]
    author = _author(value)
    return [
        Reacted(
            external_id=target,
            actor_external_id="unknown" if author is None else author.external_id,
            reaction=name(value.get("reaction_type")) or "like",
            on=verb not in _REMOVED,
            stamp=entry.stamp,
        )
    ]


def _is_root(entry: Entry, parent: str | None, root: str | None) -> bool:
    """Whether a comment's parent is the post. Old payloads write the post's id with and without its page before it."""
    if parent is None or root is None:
        return parent is None or parent.split("_", maxsplit=1)[0] in entry.own
    return parent == root or parent == root.rpartition("_")[2]


def _optional_id(value: Value, *fields: str) -> str | None:
    return next((found for field in fields if (found := identifier(value.get(field))) is not None), None)


def _first_id(value: Value, *fields: str) -> str:
    found = _optional_id(value, *fields)
    if found is None:
        raise Unusable(f"there is no usable {fields[0]}", "value", fields[0])
    return found
