"""Looking again at what was said lately: a network that pushes no edits and deletions shows them to who asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.db import Session, driver
from shared.domain.scope import Scope


class Known(NamedTuple):
    """A mention, by our id and by the network's."""

    id: UUID
    external_id: str


async def next_(
    session: Session, scope: Scope, channel_id: UUID, *, after: UUID | None, since: datetime, limit: int
) -> Sequence[Known]:
    """Up to `limit` of the channel's mentions published since then and not deleted, in a fixed order, `after` one.

    Our ids start with the moment in milliseconds at which they were made, which is not before a mention was published.
    """
    first = UUID(int=max(int(since.timestamp() * 1000) - _AHEAD_MS, 0) << 80)
    rows = await (await driver(session)).fetch(
        "SELECT id, external_id FROM mention WHERE brand_id = $1 AND channel_id = $2 AND id > $3"
        " AND published_at >= $4 AND heard AND deleted_at IS NULL ORDER BY id LIMIT $5",
        scope.brand_id,
        channel_id,
        max(first, after) if after is not None else first,
        since,
        limit,
    )
    return [Known(row["id"], row["external_id"]) for row in rows]


_AHEAD_MS = 10 * 60 * 1000  # a network's clock may go ahead of ours, and is believed for some minutes


async def move(session: Session, scope: Scope, channel_id: UUID, *, after: UUID | None) -> bool:
    """The next look starts after this mention; None: from the beginning."""
    await (await driver(session)).execute(
        "UPDATE channel SET recheck_cursor = $3 WHERE brand_id = $1 AND id = $2", scope.brand_id, channel_id, after
    )
    return True
