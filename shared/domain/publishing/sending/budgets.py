"""How much networks still take, by their own headers: who has used it up rests, and nobody else does."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from shared.contract import Room
from shared.db import Session

LONGEST = timedelta(hours=24)

# By the database's clock, like a lease: it ends by itself, and the later end stands.
_REST = text(
    'INSERT INTO budget AS b (key, until, "left", told_at)'
    " VALUES (:key, clock_timestamp() + :wait, 0, clock_timestamp())"
    " ON CONFLICT (key) DO UPDATE SET until = greatest(b.until, excluded.until), told_at = excluded.told_at"
)
_FORGET = text("DELETE FROM budget WHERE until < clock_timestamp() - interval '1 hour'")


async def note(session: Session, channel_id: UUID, lane: str, room: Room | None) -> None:
    """Let the channel (or its whole lane, where the registration is what is limited) rest where no room is left."""
    if room is None or room.left > 0 or room.resets_in <= timedelta(0):
        return
    key = lane if room.whole_app else str(channel_id)
    await session.execute(_REST, {"key": key, "wait": min(room.resets_in, LONGEST)})


async def forget(session: Session) -> int:
    """Let go of what has been over for long; how many that were."""
    gone = await session.execute(_FORGET)
    return gone.rowcount  # type: ignore[attr-defined, no-any-return]  # the driver's, of an UPDATE or DELETE
