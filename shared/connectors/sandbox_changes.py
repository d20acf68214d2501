"""What the practice network's changes say: the same in a webhook's delivery and in its change log."""

from collections.abc import Mapping
from datetime import datetime

from shared.connectors.reading import counter, identifier, name, number, rfc3339, web_address, words
from shared.contract import (
    Author,
    Counted,
    Deleted,
    Heard,
    Hidden,
    MediaDraft,
    Parsed,
    Pointer,
    Reacted,
    Said,
    read_json,
    storable,
)
from shared.errors import BadPayload, Problem
from shared.models.enums import AuthorKind, MentionKind, Visibility

Value = Mapping[str, object]

_KINDS = {kind.value: kind for kind in MentionKind}
_VERBS = frozenset({"created", "edited", "deleted", "hidden", "unhidden", "shown", "reacted", "unreacted"})


class _Unusable(Exception):
    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.message, self.path = message, path


def envelope(body: bytes) -> tuple[str, list[object]]:
    """The account and the changes of a delivery. Raises BadPayload."""
    value = read_json(body)
    if not isinstance(value, dict) or value.get("object") != "sandbox":
        raise BadPayload("the body is not an object whose “object” is “sandbox”")
    changes = value.get("changes")
    if not isinstance(changes, list) or not changes:
        raise BadPayload("changes is not a list with something in it")
    return identifier(value.get("account")) or "", changes


def read(body: bytes, stamp: datetime) -> Parsed:
    """The facts of a delivery. Raises BadPayload where nothing in it is usable."""
    heard: list[Heard] = []
    ignored: list[str] = []
    problems: list[Problem] = []
    pointers: list[Pointer] = []
    for index, change in enumerate(envelope(body)[1]):
        try:
            if isinstance(change, Mapping) and change.get("verb") == "named":
                pointers.append(Pointer(_id(change, "post_id"), "post"))
                continue
            found = _change(change, stamp)
        except _Unusable as error:
            problems.append(Problem("unusable", error.message, (index, *error.path)))
            continue
        if isinstance(found, str):
            ignored.append(found)
        else:
            heard.extend(found)
    if not heard and not ignored and not pointers:
        raise BadPayload("nothing in it is usable", problems)
    return Parsed(tuple(heard), tuple(pointers), tuple(ignored), tuple(problems))


def _change(change: object, stamp: datetime) -> list[Heard] | str:
    """A change's own time stands for the delivery's: a delivery may hold several changes of one post."""
    if not isinstance(change, Mapping):
        raise _Unusable("a change is an object")
    verb = change.get("verb")
    if not isinstance(verb, str) or verb not in _VERBS:
        return f"{name(verb) or 'a change without a verb'}: not known to this connector"
    stamp = _time(change, "at") or stamp
    if verb in {"reacted", "unreacted"}:
        return _reaction(_object(change, "reaction"), verb == "reacted", stamp)
    post = _object(change, "post")
    external_id = _id(post, "id", "post")
    said_at = _last_said(post, stamp) if verb == "shown" else stamp
    if verb == "deleted" or post.get("deleted") is True:
        return [Deleted(external_id, said_at)]
    if verb in {"hidden", "unhidden"}:
        return [Hidden(external_id, verb == "hidden", stamp)]
    hidden = [Hidden(external_id, True, stamp)] if verb == "shown" and post.get("hidden") is True else []
    return [_said(post, external_id, said_at), *hidden, *_counted(external_id, post.get("counters"), stamp)]


def _last_said(post: Value, stamp: datetime) -> datetime:
    """What is shown now was said when it was: the log says the same of it, with that time."""
    times = (_time(post, field, "post") for field in ("deleted_at", "edited_at", "published_at"))
    return next((time for time in times if time is not None), stamp)


def _said(post: Value, external_id: str, stamp: datetime) -> Said:
    word = post.get("kind")
    kind = _KINDS.get(word) if isinstance(word, str) else None
    if kind is None:
        raise _Unusable(f"kind is one of {', '.join(_KINDS)}", "post", "kind")
    author, author_kind = _author(post)
    private = post.get("visibility") == "private" or kind is MentionKind.MESSAGE
    return Said(
        external_id=external_id,
        kind=kind,
        stamp=stamp,
        text=words(post.get("text")),
        author=author,
        author_kind=author_kind,
        published_at=_time(post, "published_at", "post"),
        edited_at=_time(post, "edited_at", "post"),
        url=web_address(post.get("url")),
        parent_external_id=identifier(post.get("parent_id")),
        rating=number(post.get("rating")),
        media=_media(post.get("media")),
        visibility=Visibility.PRIVATE if private else Visibility.PUBLIC,
    )


def _author(post: Value) -> tuple[Author | None, AuthorKind]:
    """The page itself spoke where the author's handle is the account's name."""
    value = post.get("author")
    external_id = identifier(value.get("id")) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or external_id is None:
        return None, AuthorKind.UNKNOWN
    handle = name(value.get("handle"))
    shown, url = name(value.get("name")), web_address(value.get("url"))
    author = Author(external_id, handle, shown, url, counter(value.get("followers")))
    by_page = handle is not None and handle == post.get("account")
    return author, AuthorKind.BRAND if by_page else AuthorKind.CONSUMER


def _media(value: object) -> tuple[MediaDraft, ...]:
    found = []
    for item in value if isinstance(value, list) else []:
        url = web_address(item.get("url")) if isinstance(item, Mapping) else None
        if url is not None:
            found.append(MediaDraft(url, (name(item.get("kind")) or "file")[:40], words(item.get("alt"))))
    return tuple(found)


def _reaction(reaction: Value, on: bool, stamp: datetime) -> list[Heard]:
    external_id = _id(reaction, "post_id", "reaction")
    by = reaction.get("by")
    actor = identifier(by.get("id")) if isinstance(by, Mapping) else None
    word = name(reaction.get("reaction")) or "like"
    reacted = Reacted(external_id, actor or "unknown", word, on, stamp)
    return [reacted, *_counted(external_id, reaction.get("counters"), stamp)]


def _counted(external_id: str, counters: object, stamp: datetime) -> list[Heard]:
    found = counted(external_id, counters, stamp)
    return [] if found is None else [found]


def counted(external_id: str, counters: object, stamp: datetime) -> Counted | None:
    """The network's counters at `stamp`; None where there are none."""
    if not isinstance(counters, Mapping):
        return None
    likes, replies, shares, views = (counter(counters.get(key)) for key in ("likes", "replies", "shares", "views"))
    return Counted(external_id, stamp, likes, replies, shares, views)


def moment(value: object) -> datetime | None:
    """A time as the network writes it; None for anything else."""
    try:
        return rfc3339(storable(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _object(value: Value, field: str) -> Value:
    found = value.get(field)
    if not isinstance(found, Mapping):
        raise _Unusable(f"{field} is an object", field)
    return found


def _id(value: Value, field: str, *path: str) -> str:
    found = identifier(value.get(field))
    if found is None:
        raise _Unusable(f"there is no usable {field}", *path, field)
    return found


def _time(value: Value, field: str, *path: str) -> datetime | None:
    given = value.get(field)
    if given is None:
        return None
    if not isinstance(given, str):
        raise _Unusable(f"{field} is text such as 2026-11-22T09:30:00Z", *path, field)
    try:
        return rfc3339(storable(given))
    except ValueError as error:
        raise _Unusable(f"{field} {error}", *path, field) from None
