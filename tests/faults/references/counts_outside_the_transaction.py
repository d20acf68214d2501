"""A worker with one wrong act: sums are counted two seconds after the settling, in a transaction of their own."""

import asyncio
from collections.abc import Iterable
from uuid import UUID
from zoneinfo import ZoneInfo

from services import serving
from services.ingest import worker
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.insight import rollups
from shared.domain.insight.rollups import Counts
from shared.settings import Settings

LATER_SECONDS = 2.0


class CountsLater:
    """Stands in for `rollups.add`."""

    def __init__(self) -> None:
        self._add = rollups.add
        self._counting: set[asyncio.Task[None]] = set()
        url = Settings().worker_database_url
        assert url is not None
        self._db = Database(url, name="counts later", size=2)

    async def add(
        self, session: Session, brand_id: UUID, zone: ZoneInfo, gone: Iterable[Counts], came: Iterable[Counts]
    ) -> None:
        """Returns at once; what is to be counted waits in memory."""
        task = asyncio.create_task(self._count(brand_id, zone, list(gone), list(came)))
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)

    async def _count(self, brand_id: UUID, zone: ZoneInfo, gone: list[Counts], came: list[Counts]) -> None:
        await asyncio.sleep(LATER_SECONDS)
        async with self._db.session() as session:
            await scopes.house(session, brand_id)
            await self._add(session, brand_id, zone, gone, came)


if __name__ == "__main__":
    rollups.add = CountsLater().add
    serving.run(worker.main())
