"""Tasks and connections that end for good, whatever Redis says and whoever cancels us meanwhile."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from typing import Any

from shared.queues.connecting import AWAY


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel these tasks and wait until all are gone."""
    await finish(cancel(set(tasks)))


async def cancel(left: set[asyncio.Task[Any]]) -> None:
    # Again and again: redis-py swallows a cancellation that comes while it looks at its connection.
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=0.1)
        for task in ended:
            if not task.cancelled():
                task.exception()


async def finish(closing: Coroutine[Any, Any, None]) -> None:
    """See a closing through, whatever Redis says to it. Whoever cancels us meanwhile waits for it as well: broken off,
    it would leave connections open, and tasks that open more.
    """
    task, broken_off = asyncio.ensure_future(closing), False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            broken_off = True
    with contextlib.suppress(*AWAY):
        task.result()
    if broken_off:
        raise asyncio.CancelledError
