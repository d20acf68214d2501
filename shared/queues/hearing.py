"""Hearing what other processes publish: which brands have new events."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from random import uniform
from uuid import UUID

from redis.asyncio import Redis

from shared.ids import Prefix, typeid
from shared.queues.connecting import AWAY, EVENTS
from shared.queues.ending import end, finish


class Listener:
    """One connection that hears every brand's bell and wakes who listens in this process."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Redis = Redis.from_url(redis_url, socket_connect_timeout=2.0, health_check_interval=10)
        self._events: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    @contextlib.contextmanager
    def listening(self, brand_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set at every bell of the brand."""
        event, name = asyncio.Event(), EVENTS + typeid(Prefix.BRAND, brand_id)
        self._events.setdefault(name, set()).add(event)
        if self._task is None and not self._is_closed:
            self._task = asyncio.get_running_loop().create_task(self._listen())
        try:
            yield event
        finally:
            self._events[name].discard(event)
            if not self._events[name]:
                del self._events[name]

    async def close(self) -> None:
        self._is_closed = True
        if self._task is not None:
            await end([self._task])
        await finish(self._redis.aclose())

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*AWAY):
                async with self._redis.pubsub() as bell:
                    await bell.psubscribe(EVENTS + "*")
                    self._wake(event for events in self._events.values() for event in events)
                    while True:
                        message = await bell.get_message(ignore_subscribe_messages=True, timeout=5.0)
                        if message is not None:
                            self._wake(self._events.get(message["channel"].decode(), ()))
            await asyncio.sleep(uniform(0.2, 0.5))

    @staticmethod
    def _wake(events: Iterable[asyncio.Event]) -> None:
        for event in events:
            event.set()
