"""Keeping and forgetting: what came in is kept for its time, what was deleted is not kept at all."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from shared.db import Session
from shared.domain.scope import Scope

SHELVED_DAYS = 90  # how long arrivals that nobody could read are kept, and the hourly sums

_OLD_ARRIVALS = text("""
WITH old AS MATERIALIZED (
  SELECT id FROM arrival
   WHERE (settled_at < :settled AND state IN ('settled', 'ignored'))
      OR (settled_at < :shelved AND state IN ('unreadable', 'dead'))
   ORDER BY settled_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
DELETE FROM arrival a USING old WHERE a.id = old.id
""")

# A UUIDv7 starts with its moment in milliseconds, so that the key serves to find the events since then.
_DELETED_KEYS = text("""
SELECT DISTINCT m.key FROM event e JOIN mention m ON m.brand_id = e.brand_id AND m.id = e.thing_id
 WHERE e.brand_id = :brand AND e.id >= :first AND e.type = 'mention.deleted' AND m.deleted_at IS NOT NULL
""")
_SETTLED_KEYS = text("""
SELECT DISTINCT k.key FROM arrival a, unnest(a.mention_keys) AS k (key)
 WHERE a.brand_id = :brand AND a.settled_at >= :since AND a.body IS NOT NULL
""")
_GONE_AMONG = text("SELECT key FROM mention WHERE brand_id = :brand AND key = ANY (:keys) AND deleted_at IS NOT NULL")
_FORGET = text("""
UPDATE arrival SET body = NULL
 WHERE brand_id = :brand AND body IS NOT NULL AND state <> 'received' AND mention_keys && CAST(:keys AS uuid[])
RETURNING part_of
""")
_FORGET_WHOLE = text(
    "UPDATE arrival SET body = NULL WHERE id = ANY (:ids) AND body IS NOT NULL AND state <> 'received'"
)


async def forget_arrivals(session: Session, *, now: datetime, days: int, limit: int) -> int:
    """Let up to `limit` arrivals go whose time is over: `days` after settling, 90 where nobody could read them."""
    wanted = {
        "settled": now - timedelta(days=days),
        "shelved": now - timedelta(days=max(days, SHELVED_DAYS)),
        "limit": limit,
    }
    done = await session.execute(_OLD_ARRIVALS, wanted)
    return int(done.rowcount)  # type: ignore[attr-defined]


async def brands_with_hooks(session: Session) -> list[UUID]:
    """Every brand that something was ever connected to, for sweeps that go from one to the next."""
    found = await session.execute(text("SELECT DISTINCT brand_id FROM hook WHERE brand_id IS NOT NULL ORDER BY 1"))
    return list(found.scalars())


async def forget_deleted(session: Session, scope: Scope, *, since: datetime) -> int:
    """Blank the raw form of what was deleted since then, or came after its deletion; how many arrivals that were.

    Where a delivery spoke for several channels, the whole it was cut from goes too: each part still has its own.
    """
    first = UUID(int=max(int(since.timestamp() * 1000), 0) << 80)
    deleted = await session.execute(_DELETED_KEYS, {"brand": scope.brand_id, "first": first})
    keys = set(deleted.scalars())
    settled = await session.execute(_SETTLED_KEYS, {"brand": scope.brand_id, "since": since})
    among = {"brand": scope.brand_id, "keys": list(settled.scalars())}
    keys.update((await session.execute(_GONE_AMONG, among)).scalars())
    if not keys:
        return 0
    return await _forget_bodies(session, scope, keys)


async def _forget_bodies(session: Session, scope: Scope, keys: Collection[UUID]) -> int:
    wholes = (await session.execute(_FORGET, {"brand": scope.brand_id, "keys": list(keys)})).scalars().all()
    whole_ids = {whole for whole in wholes if whole is not None}
    if whole_ids:
        await session.execute(_FORGET_WHOLE, {"ids": list(whole_ids)})
    return len(wholes)


async def forget_hours(session: Session, scope: Scope, *, now: datetime) -> int:
    """Let the brand's hourly sums go that are older than 90 days; the daily ones stay."""
    done = await session.execute(
        text("DELETE FROM rollup_hour WHERE brand_id = :brand AND hour < :before"),
        {"brand": scope.brand_id, "before": now - timedelta(days=SHELVED_DAYS)},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


async def forget_idempotency_keys(session: Session) -> int:
    """Let answers go that are older than a day."""
    done = await session.execute(text("SELECT parvis.forget_idempotency_keys(interval '24 hours')"))
    return int(done.scalar_one())


async def ensure_partitions(session: Session) -> int:
    """Make the months that search will need; how many were missing."""
    return int((await session.execute(text("SELECT parvis.ensure_partitions()"))).scalar_one())
