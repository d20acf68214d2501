"""Which mentions are meant, said once for every list, count and figure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    ColumnElement,
    Float,
    Text,
    Uuid,
    any_,
    bindparam,
    exists,
    type_coerce,
)
from sqlmodel import col

from shared.contract import storable
from shared.domain.page import digest
from shared.errors import Invalid, Problem
from shared.models import Match, Mention
from shared.models.base import TIME
from shared.models.enums import AuthorKind, Intent, MentionKind, Network, Sentiment, Visibility

SEARCH_MOST = 1000


@dataclass(frozen=True, slots=True)
class MentionFilter:
    """None: any. An empty list: none at all. `since` is inclusive, `until` exclusive.

    `deleted`: False leaves deleted mentions out, True shows only them, None shows both. `duplicates`: False leaves
    copies out, so that what many say is there once, True shows only copies, None both.
    """

    networks: tuple[Network, ...] | None = None
    channel_ids: tuple[UUID, ...] | None = None
    kinds: tuple[MentionKind, ...] | None = None
    visibility: Visibility | None = None
    languages: tuple[str, ...] | None = None
    sentiments: tuple[Sentiment, ...] | None = None
    intents: tuple[Intent, ...] | None = None
    author_id: UUID | None = None
    author_kinds: tuple[AuthorKind, ...] | None = None
    thread_id: UUID | None = None
    query_ids: tuple[UUID, ...] | None = None
    min_rating: float | None = None
    search: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    deleted: bool | None = False
    duplicates: bool | None = None

    def __post_init__(self) -> None:
        problems = [
            Problem("invalid_time", "a time needs its offset, as in 2026-12-01T09:00:00Z", (name,))
            for name, value in (("since", self.since), ("until", self.until))
            if value is not None and value.tzinfo is None
        ]
        if self.search is not None and len(self.search) > SEARCH_MOST:
            problems.append(Problem("too_long", f"a search has at most {SEARCH_MOST} characters", ("search",)))
        if problems:
            raise Invalid(problems)

    @property
    def words(self) -> str | None:
        """What is searched for; None where nothing is. PostgreSQL takes no U+0000 and no lone surrogate."""
        if self.search is None:
            return None
        return storable(self.search.replace("\x00", " ")).strip() or None

    @property
    def digest(self) -> str:
        return digest(*(getattr(self, name) for name in self.__slots__))

    def given(self) -> dict[str, Any]:
        """The parameters of the conditions that this filter sets, by name."""
        values: dict[str, Any] = {}
        for name in _CONDITIONS:
            value = getattr(self, name, None)
            if value is not None:
                values[name] = [_plain(v) for v in value] if isinstance(value, tuple) else _plain(value)
        return values

    def shape(self) -> tuple[str, ...]:
        """What the SQL depends on: which conditions are set, never their values."""
        kept = {False: ("standing",), True: ("deleted",), None: ()}[self.deleted]
        return (*self.given(), *kept)


def _plain(value: Any) -> Any:
    return storable(str(value)) if isinstance(value, str) else value


def _text(column: Any) -> ColumnElement[str]:
    return type_coerce(column, Text)


def is_matched(queries: BindParameter[Any] | None = None) -> ColumnElement[bool]:
    """Whether one of these queries matched it, or any at all."""
    found = exists().where(
        col(Match.brand_id) == bindparam("brand_id", type_=Uuid),
        col(Match.brand_id) == col(Mention.brand_id),
        col(Match.mention_id) == col(Mention.id),
    )
    if queries is not None:
        found = found.where(col(Match.query_id) == any_(queries))
    return found.correlate(Mention)  # figures by query join the matches themselves


_Condition = Callable[[BindParameter[Any]], ColumnElement[bool]]
_CONDITIONS: dict[str, tuple[Any, _Condition]] = {
    "networks": (ARRAY(Text), lambda p: _text(Mention.network) == any_(p)),
    "channel_ids": (ARRAY(Uuid), lambda p: col(Mention.channel_id) == any_(p)),
    "kinds": (ARRAY(Text), lambda p: _text(Mention.kind) == any_(p)),
    "visibility": (Text, lambda p: _text(Mention.visibility) == p),
    "languages": (ARRAY(Text), lambda p: col(Mention.language) == any_(p)),
    "sentiments": (ARRAY(Text), lambda p: _text(Mention.sentiment) == any_(p)),
    "intents": (ARRAY(Text), col(Mention.intents).op("&&", is_comparison=True)),
    "author_id": (Uuid, lambda p: col(Mention.author_id) == p),
    "author_kinds": (ARRAY(Text), lambda p: _text(Mention.author_kind) == any_(p)),
    "thread_id": (Uuid, lambda p: col(Mention.thread_id) == p),
    "query_ids": (ARRAY(Uuid), is_matched),
    "min_rating": (Float, lambda p: col(Mention.rating) >= p),
    "duplicates": (Boolean, lambda p: col(Mention.is_copy) == p),
    "since": (TIME, lambda p: col(Mention.published_at) >= p),
    "until": (TIME, lambda p: col(Mention.published_at) < p),
}


def conditions(shape: Iterable[str]) -> list[ColumnElement[bool]]:
    """The WHERE of a shape, over `mention`: the brand by name (an index needs it), and only what was heard."""
    found: list[ColumnElement[bool]] = [
        col(Mention.brand_id) == bindparam("brand_id", type_=Uuid),
        # By itself: the newest page's partial index does not serve `heard IS true`.
        type_coerce(Mention.heard, Boolean),
    ]
    for name in shape:
        if name == "standing":
            found.append(col(Mention.deleted_at).is_(None))
        elif name == "deleted":
            found.append(col(Mention.deleted_at).is_not(None))
        else:
            type_, condition = _CONDITIONS[name]
            found.append(condition(bindparam(name, type_=type_)))
    return found
