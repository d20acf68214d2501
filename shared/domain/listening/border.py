"""What comes in is made storable before anything is decided by it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contract import Author, Said, storable

_AHEAD = timedelta(minutes=5)
_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)


def at_the_border(said: Said) -> Said:
    """The same facts, storable: no U+0000, no lone surrogates, not its own parent, not from the future.

    A time before 1970 is no time: networks began later, and calendars end. One more than five minutes after its
    delivery's stamp is taken for the stamp: it would head every list for ever.
    """
    changes: dict[str, Any] = {}
    for name in ("text", "url", "external_id", "parent_external_id", "language"):
        value = getattr(said, name)
        if value is not None and not value.isprintable() and (clean := storable(value)) != value:
            changes[name] = clean
    if said.author is not None:
        author = _storable_author(said.author)
        if author != said.author:
            changes["author"] = author
    for name in ("published_at", "edited_at"):
        value = getattr(said, name)
        if value is not None and value < _BEFORE:
            changes[name] = None
        elif value is not None and value > said.stamp + _AHEAD:
            changes[name] = said.stamp
    if said.parent_external_id == said.external_id:
        changes["parent_external_id"] = None
    if said.media and any(storable(m.url) != m.url or storable(m.alt or "") != (m.alt or "") for m in said.media):
        changes["media"] = tuple(
            type(m)(storable(m.url), storable(m.kind), storable(m.alt) if m.alt else m.alt, m.key) for m in said.media
        )
    if not changes:
        return said
    return Said(**{**{name: getattr(said, name) for name in Said.__dataclass_fields__}, **changes})


def _storable_author(author: Author) -> Author:
    def clean(value: str | None) -> str | None:
        return storable(value) if value else value

    return Author(
        storable(author.external_id), clean(author.handle), clean(author.name), clean(author.url), author.followers
    )
