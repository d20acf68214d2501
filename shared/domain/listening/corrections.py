"""What a person says against a reading: kept with who and when, and never overwritten by a model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam
from sqlmodel import col, select

from shared.db import Session
from shared.domain.listening import calibrations, mentions, readings, record
from shared.domain.listening.ears import Ears
from shared.domain.listening.merge import MentionState
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.models.enums import CorrectedField, GrantRole, Intent, KeyScope, Sentiment
from shared.models.mention import Correction, Mention

_KIND = "corrections"
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says a mention is. None: nothing about that. `language` is ISO 639-1."""

    sentiment: Sentiment | None = None
    intents: tuple[Intent, ...] | None = None
    language: str | None = None

    def values(self) -> dict[CorrectedField, list[str]]:
        """Each field that is spoken of, as it is kept. Raises Invalid."""
        found: dict[CorrectedField, list[str]] = {}
        if self.sentiment is not None:
            found[CorrectedField.SENTIMENT] = [self.sentiment.value]
        if self.intents is not None:
            found[CorrectedField.INTENTS] = [intent.value for intent in Intent if intent in self.intents]
        if self.language is not None:
            if not _LANGUAGE.fullmatch(self.language):
                message = "a language is two small letters, as in nl"
                raise Invalid([Problem("invalid_language", message, ("language",))])
            found[CorrectedField.LANGUAGE] = [self.language]
        if not found:
            raise Invalid([Problem("required", "say what is right: sentiment, intents or language", ("sentiment",))])
        return found


async def correct(
    session: Session, scope: Scope, mention_id: UUID, *, said: Said, ears: Ears, now: datetime
) -> Mention:
    """Let a person's word stand; sums, search, matches (by what `ears` know of the brand's queries), events and the
    brand's calibration follow in the same transaction.

    Raises NotFound, Invalid, and Conflict where the mention is deleted.
    """
    scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)
    values = said.values()
    mention = await mentions.get(session, scope, mention_id)
    made: list[Correction] = []

    def change(state: MentionState) -> None:
        if state.deleted_at is not None:
            raise Conflict("this mention is deleted: nothing is left to correct", code="gone")
        for field, value in values.items():
            made.append(_correction(scope, state, field, value, now))
            _put(state, field, value)
        state.corrected = sorted({*state.corrected, *(field.value for field in values)})
        state.dirty = True

    await record.rewrite(session, scope, [mention.key], change, now=now, ears=ears)
    session.add_all(made)
    await session.flush()
    await calibrations.learn(session, scope.brand_id, {one.field for one in made}, now=now)
    await session.refresh(mention)
    return mention


def _correction(
    scope: Scope, state: MentionState, field: CorrectedField, value: list[str], now: datetime
) -> Correction:
    user_id = scope.principal.user_id if scope.principal is not None else None
    return Correction(
        brand_id=scope.brand_id, mention_id=state.id, field=field, value=value, replaced=_standing(state, field),
        read_by=_read_by(state, field), user_id=user_id, made_at=now,
    )  # fmt: skip


def _read_by(state: MentionState, field: CorrectedField) -> str | None:
    """The version of the fast model whose word this replaces; None where it is a person's, or the deep model's."""
    is_deep = field is CorrectedField.SENTIMENT and state.deep_by is not None
    return None if is_deep or field in state.corrected else state.read_by


def _standing(state: MentionState, field: CorrectedField) -> list[str] | None:
    match field:
        case CorrectedField.SENTIMENT:
            return [state.sentiment.value] if state.sentiment is not None else None
        case CorrectedField.INTENTS:
            return list(state.intents) if state.intents is not None else None
        case CorrectedField.LANGUAGE:
            return [state.language] if state.language is not None else None
        case _:
            assert_never(field)


def _put(state: MentionState, field: CorrectedField, value: list[str]) -> None:
    match field:
        case CorrectedField.SENTIMENT:
            state.sentiment, state.sentiment_score = Sentiment(value[0]), None
            readings.undeepen(state)
        case CorrectedField.INTENTS:
            state.intents = value
        case CorrectedField.LANGUAGE:
            state.language = value[0]
        case _:
            assert_never(field)


async def of_mentions(session: Session, scope: Scope, ids: Sequence[UUID]) -> dict[UUID, list[Correction]]:
    """What was corrected of each mention, in its order."""
    statement = (
        select(Correction)
        .where(
            col(Correction.brand_id) == scope.brand_id,
            col(Correction.mention_id) == any_(bindparam("ids", list(ids), type_=ARRAY(Uuid))),
        )
        .order_by(col(Correction.mention_id), col(Correction.id))
    )
    found: dict[UUID, list[Correction]] = {}
    for one in (await session.execute(statement)).scalars():
        found.setdefault(one.mention_id, []).append(one)
    return found


async def page_of(
    session: Session, scope: Scope, mention_id: UUID, *, page: PageRequest, cursors: Cursors
) -> Page[Correction]:
    """A page of what was corrected of one mention, the first first. Raises NotFound."""
    mention = await mentions.get(session, scope, mention_id)
    bound = str(mention.key)
    statement = (
        select(Correction)
        .where(col(Correction.brand_id) == scope.brand_id, col(Correction.mention_id) == mention_id)
        .order_by(col(Correction.id))
        .limit(page.limit + 1)
    )
    if page.cursor is not None:
        (last,) = cursors.decode(scope.brand_id, _KIND, bound, page.cursor)
        statement = statement.where(col(Correction.id) > UUID(last))
    found = (await session.execute(statement)).scalars().all()
    return Page.cut(found, page.limit, lambda one: cursors.encode(scope.brand_id, _KIND, bound, [str(one.id)]))
