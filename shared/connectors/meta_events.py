"""Where an event of Meta's webhooks stands, and what may come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.contract import Author, Heard, Pointer
from shared.models.enums import AuthorKind

Value = Mapping[str, object]
Told = list[Heard | Pointer | str]  # facts, things only named, and reasons for what was passed over


class Unusable(Exception):
    """An event about something said that lacks what is needed to keep it."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.message, self.path = message, path


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an event stands: the ids under which the page or account itself speaks, and the delivery's time."""

    own: frozenset[str]
    stamp: datetime

    def author_kind(self, author: Author | None) -> AuthorKind:
        if author is None:
            return AuthorKind.UNKNOWN
        return AuthorKind.BRAND if author.external_id in self.own else AuthorKind.CONSUMER
