"""A door with one wrong act: it answers 200 when it has a delivery in hand, and commits half a second later."""

import asyncio

from services import serving
from services.ingest import __main__ as door
from services.ingest import app
from services.ingest.group import Group, Told
from services.ingest.storing import Kept, NewArrival
from shared.ids import Prefix, typeid

LATER_SECONDS = 0.5


class AnswersBeforeCommit(Group):
    """Takes a delivery's word for kept."""

    _later: set["asyncio.Task[None]"]

    def take(self, row: NewArrival, told: Told) -> None:
        self._later = getattr(self, "_later", set())
        task = asyncio.create_task(self._take_later(row))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        asyncio.get_running_loop().call_soon(told, Kept(typeid(Prefix.ARRIVAL, row.id), False))

    async def _take_later(self, row: NewArrival) -> None:
        await asyncio.sleep(LATER_SECONDS)
        super().take(row, lambda _: None)


if __name__ == "__main__":
    app.Group = AnswersBeforeCommit  # type: ignore[attr-defined]
    serving.run(door.main())
