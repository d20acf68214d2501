"""What networks count of our posts, from hour to hour, and what became of them there."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain.scope import Scope
from shared.models.mention import Mention
from shared.models.post import Figure

COUNTERS = ("likes", "replies", "shares", "views")

# The last count of an hour stands; one that comes late is not newer.
_KEEP = """
INSERT INTO figure AS f (brand_id, variant_id, hour, counted_at, likes, replies, shares, views)
SELECT $1, c.variant_id, date_trunc('hour', c.counted_at, 'UTC'), c.counted_at, c.likes, c.replies, c.shares, c.views
  FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS c (variant_id, counted_at, likes, replies, shares, views)
ON CONFLICT (brand_id, variant_id, hour) DO UPDATE
  SET counted_at = excluded.counted_at, likes = excluded.likes, replies = excluded.replies, shares = excluded.shares,
      views = excluded.views
  WHERE f.counted_at <= excluded.counted_at
"""


async def keep(session: Session, brand_id: UUID, counts: Mapping[tuple[UUID, datetime], Mapping[str, Any]]) -> None:
    """Keep what was counted of variants, by variant and moment, the last of each hour among them."""
    last: dict[tuple[UUID, datetime], tuple[UUID, datetime]] = {}
    for variant_id, at in sorted(counts):
        last[variant_id, at.replace(minute=0, second=0, microsecond=0)] = (variant_id, at)
    if not last:
        return
    places = list(last.values())
    values = [[counts[place].get(name) for place in places] for name in COUNTERS]
    await (await driver(session)).execute(_KEEP, brand_id, [v for v, _ in places], [at for _, at in places], *values)


async def of_variants(session: Session, scope: Scope, variant_ids: Collection[UUID]) -> dict[UUID, list[Figure]]:
    """The figures of each variant, in the order of time."""
    wanted = (
        select(Figure)
        .where(col(Figure.brand_id) == scope.brand_id, col(Figure.variant_id).in_(variant_ids))
        .order_by(col(Figure.hour))
    )
    found: dict[UUID, list[Figure]] = {}
    for one in (await session.execute(wanted)).scalars():
        found.setdefault(one.variant_id, []).append(one)
    return found


async def mentions_of(session: Session, scope: Scope, variant_ids: Collection[UUID]) -> dict[UUID, Mention]:
    """The variants as their networks show them: a post of several parts by its first."""
    wanted = (
        select(Mention)
        .where(col(Mention.brand_id) == scope.brand_id, col(Mention.variant_id).in_(variant_ids), col(Mention.heard))
        .order_by(col(Mention.published_at).desc(), col(Mention.id).desc())
    )
    found: Sequence[Mention] = (await session.execute(wanted)).scalars().all()
    return {one.variant_id: one for one in found if one.variant_id is not None}
