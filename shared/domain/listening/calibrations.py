"""What a brand's people corrected, as the calibration that its later texts are read by.

It follows from the corrections that are kept and from nothing else, and is made anew with each of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from shared.analysis import calibration
from shared.analysis.calibration import Shift, Word
from shared.analysis.intent import INTENTS
from shared.analysis.reading import LABELS
from shared.db import Session, driver
from shared.domain.brands import brands
from shared.domain.scope import Scope
from shared.models.enums import CorrectedField, Intent, Sentiment
from shared.models.mention import Calibration

AT_MOST = 2000
"""The latest corrections of a field that count: brands change, and so do their people."""

_YES, _NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Leaning:
    """What a label's log-odds are moved by, in natural logarithms: 0.7 doubles the odds."""

    label: str
    shift: float


@dataclass(frozen=True, slots=True)
class Standing:
    """A brand's calibration as its people see it. `learns`: whether it is used; `needed`: corrections of a field before
    it moves anything."""

    learns: bool
    needed: int
    sentiment_corrections: int
    intent_corrections: int
    sentiments: list[Leaning]
    intents: list[Leaning]
    since: datetime | None


async def of(session: Session, brand_id: UUID) -> Shift:
    """The shift that the brand's texts are read with now."""
    row = await (await driver(session)).fetchrow(
        "SELECT c.moods, c.intents FROM calibration c JOIN brand b ON b.brand_id = c.brand_id"
        " WHERE c.brand_id = $1 AND b.learns",
        brand_id,
    )
    return Shift(tuple(row["moods"]), tuple(row["intents"])) if row is not None else calibration.NONE


async def standing(session: Session, scope: Scope) -> Standing:
    """The brand's calibration, with what it comes from."""
    brand = await brands.get(session, scope)
    row = await _row(session, scope.brand_id) or Calibration(
        brand_id=scope.brand_id, moods=[0] * len(LABELS), intents=[0] * len(INTENTS), sentiment_corrections=0,
        intent_corrections=0,
    )  # fmt: skip
    return Standing(
        learns=brand.learns,
        needed=calibration.LEAST,
        sentiment_corrections=row.sentiment_corrections,
        intent_corrections=row.intent_corrections,
        sentiments=_leanings([Sentiment(label) for label in LABELS], row.moods),
        intents=_leanings([Intent(label) for label in INTENTS], row.intents),
        since=row.since,
    )


def _leanings(labels: Sequence[str], steps: Sequence[int]) -> list[Leaning]:
    return [Leaning(label, round(step * calibration.STEP, 2)) for label, step in zip(labels, steps, strict=True)]


async def _row(session: Session, brand_id: UUID) -> Calibration | None:
    statement = select(Calibration).where(col(Calibration.brand_id) == brand_id)
    return (await session.execute(statement)).scalars().one_or_none()


async def learn(session: Session, brand_id: UUID, fields: Collection[CorrectedField], *, now: datetime) -> None:
    """Make the calibration anew from the corrections of these fields. The brand is locked by the caller."""
    row = await _row(session, brand_id)
    if row is None:
        row = Calibration(
            brand_id=brand_id, moods=[0] * len(LABELS), intents=[0] * len(INTENTS), sentiment_corrections=0,
            intent_corrections=0,
        )  # fmt: skip
    before = row.moods, row.intents
    if CorrectedField.SENTIMENT in fields:
        said = await _said(session, brand_id, CorrectedField.SENTIMENT)
        words = [Word(one.said[0], one.right[0], one.shift.moods) for one in said if one.said]
        row.sentiment_corrections = len(words)
        row.moods = list(calibration.learned(LABELS, words))
    if CorrectedField.INTENTS in fields:
        said = await _said(session, brand_id, CorrectedField.INTENTS)
        row.intent_corrections = len(said)
        row.intents = [_leaning_of(place, name, said) for place, name in enumerate(INTENTS)]
    if before != (row.moods, row.intents):
        row.since = now if any(row.moods) or any(row.intents) else None
    session.add(row)
    await session.flush()


@dataclass(frozen=True, slots=True)
class _Said:
    """What the model said of a mention, with which shift, and what stands by a person's word."""

    said: list[str]
    right: list[str]
    shift: Shift


async def _said(session: Session, brand_id: UUID, field: CorrectedField) -> list[_Said]:
    """The latest corrections of what the model said, by the word that stands of each mention."""
    rows = await (await driver(session)).fetch(
        "SELECT mention_id, value, replaced, read_by FROM correction WHERE brand_id = $1 AND field = $2"
        " ORDER BY id DESC LIMIT $3",
        brand_id,
        field.value,
        AT_MOST,
    )
    standing: dict[UUID, Any] = {}
    found = []
    for row in rows:
        latest = standing.setdefault(row["mention_id"], row)
        if row["read_by"] is not None:
            shift = calibration.of_version(row["read_by"])
            found.append(_Said(row["replaced"] or [], latest["value"], shift))
    return found


def _leaning_of(place: int, intent: str, said: Sequence[_Said]) -> int:
    """The shift of one intent, which a text has or has not."""
    words = []
    for one in said:
        was, is_right = (_YES if intent in names else _NO for names in (one.said, one.right))
        words.append(Word(was, is_right, (one.shift.intents[place], 0)))
    yes, no = calibration.learned((_YES, _NO), words)
    return max(-calibration.MOST, min(calibration.MOST, yes - no))
