"""What an Instagram account's webhooks say outside of its messages: comments, and mentions that are only named."""

from collections.abc import Mapping

from shared.connectors.meta_events import Entry, Told, Unusable, Value
from shared.connectors.reading import identifier, name, words
from shared.contract import Author, Pointer, Said
from shared.models.enums import AuthorKind, MentionKind

# The questions that answer a mention, as their answers call them.
MENTIONED_COMMENT, MENTIONED_MEDIA = "mentioned_comment", "mentioned_media"

_COMMENTS = frozenset({"comments", "live_comments"})
_REASONS = {
    "story_insights": "figures of a story that has ended, not something said",
    "creator_marketplace_invited_creator_onboarding": "a step of a contract, not something said",
    "creator_marketplace_projects": "a step of a contract, not something said",
}
# Both kinds of login may send a message's event as a change, with the event as its value.
MESSAGE_FIELDS = frozenset(
    {
        "messages",
        "message_echoes",
        "message_edit",
        "message_reactions",
        "messaging_handover",
        "messaging_optins",
        "messaging_postbacks",
        "messaging_referral",
        "messaging_seen",
        "standby",
    }
)


def hear_change(entry: Entry, field: str, value: object) -> Told:
    """The facts of one change, what it only names, and the reasons for what is passed over. Raises Unusable."""
    if field in _COMMENTS:
        return [_comment(entry, _object(field, value))]
    if field == "mentions":
        return [_mention(_object(field, value))]
    if field in _REASONS:
        return [f"{field}: {_REASONS[field]}"]
    return [f"field {name(field)}: not about mentions"]


def _object(field: str, value: object) -> Value:
    if not isinstance(value, Mapping):
        raise Unusable(f"a change of {field} needs a value that is an object", "value")
    return value


def _comment(entry: Entry, value: Value) -> Said:
    """Live deliveries call the comment's id `id`, the older documented form `comment_id`."""
    external_id = identifier(value.get("id")) or identifier(value.get("comment_id"))
    if external_id is None:
        raise Unusable("there is no usable id", "value", "id")
    parent = identifier(value.get("parent_id"))
    author, author_kind = author_of(entry, value)
    return Said(
        external_id=external_id,
        kind=MentionKind.COMMENT if parent is None else MentionKind.REPLY,
        stamp=entry.stamp,
        text=words(value.get("text")) or None,
        author=author,
        author_kind=author_kind,
        parent_external_id=parent or _media_id(value.get("media")),
    )


def _media_id(media: object) -> str | None:
    """What was commented on. An advertisement made of a post stands for that post."""
    if not isinstance(media, Mapping):
        return None
    return identifier(media.get("original_media_id")) or identifier(media.get("id"))


def _mention(value: Value) -> Pointer:
    comment = identifier(value.get("comment_id"))
    if comment is not None:
        return Pointer(comment, MENTIONED_COMMENT)
    media = identifier(value.get("media_id"))
    if media is None:
        raise Unusable("a mention needs a media_id", "value", "media_id")
    return Pointer(media, MENTIONED_MEDIA)


def author_of(entry: Entry, value: Value) -> tuple[Author | None, AuthorKind]:
    """Who wrote it: by `from`, else by what is told of the account itself, else by a `username` that stands for the id.

    Instagram tells `self_ig_scoped_id`, `user` and `owner` only where the account itself wrote.
    """
    source = value.get("from")
    itself = isinstance(source, Mapping) and identifier(source.get("self_ig_scoped_id")) is not None
    itself = itself or any(isinstance(value.get(field), Mapping) for field in ("user", "owner"))
    handle = name(value.get("username"))
    for field in ("from", "user", "owner"):
        source = value.get(field)
        external_id = identifier(source.get("id")) if isinstance(source, Mapping) else None
        if isinstance(source, Mapping) and external_id is not None:
            handle = name(source.get("username")) or handle
            author = Author(external_id, handle, url=_profile(handle))
            return author, AuthorKind.BRAND if itself else entry.author_kind(author)
    if handle is None:
        return None, AuthorKind.UNKNOWN
    return Author(f"@{handle}", handle, url=_profile(handle)), AuthorKind.CONSUMER


def _profile(handle: str | None) -> str | None:
    if handle is None or not handle.isascii() or not handle.replace(".", "").replace("_", "").isalnum():
        return None
    return f"https://www.instagram.com/{handle}/"
