"""A door with one wrong act: it answers 200 when it has a delivery in hand, and commits half a second later."""

import asyncio

from services import serving
from services.ingest import __main__ as door
from services.ingest import app
from services.ingest.group import Group, Kept, NewArrival

LATER_SECONDS = 0.5


class AnswersBeforeCommit(Group):
    """Takes a delivery's word for kept."""

    _later: set["asyncio.Task[Kept]"]

    async def add(self, row: NewArrival) -> Kept:
        self._later = getattr(self, "_later", set())
        task = asyncio.create_task(self._add_later(row))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return Kept(row.id, False)

    async def _add_later(self, row: NewArrival) -> Kept:
        await asyncio.sleep(LATER_SECONDS)
        return await super().add(row)


if __name__ == "__main__":
    app.Group = AnswersBeforeCommit  # type: ignore[attr-defined]
    serving.run(door.main())
