"""From an Authorization header to a principal, and the note of when a key was last used."""

import asyncio
import contextlib
import time
from uuid import UUID

from sqlalchemy import text

from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.scope import Principal
from shared.errors import NotAuthenticated
from shared.log import logger

_log = logger("auth")
_LONGEST = 200
_TOUCH_SECONDS = 60.0


def bearer(header: str | None) -> str | None:
    """The key in an Authorization header; None where there is none in it."""
    scheme, _, key = (header or "").partition(" ")
    key = key.strip()
    return key if scheme.lower() == "bearer" and 0 < len(key) <= _LONGEST else None


async def authenticate(session: Session, header: str | None) -> Principal:
    """The principal behind the header, entered in this transaction. Raises NotAuthenticated."""
    key = bearer(header)
    if key is None:
        raise NotAuthenticated("send your API key as `Authorization: Bearer pv_…`")
    return await scopes.enter(session, key)


class KeyUse:
    """Notes that keys are used, each at most once a minute, beside the requests and never in their way."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._touched: dict[UUID, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, key_id: UUID) -> None:
        now = time.monotonic()
        if now - self._touched.get(key_id, -_TOUCH_SECONDS) < _TOUCH_SECONDS:
            return
        if len(self._touched) > 10_000:
            self._touched.clear()
        self._touched[key_id] = now
        task = asyncio.get_running_loop().create_task(self._touch(key_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let the last notes be written."""
        if self._tasks:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*self._tasks), 2)

    async def _touch(self, key_id: UUID) -> None:
        try:
            async with self._db.session() as session:
                await session.execute(text("SELECT parvis.touch_key(:key)"), {"key": key_id})
        except Exception as error:  # a note that is lost comes with the next minute's first request
            _log.warning("key.not_noted", error=type(error).__name__)
