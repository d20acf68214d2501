"""Mentions whose mood is worth a second, deeper look: those that the fast model is unsure of, and those that reach far.

They wait in a narrow queue, by their keys. It is written in the transaction that records them, under the brand's lock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.analysis.deep import Mood
from shared.analysis.reading import Text
from shared.db import Session, driver
from shared.domain.listening import readings
from shared.domain.listening.merge import MentionState
from shared.models.enums import CorrectedField

MOST = 1000  # that wait of one brand
FAR = 10_000  # people reached
LOUD = 100  # likes, replies and shares together

# What is queued again goes by its new time: the newest come first, and its text may be another.
_QUEUE = (
    "INSERT INTO deepening (brand_id, mention_key, queued_at) SELECT $1, key, $3 FROM unnest($2::uuid[]) AS new (key)"
    " ON CONFLICT (brand_id, mention_key) DO UPDATE SET queued_at = excluded.queued_at"
)
_MAKE_ROOM = (
    "DELETE FROM deepening WHERE brand_id = $1 AND mention_key IN (SELECT mention_key FROM deepening"
    " WHERE brand_id = $1 ORDER BY queued_at DESC, mention_key OFFSET $2)"
)
_DUE = (
    "INSERT INTO due_deepening (brand_id, due_at, dropped) VALUES ($1, clock_timestamp(), $2)"
    " ON CONFLICT (brand_id) DO UPDATE SET dropped = due_deepening.dropped + excluded.dropped"
    " WHERE excluded.dropped > 0"
)


@dataclass(frozen=True, slots=True)
class Cascade:
    """A deep reader, and when it is asked. `read` gives a text the same whenever it is asked, and None where nothing is
    to be read; `is_unsure` is asked with the language and the fast model's chance of its label."""

    read: Callable[[Sequence[Text]], Sequence[Mood | None]]
    version: str
    is_unsure: Callable[[str | None, float], bool]


def is_worth_it(state: MentionState, cascade: Cascade) -> bool:
    """Whether a mention's mood is to be read deep: it is the fast model's, and unsure or seen by many."""
    score = state.sentiment_score
    if not state.listed or state.own or state.deep_by is not None or score is None:
        return False
    if CorrectedField.SENTIMENT in state.corrected:
        return False
    answers = (state.likes or 0) + (state.replies or 0) + (state.shares or 0)
    return cascade.is_unsure(state.language, score) or (state.reach or 0) >= FAR or answers >= LOUD


async def keep(
    session: Session,
    brand_id: UUID,
    states: Iterable[MentionState],
    before: Mapping[UUID, MentionState],
    cascade: Cascade | None,
    *,
    now: datetime,
) -> None:
    """Queue what has become worth it, by another text or by its reach; nothing without a cascade. Over MOST the oldest
    make room, and are counted for whoever takes the brand's turn."""
    if cascade is None:
        return
    new = [state.key for state in states if is_worth_it(state, cascade) and not _was(state, before, cascade)]
    if not new:
        return
    connection = await driver(session)
    await connection.execute(_QUEUE, brand_id, new, now)
    made_room = await connection.execute(_MAKE_ROOM, brand_id, MOST)
    await connection.execute(_DUE, brand_id, int(made_room.rpartition(" ")[2]))


def _was(state: MentionState, before: Mapping[UUID, MentionState], cascade: Cascade) -> bool:
    old = before.get(state.key)
    return old is not None and readings.text_of(old) == readings.text_of(state) and is_worth_it(old, cascade)
