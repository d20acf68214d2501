"""What the scheduler's loops share, and how they stand what passes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import httpx

from services.rounds import passes
from shared.connectors.registry import CARDS
from shared.contract import Card
from shared.db import Database, Session
from shared.domain.publishing.sending.attempts import Pace
from shared.ids import new_uuid
from shared.models.enums import Network
from shared.queues import Queues
from shared.settings import Settings
from shared.vault import Vault

T = TypeVar("T")
_DOUBT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class House:
    """Made once at the edge. `holder` names this process to the others."""

    db: Database
    queues: Queues
    vault: Vault
    http: httpx.AsyncClient
    settings: Settings
    cards: Mapping[Network, Card] = field(default_factory=lambda: CARDS)
    holder: UUID = field(default_factory=new_uuid)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


def pace_of(settings: Settings) -> Pace:
    """How patient the settings want sending to be. An absence is never believed within ten seconds of the send."""
    return Pace(
        first=timedelta(seconds=settings.retry_first_seconds),
        longest=timedelta(seconds=settings.retry_max_seconds),
        times=settings.retry_times,
        lease=settings.lease,
        doubt=max(_DOUBT, settings.lease / 2),
    )


async def persist(db: Database, work: Callable[[Session], Awaitable[T]], *, until: float) -> T:
    """One transaction, repeated while PostgreSQL is away, up to the loop's time `until`. It may be committed twice."""
    pause = 0.05
    while True:
        try:
            async with db.session() as session:
                return await work(session)
        except Exception as error:
            if not passes(error) or asyncio.get_running_loop().time() > until:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 1.0)
