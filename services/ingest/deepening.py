"""Reading deep: in rounds over brands, a few mentions a turn, as far as the processor's budget goes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from prometheus_client import Counter

from services.ingest.embedding import Embedder, ReaderDied
from services.ingest.handlers import Worker
from shared.analysis import deep
from shared.analysis.deep import Mood
from shared.domain import scope as scopes
from shared.domain.listening import deepenings
from shared.domain.listening.deepenings import Look, Read, Settled, Waiting
from shared.domain.listening.doubts import Cascade
from shared.ids import Prefix, typeid
from shared.log import logger

_log = logger("ingest.deepening")
AT_ONCE = 8
_PATIENCE = 0.5  # of a lease
_OFF_SECONDS = 3600.0

DEEP = Counter(
    "parvis_deep_readings_total", "Mentions that waited to be read deep, by what became of them.", ["outcome"]
)


def cascade(embedder: Embedder) -> Cascade:
    """The deep reader that the code comes with."""
    weights = deep.weights()
    return Cascade(partial(deep.read, embed=embedder.embed), weights.version, weights.is_unsure)


class Budget:
    """How many may be read in a minute: what is not used is kept for a turn's worth at most."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = per_minute / 60.0, clock
        self._most = float(AT_ONCE)
        self._left, self._at = self._most, clock()

    def has(self) -> int:
        """How many may be read now."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        return int(self._left)

    def use(self, count: int) -> None:
        """So many were read."""
        self._left -= count

    def wait(self) -> float:
        """Seconds until a turn's worth may be read."""
        return max((self._most - self._left) / self._rate, 0.0)


class Deepening:
    """What this process reads deep, a turn after the other. Without a cascade what was queued before is let go."""

    def __init__(self, worker: Worker, budget: Budget) -> None:
        self._worker, self._budget = worker, budget

    async def round(self) -> float:
        """Take the turn of the brand that has waited longest; how many seconds to wait before the next."""
        limit, is_on = self._budget.has(), self._worker.cascade is not None
        if is_on and not limit:
            return self._budget.wait()
        async with self._worker.db.session() as session:
            look = await deepenings.claim(session, lease=self._worker.settings.lease)
        if look is None:
            return self._worker.settings.sweep_seconds if is_on else _OFF_SECONDS
        if self._worker.cascade is None:
            await self._let_go(look)
        else:
            await self._take(look, self._worker.cascade, limit)
        return 0.0

    async def _let_go(self, look: Look) -> None:
        async with self._worker.db.session() as session:
            scope = await scopes.house(session, look.brand_id)
            DEEP.labels("switched_off").inc(await deepenings.let_go(session, scope, look))

    async def _take(self, look: Look, cascade: Cascade, limit: int) -> None:
        async with self._worker.db.session() as session:
            scope = await scopes.house(session, look.brand_id)
            taken = await deepenings.take(session, scope, limit=limit, now=datetime.now(UTC))
        DEEP.labels("too_old").inc(taken.too_old)
        DEEP.labels("crowded_out").inc(taken.dropped)
        found = await self._read(taken.waiting, cascade)
        async with self._worker.db.session() as session:
            scope = await scopes.house(session, look.brand_id)
            settled = await deepenings.settle(
                session, scope, look, found, cascade.version, ears=self._worker.ears, now=datetime.now(UTC)
            )
        _tell(look, found, settled)

    async def _read(self, waiting: Sequence[Waiting], cascade: Cascade) -> list[Read]:
        """One after the other, off the loop, as long as the claim surely holds; what is left waits for another turn."""
        until = time.monotonic() + self._worker.settings.lease_seconds * _PATIENCE
        found: list[Read] = []
        for one in waiting:
            mood: Mood | None = None
            if one.text is not None:
                if time.monotonic() > until:
                    break
                self._budget.use(1)
                try:
                    (mood,) = await asyncio.to_thread(cascade.read, [one.text])
                except ReaderDied as error:
                    _log.warning("deepening.reader_died", key=str(one.key), error=str(error))
            found.append(Read(one, mood))
        return found


def _tell(look: Look, found: Sequence[Read], settled: Settled | None) -> None:
    brand = typeid(Prefix.BRAND, look.brand_id)
    if settled is None:
        _log.warning("deepening.lost", brand=brand)
        return
    DEEP.labels("changed").inc(settled.changed)
    DEEP.labels("same").inc(settled.same)
    DEEP.labels("overtaken").inc(settled.overtaken)
    DEEP.labels("failed").inc(sum(one.mood is None and one.waiting.text is not None for one in found))
    _log.info("mentions.read_deep", brand=brand, mentions=len(found), changed=settled.changed)
