"""Share of voice as one would write it: count the mentions of two years by channel and day."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

# A day is the brand's own, and the first one begins where the range does.
_COUNT = """
SELECT channel_id, greatest(date_trunc('day', published_at, $4), $2) AS day,
       count(*) FILTER (WHERE NOT (kind = 'post' AND author_kind = 'brand'))
FROM mention
WHERE brand_id = $1 AND heard AND deleted_at IS NULL AND published_at >= $2 AND published_at < $3
GROUP BY 1, 2
"""


async def group_by(
    connection: "asyncpg.Connection[Any]", brand_id: UUID, since: datetime, until: datetime, zone: str
) -> list[tuple[UUID, datetime, int]]:
    """Mentions by channel and local day, in a transaction with the brand's scope."""
    async with connection.transaction(readonly=True):
        await connection.execute("SELECT parvis.scope($1::text)", str(brand_id))
        return [tuple(row) for row in await connection.fetch(_COUNT, brand_id, since, until, zone)]
