"""A door with one wrong act: a delivery is kept in a Redis list only, and moved into PostgreSQL half a second later."""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import redis.asyncio

from services import serving
from services.ingest import __main__ as door
from services.ingest import app
from services.ingest.group import Group, Told
from services.ingest.storing import Away, Closed, Kept, NewArrival
from shared.ids import Prefix, typeid
from shared.settings import Settings

_LIST = "kept deliveries"
LATER_SECONDS = 0.5


class ForgetsOnFlushall(Group):
    """Takes Redis for a place to keep things in."""

    async def open(self) -> None:
        url = Settings().redis_url
        assert url is not None
        self._pushing: set[asyncio.Task[None]] = set()
        self._redis = redis.asyncio.Redis.from_url(url)
        await super().open()
        self._moving = asyncio.create_task(self._move())

    def take(self, row: NewArrival, told: Told) -> None:
        task = asyncio.create_task(self._push(row, told))
        self._pushing.add(task)
        task.add_done_callback(self._pushing.discard)

    async def _push(self, row: NewArrival, told: Told) -> None:
        try:
            await self._redis.rpush(_LIST, _packed(row))
        except redis.exceptions.RedisError:
            told(Away("Redis is away"))
        else:
            told(Kept(typeid(Prefix.ARRIVAL, row.id), False))

    async def close(self) -> None:
        self._moving.cancel()
        await asyncio.gather(self._moving, return_exceptions=True)
        await super().close()
        await self._redis.aclose()

    async def _move(self) -> None:
        while True:
            await asyncio.sleep(LATER_SECONDS)
            with contextlib.suppress(redis.exceptions.RedisError, Away):
                packed = await self._redis.lrange(_LIST, 0, -1)
                became = await asyncio.gather(*(self._insert(_unpacked(one)) for one in packed))
                if not any(isinstance(outcome, Away) for outcome in became):
                    await self._redis.ltrim(_LIST, len(packed), -1)

    async def _insert(self, row: NewArrival) -> Kept | Away | Closed:
        became: asyncio.Future[Kept | Away | Closed] = asyncio.get_running_loop().create_future()
        super().take(row, became.set_result)
        return await became


# A row's values by their kinds, as text.
_Written = tuple[str, Callable[[Any], str], Callable[[str], Any]]
_KINDS: dict[type, _Written] = {
    UUID: ("uuid", str, UUID),
    bytes: ("bytes", lambda value: base64.b64encode(value).decode(), base64.b64decode),
    datetime: ("time", datetime.isoformat, datetime.fromisoformat),
    str: ("text", str, str),
}
_READ = {name: read for name, _, read in _KINDS.values()}


def _packed(row: NewArrival) -> bytes:
    kinds = [next(kind for kind in _KINDS if isinstance(value, kind)) for value in row]
    return orjson.dumps([(_KINDS[kind][0], _KINDS[kind][1](value)) for kind, value in zip(kinds, row, strict=True)])


def _unpacked(packed: bytes) -> NewArrival:
    return NewArrival(*(_READ[name](text) for name, text in orjson.loads(packed)))


if __name__ == "__main__":
    app.Group = ForgetsOnFlushall  # type: ignore[attr-defined]
    serving.run(door.main())
