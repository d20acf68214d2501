"""Share of voice as one would write it: join what was matched with the mentions of two years, and count by day."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

# A day is the brand's own, and the first one begins where the range does.
_MEANT = """
 m.brand_id = $1 AND m.heard AND m.deleted_at IS NULL AND m.published_at >= $2 AND m.published_at < $3
 AND NOT (m.kind = 'post' AND m.author_kind = 'brand')
"""
_EACH = f"""
SELECT q.query_id, greatest(date_trunc('day', m.published_at, $4), $2) AS day, count(*)
FROM match q JOIN mention m ON m.brand_id = q.brand_id AND m.id = q.mention_id WHERE {_MEANT} GROUP BY 1, 2
"""
_ANY = f"""
SELECT greatest(date_trunc('day', m.published_at, $4), $2) AS day, count(*) FROM mention m
WHERE {_MEANT} AND EXISTS (SELECT 1 FROM match q WHERE q.brand_id = m.brand_id AND q.mention_id = m.id) GROUP BY 1
"""


async def by_query(
    connection: "asyncpg.Connection[Any]", brand_id: UUID, since: datetime, until: datetime, zone: str
) -> dict[tuple[UUID, datetime], float]:
    """The share of each query on each local day of what any query matched on it, where anything was."""
    async with connection.transaction(readonly=True):
        await connection.execute("SELECT parvis.scope($1::text)", str(brand_id))
        each = await connection.fetch(_EACH, brand_id, since, until, zone)
        whole = {row[0]: row[1] for row in await connection.fetch(_ANY, brand_id, since, until, zone)}
    return {(row[0], row[1]): row[2] / whole[row[1]] for row in each}
