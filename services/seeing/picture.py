"""One look at the house: taken whole, whatever of it is away."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text

from services.local import folder, outside, plan
from services.seeing import figures, processes
from services.seeing.figures import Figures
from services.seeing.processes import Process
from shared.db import Database, Session
from shared.domain import troubles, waiting
from shared.domain.troubles import Trouble
from shared.domain.waiting import Waiting
from shared.queues import SILENCE_SECONDS, Queues
from shared.settings import Settings

T = TypeVar("T", int, str)

LATELY = timedelta(days=1)
TROUBLE_SECONDS = 5.0  # between two questions about what fails: they go over all brands
_PATIENCE = 3.0
_TIMES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a house is, or why there is none. `runs` is None where it is not `parvis up`'s to say."""

    name: str
    runs: bool | None
    worker_url: str | None = None
    redis_url: str | None = None
    pids: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heart:
    """A worker or scheduler that says by its lease that it is alive, on which machine."""

    service: str
    machine: str
    alive: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """What was seen. A list is None where it could not be asked for; `wrong` says in sentences what is amiss."""

    at: datetime
    place: Place
    processes: list[Process]
    hearts: list[Heart] | None
    waiting: Waiting | None
    letters: dict[str, int] | None
    troubles: list[Trouble] | None
    figures: dict[str, Figures]
    wrong: list[str]


def find(settings: Settings) -> Place:
    """The house of the data folder, else the servers that the environment names. Raises CannotRun for half of them."""
    plan.refuse_some_servers(settings)
    here = settings.data_dir.absolute()
    local = folder.read_local(here)
    if local is not None:
        return Place(
            str(here),
            _holder(here) is not None,
            _url(local.get("worker_database_url")),
            _url(local.get("redis_url")),
            _named(local.get("pids"), int),
            _named(local.get("metrics"), str),
        )
    if settings.embedded:
        return Place(str(here), False)
    name = outside.shown(settings.worker_database_url or "")
    return Place(name, None, settings.worker_database_url, settings.redis_url)


def _holder(here: Path) -> int | None:
    try:
        return folder.holder(here)
    except (OSError, ValueError):
        return None


def _url(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _named(value: object, kind: type[T]) -> dict[str, T]:
    found = value if isinstance(value, dict) else {}
    return {str(name): one for name, one in found.items() if isinstance(one, kind)}


class Eye:
    """Takes pictures of one place, over connections that it keeps between them."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._db = Database(place.worker_url, name="status", size=1) if place.worker_url else None
        self._queues = Queues(place.redis_url) if place.redis_url else None
        self._troubles: list[Trouble] = []
        self._asked_at = -TROUBLE_SECONDS

    async def look(self) -> Picture:
        """Everything, asked at once."""
        place = self._place
        (hearts, waits, failing, away), letters, counted = await asyncio.gather(
            self._ask_postgres(), self._ask_redis(), figures.read(place.metrics)
        )
        seen = [processes.look(name, pid) for name, pid in place.pids.items()]
        wrong = [*_of_house(place, seen), *away, *_of_redis(place, letters), *_of_hearts(hearts), *of_pools(counted)]
        return Picture(datetime.now(UTC), place, seen, hearts, waits, letters, failing, counted, wrong)

    async def close(self) -> None:
        """Hang up."""
        if self._queues is not None:
            await self._queues.close()
        if self._db is not None:
            await self._db.close()

    async def _ask_redis(self) -> dict[str, int] | None:
        if self._queues is None:
            return None
        for _ in range(_TIMES):  # services give it half a second and go on; here a busy machine is not an answer
            found = await self._queues.lengths()
            if found is not None:
                return found
            await asyncio.sleep(SILENCE_SECONDS)
        return None

    async def _ask_postgres(self) -> tuple[list[Heart] | None, Waiting | None, list[Trouble] | None, list[str]]:
        if self._db is None:
            return None, None, None, []
        try:
            async with asyncio.timeout(_PATIENCE), self._db.reading() as session:
                hearts = await _hearts(session)
                waits = await waiting.look(session)
                return hearts, waits, await self._look_for_troubles(session), []
        except Exception as error:  # whatever the reason: it is shown, and the rest of the picture as well
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()
            said = reason[0] if reason else "no answer in time"
            return None, None, None, [f"PostgreSQL can't be asked: {said}. Nothing can be received or sent without it."]

    async def _look_for_troubles(self, session: Session) -> list[Trouble]:
        if time.monotonic() - self._asked_at >= TROUBLE_SECONDS:
            self._troubles = await troubles.look(session, since=datetime.now(UTC) - LATELY)
            self._asked_at = time.monotonic()
        return self._troubles


async def _hearts(session: Session) -> list[Heart]:
    found = await session.execute(text("SELECT service, machine, alive FROM parvis.heartbeats() ORDER BY 1, 2"))
    return [Heart(*row) for row in found]


def _of_house(place: Place, seen: Sequence[Process]) -> list[str]:
    if place.runs is False:
        if seen:
            return [f"Parvis ended on {place.name} without putting its things away: start it again by `parvis up`."]
        return [f"Parvis does not run on {place.name}: start it by `make up` (or `parvis up`)."]
    gone = [process.name for process in seen if not process.alive]
    return [f"{name} has just ended; it is being started again." for name in gone]


def _of_redis(place: Place, letters: dict[str, int] | None) -> list[str]:
    if place.redis_url is None or letters is not None:
        return []
    return ["Redis does not answer: all goes on, up to a second later. Nothing is lost."]


def _of_hearts(hearts: Sequence[Heart] | None) -> list[str]:
    if hearts is None:
        return []
    alive = {heart.service for heart in hearts if heart.alive}
    missing = {"ingest-worker": "arrivals are kept and wait", "scheduler": "nothing is sent or numbered"}
    return [f"No {name} says that it is alive: {what}." for name, what in missing.items() if name not in alive]


def of_pools(counted: Mapping[str, Figures]) -> list[str]:
    """A sentence for each pool that somebody waits for now."""
    found = []
    for name, one in counted.items():
        size, waits = one.total("parvis_pool_size"), one.total("parvis_pool_waiting")
        if waits:
            found.append(
                f"{waits:.0f} transactions of {name} wait for one of its {size:.0f} connections to PostgreSQL:"
                " raise PARVIS_POOL_SIZE, or look for what holds them."
            )
    return found
