"""Who alone does a thing, and who is alive, by the database's clock."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from shared.db import Session

_TAKE = text("""
INSERT INTO lease AS l (name, holder, fence, until) VALUES (:name, :holder, 1, clock_timestamp() + :length)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = l.fence + 1, until = excluded.until
 WHERE l.until < clock_timestamp()
RETURNING l.fence
""")
_BEAT = text("""
INSERT INTO lease AS l (name, holder, fence, until) VALUES (:name, :holder, 1, clock_timestamp() + :length)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
""")
_HEARTS = "heartbeat:"


async def take(session: Session, name: str, holder: UUID, length: timedelta) -> bool:
    """Take a turn that comes once in `length`, whoever takes it."""
    wanted = {"name": name, "holder": holder, "length": length}
    return (await session.execute(_TAKE, wanted)).one_or_none() is not None


async def beat(session: Session, name: str, holder: UUID, length: timedelta) -> None:
    """Say that `name` is alive for at least `length`."""
    await session.execute(_BEAT, {"name": _HEARTS + name, "holder": holder, "length": length})


async def beats(session: Session, name: str) -> bool:
    """Whether `name` has said lately that it is alive."""
    fresh = text("SELECT EXISTS (SELECT FROM lease WHERE name = :name AND until > clock_timestamp())")
    return bool((await session.execute(fresh, {"name": _HEARTS + name})).scalar_one())


async def forget_dead(session: Session) -> None:
    """Let the heartbeats go of what has not been alive for a day."""
    await session.execute(
        text("DELETE FROM lease WHERE name LIKE :hearts AND until < clock_timestamp() - interval '1 day'"),
        {"hearts": f"{_HEARTS}%"},
    )
