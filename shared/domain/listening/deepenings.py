"""Deep readings: a brand at a time is taken in hand, its newest doubts first, and what is read comes to stand.

Turns are given in rounds over brands, by the longest waiting. Whoever dies with one in hand leaves everything as it
was: the turn comes again with the end of its lease, and the same texts are read the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.analysis.deep import Mood
from shared.analysis.reading import Text
from shared.db import Session, driver
from shared.domain.listening import readings, record, rows
from shared.domain.listening.ears import Ears
from shared.domain.listening.merge import MentionState
from shared.domain.scope import Scope
from shared.models.enums import CorrectedField

LONGEST = timedelta(days=1)

# The moment stands in a sub-select: a volatile function by itself is no bound for an index.
_CLAIM = """
WITH x AS MATERIALIZED (
  SELECT brand_id FROM due_deepening WHERE due_at <= (SELECT clock_timestamp())
     AND (leased_until IS NULL OR leased_until < clock_timestamp())
   ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE due_deepening d SET leased_until = clock_timestamp() + $1 FROM x WHERE d.brand_id = x.brand_id
RETURNING d.brand_id, d.leased_until
"""
_FORGET = "DELETE FROM deepening WHERE brand_id = $1 AND queued_at < $2"
_FORGET_ALL = "DELETE FROM deepening WHERE brand_id = $1"
_DROPPED = "SELECT dropped FROM due_deepening WHERE brand_id = $1 FOR UPDATE"
_TOLD = "UPDATE due_deepening SET dropped = 0 WHERE brand_id = $1"
_NEWEST = (
    "SELECT mention_key, queued_at FROM deepening WHERE brand_id = $1 ORDER BY queued_at DESC, mention_key LIMIT $2"
)
_HELD = "SELECT leased_until FROM due_deepening WHERE brand_id = $1 FOR UPDATE"
_DONE = (
    "DELETE FROM deepening d USING unnest($2::uuid[], $3::timestamptz[]) AS done (key, at)"
    " WHERE d.brand_id = $1 AND d.mention_key = done.key AND d.queued_at = done.at"
)
_LEFT = "SELECT EXISTS (SELECT FROM deepening WHERE brand_id = $1)"
_AGAIN = "UPDATE due_deepening SET due_at = clock_timestamp(), leased_until = NULL WHERE brand_id = $1"
_END = "DELETE FROM due_deepening WHERE brand_id = $1"


@dataclass(frozen=True, slots=True)
class Look:
    """A brand in this worker's hands until `leased_until`."""

    brand_id: UUID
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mention that waits since `queued_at`, and its text as it was taken; None where nothing is left to be read."""

    key: UUID
    queued_at: datetime
    text: Text | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What is read next of a brand; how many had waited too long, and how many made room since the last turn."""

    waiting: Sequence[Waiting]
    too_old: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Read:
    """What the deep reader said of a mention that waited; `mood` None where it could not."""

    waiting: Waiting
    mood: Mood | None


@dataclass(slots=True)
class Settled:
    """How many moods are others now, how many the same, and how many stand by something else than the text taken."""

    changed: int = 0
    same: int = 0
    overtaken: int = 0


async def claim(session: Session, *, lease: timedelta) -> Look | None:
    """The brand whose turn it is; nobody else's while the lease lasts."""
    row = await (await driver(session)).fetchrow(_CLAIM, lease)
    return Look(row["brand_id"], row["leased_until"]) if row is not None else None


async def take(session: Session, scope: Scope, *, limit: int, now: datetime) -> Taken:
    """The newest of what waits of a brand, without what has waited longer than a day."""
    connection = await driver(session)
    forgotten = await connection.execute(_FORGET, scope.brand_id, now - LONGEST)
    dropped = await connection.fetchval(_DROPPED, scope.brand_id) or 0
    await connection.execute(_TOLD, scope.brand_id)
    found = await connection.fetch(_NEWEST, scope.brand_id, limit)
    states = await rows.load_mentions(session, scope.brand_id, [row["mention_key"] for row in found])
    waiting = [Waiting(row["mention_key"], row["queued_at"], _text(states.get(row["mention_key"]))) for row in found]
    return Taken(waiting, int(forgotten.rpartition(" ")[2]), dropped)


def _text(state: MentionState | None) -> Text | None:
    """What of a mention is to be read: nothing where a person has spoken."""
    if state is None or CorrectedField.SENTIMENT in state.corrected:
        return None
    return readings.text_of(state)


async def settle(
    session: Session, scope: Scope, look: Look, found: Sequence[Read], version: str, *, ears: Ears, now: datetime
) -> Settled | None:
    """Let the moods stand of those whose text is still the same, and the brand's turn go on or end.

    What was queued again meanwhile stays queued. None, with nothing done, where somebody else has the brand in hand.
    """
    await record.lock_brand(session, scope.brand_id)
    connection, settled = await driver(session), Settled()
    if await connection.fetchval(_HELD, scope.brand_id) != look.leased_until:
        return None
    said = {one.waiting.key: (one.waiting.text, one.mood) for one in found if one.mood is not None}

    def change(state: MentionState) -> None:
        text, mood = said[state.key]
        if text is None or _text(state) != text:
            settled.overtaken += 1
        elif readings.take_deep(state, mood, version):
            settled.changed += 1
        else:
            settled.same += 1

    await record.rewrite(session, scope, list(said), change, now=now, ears=ears)
    settled.overtaken += sum(one.waiting.text is None for one in found)
    await connection.execute(
        _DONE, scope.brand_id, [one.waiting.key for one in found], [one.waiting.queued_at for one in found]
    )
    left = await connection.fetchval(_LEFT, scope.brand_id)
    await connection.execute(_AGAIN if left else _END, scope.brand_id)
    return settled


async def let_go(session: Session, scope: Scope, look: Look) -> int:
    """Forget all that waits of the brand, where nobody reads deep any more; how many that were."""
    await record.lock_brand(session, scope.brand_id)
    connection = await driver(session)
    if await connection.fetchval(_HELD, scope.brand_id) != look.leased_until:
        return 0
    forgotten = await connection.execute(_FORGET_ALL, scope.brand_id)
    await connection.execute(_END, scope.brand_id)
    return int(forgotten.rpartition(" ")[2])
