"""What a status says: one version of a mention, and the instance's counters of it.

Source: the Status, Account, MediaAttachment and Poll entities of the Mastodon API; GoToSocial, Pleroma, Friendica and
Pixelfed write the same with pieces missing, ids as numbers, and words of their own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.connectors.mastodon_text import host_of, readable, text_of
from shared.connectors.reading import counter, identifier, name, rfc3339, web_address, words
from shared.contract import Author, Counted, Heard, MediaDraft, Said, storable
from shared.errors import Problem
from shared.models.enums import AuthorKind, MentionKind, Visibility

Value = Mapping[str, object]
Path = tuple[str | int, ...]

# Everybody may read these. What is for followers, for a circle, or called something that we do not know is private.
_PUBLIC = frozenset({"public", "unlisted", "local"})
_MEDIA = {"gifv": "video", "unknown": "file"}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?=$|[-_])", re.IGNORECASE)


class Unusable(Exception):
    """Something said that lacks what is needed to keep it."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.message, self.path = message, path


@dataclass(slots=True)
class Told:
    """What one item said: facts, reasons for what was passed over, and what was wrong beside it."""

    heard: list[Heard] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def account_id(channel_external_id: str) -> str:
    """The account's id at its instance: a channel is named `id@instance`, for each instance counts by itself."""
    return channel_external_id.partition("@")[0]


def hear_status(status: object, channel: str, stamp: datetime) -> Told:
    """The facts of one status, whose content is as it was at `stamp`. Raises Unusable without an id.

    A reblog is somebody else's status repeated: it is told by the counters of what it repeats.
    """
    if not isinstance(status, Mapping):
        raise Unusable("a status is an object")
    external_id = identifier(status.get("id"))
    if external_id is None:
        raise Unusable("a status needs an id", "id")
    if isinstance(status.get("reblog"), Mapping):
        return Told(ignored=[f"status {external_id} is a reblog: it repeats what was said elsewhere"])
    told = Told()
    told.heard.append(_said(status, external_id, channel, stamp, told.problems))
    counted = counted_of(status, external_id, stamp)
    if counted is not None:
        told.heard.append(counted)
    return told


def _said(status: Value, external_id: str, channel: str, stamp: datetime, problems: list[Problem]) -> Said:
    author, author_kind = author_of(status.get("account"), channel)
    parent = identifier(status.get("in_reply_to_id"))
    if parent == external_id:
        parent = None
    kind = MentionKind.REPLY if parent else MentionKind.POST
    visibility = words(status.get("visibility"))
    if visibility == "direct":
        kind = MentionKind.MESSAGE
    return Said(
        external_id=external_id,
        kind=kind,
        stamp=stamp,
        text=_text(status, problems),
        author=author,
        author_kind=author_kind,
        published_at=_time(status, "created_at", problems),
        edited_at=_time(status, "edited_at", problems),
        url=web_address(status.get("url")) or web_address(status.get("uri")),
        parent_external_id=parent,
        language=_language(status.get("language")),
        media=_media(status.get("media_attachments")),
        visibility=Visibility.PUBLIC if visibility in _PUBLIC else Visibility.PRIVATE,
    )


# ---------------------------------------------------------------- who


def author_of(account: object, channel: str) -> tuple[Author | None, AuthorKind]:
    """Who wrote it: the brand where it is the channel's own account, a bot where the account says so."""
    external_id = identifier(account.get("id")) if isinstance(account, Mapping) else None
    if not isinstance(account, Mapping) or external_id is None:
        return None, AuthorKind.UNKNOWN
    shown = name(account.get("display_name")) or name(account.get("username"))
    followers = counter(account.get("followers_count"))
    author = Author(external_id, full_handle(account), shown, web_address(account.get("url")), followers)
    if external_id == channel:
        return author, AuthorKind.BRAND
    return author, AuthorKind.BOT if account.get("bot") is True else AuthorKind.CONSUMER


def full_handle(account: Value) -> str | None:
    """`user@host`: an instance leaves its own host out of `acct`."""
    handle = name(account.get("acct")) or name(account.get("username"))
    if handle is None or "@" in handle:
        return handle
    host = host_of(account.get("url")) or host_of(account.get("uri"))
    return name(f"{handle}@{host}") if host else handle


# ---------------------------------------------------------------- what


def _text(status: Value, problems: list[Problem]) -> str | None:
    """The warning, the text, and a poll's answers, which are as much said as its question."""
    content = words(status.get("content"))
    warning = words(status.get("spoiler_text")) or ""
    answers = "\n".join(f"- {answer}" for answer in _answers(status.get("poll")))
    if content is None and not warning and not answers:
        return None
    html = content or ""
    if readable(html) != html:
        problems.append(Problem("too_long", "the text is longer than is read here: its end is cut", ("content",)))
    said = text_of(html, handles_of(status.get("mentions")))
    return "\n\n".join(part for part in (warning.strip(), said, answers) if part)


def handles_of(mentions: object) -> dict[str, str]:
    found = {}
    for mention in mentions if isinstance(mentions, list) else []:
        handle = full_handle(mention) if isinstance(mention, Mapping) else None
        url = mention.get("url") if handle is not None else None
        if handle is not None and isinstance(url, str):
            found[storable(url)] = handle
    return found


def _answers(poll: object) -> list[str]:
    options = poll.get("options") if isinstance(poll, Mapping) else None
    given = [option for option in options if isinstance(option, Mapping)] if isinstance(options, list) else []
    return [title for option in given if (title := words(option.get("title")))]


def _media(attachments: object) -> tuple[MediaDraft, ...]:
    """The address at its origin where the file came from elsewhere: a copy's changes when the instance cleans up."""
    found = []
    for item in attachments if isinstance(attachments, list) else []:
        if not isinstance(item, Mapping):
            continue
        places = (web_address(item.get(which)) for which in ("remote_url", "url", "preview_url"))
        url = next(filter(None, places), None)
        if url is not None:
            kind = name(item.get("type")) or "file"
            found.append(MediaDraft(url, _MEDIA.get(kind, kind)[:40], words(item.get("description")) or None))
    return tuple(found)


def _language(value: object) -> str | None:
    found = _LANGUAGE.match(value) if isinstance(value, str) else None
    return found[0].lower() if found else None


def _time(status: Value, which: str, problems: list[Problem]) -> datetime | None:
    """A time that can't be read is a problem of its own, and the status stands without it."""
    given = status.get(which)
    if given is None or given == "":
        return None
    try:
        return rfc3339(storable(given)) if isinstance(given, str) else _no_time()
    except ValueError as error:
        problems.append(Problem("unusable_time", f"{which} {error}", (which,)))
        return None


def _no_time() -> datetime:
    raise ValueError("is text such as 2026-11-22T09:30:00.000Z")


# ---------------------------------------------------------------- how many


def counted_of(status: Value, external_id: str, stamp: datetime) -> Counted | None:
    """The instance's counters: of what others wrote, it knows only what reached it. None where it gives none."""
    likes, replies, shares = (
        counter(status.get(key)) for key in ("favourites_count", "replies_count", "reblogs_count")
    )
    if likes is replies is shares is None:
        return None
    return Counted(external_id, stamp, likes, replies, shares)
