"""The envelope of a generic delivery: mentions and deleted ids, read by hand because it is a hot path."""

import re
from collections.abc import Mapping
from datetime import datetime

from shared.connectors.reading import counter, identifier, name, number, rfc3339, web_address
from shared.contract import Author, Deleted, Heard, MediaDraft, Parsed, Said, read_json, storable
from shared.errors import BadPayload, Problem
from shared.models.enums import AuthorKind, MentionKind, Visibility

MAX_MENTIONS = 1000
MAX_DELETED = 10_000
MAX_TEXT = 100_000
MAX_MEDIA = 100

_KINDS = {kind.value: kind for kind in MentionKind}
_VISIBILITIES = {visibility.value: visibility for visibility in Visibility}
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8}){0,4}\Z")
_ID = "an id is text of 1 to 1,000 characters, or a whole number"


def read(body: bytes, stamp: datetime) -> Parsed:
    """The facts of a delivery. Raises BadPayload, with the problems, where nothing in it is usable."""
    envelope = read_json(body)
    if not isinstance(envelope, dict):
        raise BadPayload("the body is not an object with “mentions” or “deleted”")
    reading = _Reading(stamp)
    mentions = _listed(envelope, "mentions", MAX_MENTIONS, reading.problems)
    deleted = _listed(envelope, "deleted", MAX_DELETED, reading.problems)
    for index, item in enumerate(mentions):
        reading.mention(index, item)
    for index, item in enumerate(deleted):
        reading.deleted(index, item)
    if not reading.heard:
        raise BadPayload("nothing in it is usable" if reading.problems else "nothing in it", reading.problems)
    return Parsed(heard=tuple(reading.heard), problems=tuple(reading.problems))


class _Bad(Exception):
    """A mention that can't be recorded, and why."""

    def __init__(self, code: str, message: str, *path: str | int) -> None:
        self.code, self.message, self.path = code, message, path


def _id(item: Mapping[str, object], field: str, *path: str | int) -> str | None:
    value = item.get(field)
    if value is None:
        return None
    found = identifier(value)
    if found is None:
        raise _Bad("invalid_id", _ID, *path, field)
    return found


def _time(item: Mapping[str, object], field: str) -> datetime | None:
    value = item.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Bad("invalid_time", f"{field} is text such as 2026-11-22T09:30:00Z", field)
    try:
        return rfc3339(value)
    except ValueError as error:
        raise _Bad("invalid_time", f"{field} {error}", field) from None


def _optional_text(item: Mapping[str, object], field: str, *path: str | int) -> str | None:
    value = item.get(field)
    if value is not None and not isinstance(value, str):
        raise _Bad("invalid_type", f"{field} is text", *path, field)
    return value


class _Reading:
    """One delivery being read: what was heard so far, and what was wrong."""

    def __init__(self, stamp: datetime) -> None:
        self.stamp = stamp
        self.heard: list[Heard] = []
        self.problems: list[Problem] = []

    def mention(self, index: int, item: object) -> None:
        """Read one mention; a bad one becomes a problem and leaves its neighbours alone."""
        try:
            self.heard.append(self._said(index, item))
        except _Bad as bad:
            self.problems.append(Problem(bad.code, bad.message, (index, *bad.path)))

    def _said(self, index: int, item: object) -> Said:
        if not isinstance(item, dict):
            raise _Bad("invalid_type", "a mention is an object")
        external_id = _id(item, "id")
        if external_id is None:
            raise _Bad("required", "a mention needs an id", "id")
        word = item.get("kind")
        kind = _KINDS.get(word) if isinstance(word, str) else None
        if kind is None:
            raise _Bad("unknown_kind", f"kind is one of {', '.join(_KINDS)}", "kind")
        published_at = _time(item, "published_at")
        if published_at is None:
            raise _Bad("required", "a mention needs its published_at", "published_at")
        text = _optional_text(item, "text")
        if text is not None and len(text) > MAX_TEXT:
            raise _Bad("too_long", f"a text has at most {MAX_TEXT:,} characters, this one has {len(text):,}", "text")
        author = self._author(index, item)
        return Said(
            external_id,
            kind,
            self.stamp,
            None if text is None else storable(text),
            author,
            AuthorKind.UNKNOWN if author is None else AuthorKind.CONSUMER,
            published_at,
            _time(item, "edited_at"),
            self._url(item.get("url"), index, "url"),
            self._parent(index, item, external_id),
            self._language(index, item.get("language")),
            _rating(item.get("rating")),
            self._media(index, item.get("media")),
            _visibility(item.get("visibility"), kind),
        )

    def _author(self, index: int, item: dict[str, object]) -> Author | None:
        author = item.get("author")
        if author is None:
            return None
        if not isinstance(author, dict):
            raise _Bad("invalid_type", "author is an object with an id", "author")
        external_id = _id(author, "id", "author")
        if external_id is None:
            raise _Bad("required", "an author needs an id", "author", "id")
        return Author(
            external_id,
            self._name(author, "handle", index),
            self._name(author, "name", index),
            self._url(author.get("url"), index, "author", "url"),
            self._followers(author, index),
        )

    def _followers(self, author: dict[str, object], index: int) -> int | None:
        value = author.get("followers")
        found = counter(value)
        if found is None and value is not None:
            message = "followers is a whole number from 0 to 2,147,483,647"
            self.problems.append(Problem("invalid_number", message, (index, "author", "followers")))
        return found

    def _name(self, author: dict[str, object], field: str, index: int) -> str | None:
        value = _optional_text(author, field, "author")
        if value is None:
            return None
        found = name(value)
        if found is not None and len(found) < len(value):
            self._left_out("too_long", f"{field} was cut to its first {len(found)} characters", index, "author", field)
        return found

    def _parent(self, index: int, item: dict[str, object], external_id: str) -> str | None:
        parent = _id(item, "parent_id")
        if parent is not None and parent == external_id:
            self._left_out(
                "own_parent", "a mention can't be its own parent; it is kept without one", index, "parent_id"
            )
            return None
        return parent

    def _url(self, value: object, *path: str | int) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise _Bad("invalid_type", "url is text", *path[1:])
        if value.startswith(("https://", "http://")):
            found = web_address(value)
            if found is not None:
                return found
        self._left_out(
            "invalid_url", "url was left out: it must be a http(s) address of at most 4,000 characters", *path
        )
        return None

    def _language(self, index: int, value: object) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise _Bad("invalid_type", "language is text such as nl or fr-BE", "language")
        tag = _LANGUAGE.match(value)
        if tag is not None:
            return tag.group(1).lower()
        self._left_out(
            "invalid_language", "language was left out: it must be a tag such as nl or fr-BE", index, "language"
        )
        return None

    def _media(self, index: int, value: object) -> tuple[MediaDraft, ...]:
        if value is None or value == []:
            return ()
        if not isinstance(value, list) or len(value) > MAX_MEDIA:
            raise _Bad("invalid_type", f"media is a list of at most {MAX_MEDIA} objects", "media")
        found = []
        for place, item in enumerate(value):
            if (
                not isinstance(item, dict)
                or not isinstance(item.get("url"), str)
                or not isinstance(item.get("kind"), str)
            ):
                raise _Bad("invalid_type", "media are objects with url and kind", "media", place)
            alt = _optional_text(item, "alt", "media", place)
            url = self._url(item["url"], index, "media", place, "url")
            if url is not None:
                found.append(
                    MediaDraft(url, storable(item["kind"][:40]), None if alt is None else storable(alt[:MAX_TEXT]))
                )
        return tuple(found)

    def _left_out(self, code: str, message: str, *path: str | int) -> None:
        self.problems.append(Problem(code, message, path))

    def deleted(self, index: int, value: object) -> None:
        found = identifier(value)
        if found is None:
            self.problems.append(Problem("invalid_id", _ID, ("deleted", index)))
        else:
            self.heard.append(Deleted(found, self.stamp))


def _rating(value: object) -> float | None:
    if value is None:
        return None
    found = number(value)
    if found is None:
        raise _Bad("invalid_rating", "rating is a finite number", "rating")
    return found


def _visibility(value: object, kind: MentionKind) -> Visibility:
    if value is None:
        return Visibility.PRIVATE if kind is MentionKind.MESSAGE else Visibility.PUBLIC
    found = _VISIBILITIES.get(value) if isinstance(value, str) else None
    if found is None:
        raise _Bad("unknown_visibility", "visibility is public or private", "visibility")
    return found


def _listed(envelope: Mapping[str, object], field: str, limit: int, problems: list[Problem]) -> list[object]:
    value = envelope.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        problems.append(Problem("invalid_type", f"{field} is a list", (field,)))
        return []
    if len(value) > limit:
        message = f"a delivery holds at most {limit:,} {field}, this one holds {len(value):,}"
        raise BadPayload(message, [Problem("too_many", message, (field,))])
    return value
