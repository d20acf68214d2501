"""The worker's work: arrivals become facts of their brand."""

import asyncio
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from prometheus_client import Counter, Histogram

from services.ingest import reading, routing
from services.rounds import passes
from services.traces import Traces
from shared.analysis.reading import read
from shared.connectors.registry import connector
from shared.contract import Parsed
from shared.db import Database, Session, driver
from shared.domain import scope as scopes
from shared.domain.brands import brands, channels
from shared.domain.brands.lanes import lane_of
from shared.domain.listening import inbox, pointers, record
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.doubts import Cascade
from shared.domain.listening.ears import Ears
from shared.domain.listening.inbox import Claimed, Raw, Settled
from shared.domain.listening.pointers import Named
from shared.domain.listening.readings import Read, Readings
from shared.domain.scope import Scope
from shared.errors import BadPayload
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models.enums import ArrivalState
from shared.queues import Queues
from shared.settings import Settings
from shared.vault import Vault

_log = logger("ingest.worker")
_RUN_BYTES = 2 * 1024 * 1024
_RUN_ARRIVALS = 500
_HANDS = 2  # transactions at once: while PostgreSQL works for one, the next is read
_BACKLOG = 4  # where more waits than one claim takes, this many claims at once: larger runs a brand cost less

SETTLED = Counter("parvis_worker_arrivals_total", "Arrivals that the worker ended, by state.", ["state"])
LAG = Histogram(
    "parvis_worker_visible_seconds",
    "From receiving an arrival to its mentions being visible.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
SECONDS = Histogram(
    "parvis_worker_batch_seconds",
    "Time of one such transaction, from reading the bodies to its commit.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BATCH = Histogram(
    "parvis_worker_batch_arrivals", "Arrivals settled in one transaction.", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)


@dataclass(frozen=True, slots=True)
class Worker:
    """What the handlers need; made once at the edge."""

    db: Database
    queues: Queues
    vault: Vault
    http: httpx.AsyncClient
    settings: Settings
    traces: Traces | None = None
    reader: Read = read
    ears: Ears = field(default_factory=Ears)
    cascade: Cascade | None = None  # where moods are read deep
    interrupted: set[Claimed] = field(default_factory=set)  # claims that an outage, not their content, broke off


def _now() -> datetime:
    return datetime.now(UTC)


async def drain(worker: Worker) -> int:
    """Settle until nothing waits; how many arrivals that were."""
    done, limit = 0, worker.settings.arrival_batch
    await _give_back(worker)
    while True:
        async with worker.db.session() as session:
            fresh = await inbox.claim(session, limit=limit, lease=worker.settings.lease)
        worker.interrupted.update(fresh)
        runs = [(brand_id, run) for brand_id, group in _by_brand(fresh).items() for run in _runs(group)]
        await _settle_runs(worker, deque(runs))
        done += len(fresh)
        if len(fresh) == limit:
            limit = _BACKLOG * worker.settings.arrival_batch
        elif not await _settle_one_again(worker):
            return done


async def _settle_runs(worker: Worker, runs: deque[tuple[UUID | None, list[Claimed]]]) -> None:
    """Settle all, a few at once. What one of them raises is raised once the others have finished theirs."""
    failed: list[Exception] = []

    async def hand() -> None:
        while runs and not failed:
            brand_id, run = runs.popleft()
            try:
                await _settle_together(worker, brand_id, run)
            except Exception as error:
                failed.append(error)
            else:
                worker.interrupted.difference_update(run)

    await asyncio.gather(*(hand() for _ in range(min(_HANDS, len(runs)))))
    if failed:
        raise failed[0]


async def _give_back(worker: Worker) -> None:
    """What an outage broke off is as if never claimed: only what ends a worker counts towards three deaths."""
    if not worker.interrupted:
        return
    held = set(worker.interrupted)
    async with worker.db.session() as session:
        await inbox.release(session, held, after=timedelta(0), died=False, why="PostgreSQL was away")
    worker.interrupted.difference_update(held)


async def _settle_one_again(worker: Worker) -> bool:
    """Take one arrival that an earlier worker left behind, by itself. Whether there was one."""
    async with worker.db.session() as session:
        claimed = await inbox.claim_again(session, lease=worker.settings.lease)
    if claimed is None:
        return False
    if not claimed:
        SETTLED.labels(ArrivalState.DEAD.value).inc()
        _log.error("arrival.put_aside")
    for one in claimed:
        await _settle_alone(worker, one)
    return True


def _by_brand(claimed: Sequence[Claimed]) -> dict[UUID | None, list[Claimed]]:
    groups: dict[UUID | None, list[Claimed]] = {}
    for one in claimed:
        groups.setdefault(one.brand_id, []).append(one)
    return dict(sorted(groups.items(), key=lambda item: (item[0] is not None, str(item[0]))))


def _runs(group: Sequence[Claimed]) -> list[list[Claimed]]:
    """Runs of at most 500 arrivals and 2 MiB of bodies: they are read, parsed and recorded together."""
    runs: list[list[Claimed]] = [[]]
    size = 0
    for one in group:
        if runs[-1] and (size + one.size > _RUN_BYTES or len(runs[-1]) == _RUN_ARRIVALS):
            runs.append([])
            size = 0
        runs[-1].append(one)
        size += one.size
    return runs


async def _settle_together(worker: Worker, brand_id: UUID | None, claimed: Sequence[Claimed]) -> None:
    """One transaction for the whole run; where it fails for its content, each arrival by itself."""
    try:
        await _settle(worker, brand_id, claimed)
    except Exception as error:
        if passes(error):
            raise
        _log.warning("batch.failed", brand=str(brand_id), arrivals=len(claimed), error=type(error).__name__)
        for one in claimed:
            await _settle_alone(worker, one)


async def _settle_alone(worker: Worker, one: Claimed) -> None:
    try:
        await _settle(worker, one.brand_id, [one])
    except Exception as error:
        if passes(error):
            worker.interrupted.add(one)
            raise
        _log.exception("arrival.failed", arrival=str(one.id), claims=one.claims)
        wait = timedelta(seconds=min(30.0, worker.settings.sweep_seconds * 2**one.claims))
        why = f"reading it failed ({type(error).__name__}); it is tried {inbox.DEATHS} times"
        async with worker.db.session() as session:
            await inbox.release(session, [one], after=wait, died=True, why=why)


async def _settle(worker: Worker, brand_id: UUID | None, claimed: Sequence[Claimed]) -> None:
    began = time.time_ns()
    if brand_id is None:
        async with worker.db.session() as session:
            settled = await routing.route(session, claimed, now=_now())
    else:
        heard = await _hear(worker, brand_id, claimed)
        async with worker.db.session() as session:
            settled = await _record(worker, session, brand_id, claimed, heard)
    committed, now = time.time_ns(), _now()
    BATCH.observe(len(claimed))
    SECONDS.observe((committed - began) / 1e9)
    if worker.traces is not None:
        await worker.traces.settled(worker.db, [one.id for one in claimed], began=began, ended=committed)
    _log.info(
        "arrivals.settled",
        brand=typeid(Prefix.BRAND, brand_id) if brand_id is not None else None,
        channels=sorted({typeid(Prefix.CHANNEL, one.channel_id) for one in claimed if one.channel_id is not None}),
        arrivals=len(claimed),
    )
    for state, count in Tally(ended.state.value for ended in settled).items():
        SETTLED.labels(state).inc(count)
    for one in claimed:
        LAG.observe(max(0.0, (now - one.received_at).total_seconds()))


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a run of one brand's arrivals says, and what is read of its texts."""

    bodies: dict[UUID, Raw]
    parsed: list[tuple[Claimed, Parsed | BadPayload]]
    parts: list[HeardPart]
    readings: Readings


async def _hear(worker: Worker, brand_id: UUID, claimed: Sequence[Claimed]) -> _Heard:
    """Parse a run and read its texts, off the loop, before the transaction that records them."""
    async with worker.db.session() as session:
        await scopes.house(session, brand_id)
        home = await brands.languages(session, brand_id)
        bodies = await inbox.bodies(session, [one.id for one in claimed])
        external_ids = await _external_ids(session, brand_id, {one.channel_id for one in claimed if one.channel_id})
    parsed: list[tuple[Claimed, Parsed | BadPayload]] = []
    for one in claimed:
        raw = bodies.get(one.id)
        if raw is None or one.channel_id is None:
            continue
        parsed.append((one, reading.parse(one, external_ids.get(one.channel_id, ""), raw)))
    parts = [reading.heard_part(one, found) for one, found in parsed if isinstance(found, Parsed) and found.heard]
    readings = Readings(worker.reader, home=home)
    texts = reading.texts(parts)
    if texts:
        await asyncio.to_thread(readings.ahead, texts)
    return _Heard(bodies, parsed, parts, readings)


async def _record(
    worker: Worker, session: Session, brand_id: UUID, claimed: Sequence[Claimed], heard: _Heard
) -> list[Settled]:
    """Record and settle a run of one brand's arrivals."""
    scope = await scopes.house(session, brand_id)
    now, bodies, parsed, parts = _now(), heard.bodies, heard.parsed, heard.parts
    named = [found for one, read in parsed for found in reading.named(one, read, bodies[one.id].headers)]
    recorded: list[list[UUID]] = []
    if parts:
        recorded = await record.record(
            session, scope, parts, now=now, readings=heard.readings, ears=worker.ears, cascade=worker.cascade
        )
    touched = iter(recorded)
    settled = [
        reading.settled(
            one, found, bodies[one.id].headers, next(touched) if isinstance(found, Parsed) and found.heard else []
        )
        for one, found in parsed
    ]
    await inbox.settle(session, settled, now=now)
    if named:
        await pointers.note(session, scope, named, lanes=await _lanes(session, scope, named))
    await _heard_from(session, brand_id, claimed)
    return settled


async def _lanes(session: Session, scope: Scope, named: Sequence[Named]) -> dict[UUID, str]:
    """Where the networks of these channels answer from."""
    known = await channels.by_ids(session, scope, {one.channel_id for one in named})
    return {id_: lane_of(channel, connector(channel.network).card) for id_, channel in known.items()}


async def _external_ids(session: Session, brand_id: UUID, channel_ids: set[UUID]) -> dict[UUID, str]:
    rows = await (await driver(session)).fetch(
        "SELECT id, external_id FROM channel WHERE brand_id = $1 AND id = ANY ($2)", brand_id, list(channel_ids)
    )
    return {row["id"]: row["external_id"] for row in rows}


async def _heard_from(session: Session, brand_id: UUID, claimed: Sequence[Claimed]) -> None:
    latest: dict[UUID, datetime] = {}
    for one in claimed:
        if one.channel_id is not None:
            latest[one.channel_id] = max(one.received_at, latest.get(one.channel_id, one.received_at))
    ids = sorted(latest)
    await (await driver(session)).execute(
        "UPDATE channel c SET last_heard_at = greatest(c.last_heard_at, h.at)"
        " FROM unnest($2::uuid[], $3::timestamptz[]) AS h (id, at) WHERE c.brand_id = $1 AND c.id = h.id",
        brand_id,
        ids,
        [latest[i] for i in ids],
    )
