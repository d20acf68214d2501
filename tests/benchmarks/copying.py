"""Near copies: texts signed, and found again among a million others."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import numpy as np

from shared.analysis import fingerprint
from shared.analysis.fingerprint import Fingerprint
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening.families import Wording
from shared.domain.listening.wordings import Stored
from tests.analysis import edited
from tests.benchmarks.measuring import (
    POSTGRES,
    PROCESSOR,
    RATE,
    Figure,
    Plan,
    Result,
    Samples,
    Target,
    in_turns,
    verify,
)
from tests.benchmarks.rig import Rig
from tests.conftest import TestDatabase

SIGNED, FOUND = "signed", "looked up"
RECALL = Figure("recall", "%")
_AT_ONCE = 10_000
_BATCH = 200  # texts that are looked up at once
_WORDINGS = ("brand_id", "wording", "leader", "cluster", "uses", "signature", "bands")
_INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'mention_bands' AND indexdef LIKE '%gin%'"


async def measure(rig: Rig, plan: Plan) -> Result:
    """Fingerprints a second, and near copies found among a million wordings of one brand."""
    rows = plan.pick(1_000_000, 2_000)
    each = plan.pick(250, 25)
    pairs = [pair for kind in sorted(edited.EDITS) for pair in edited.pairs(kind, each, plan.seed)]
    originals = _long([original for original, _ in pairs])
    copies = _long([copy for _, copy in pairs])
    async with rig.database() as database, rig.house(database) as house:
        brand = await house.brand()
        await _fill(database, brand.brand_id, rows, plan.seed)
        async with _opened(database) as db:
            await _store(db, brand.brand_id, originals)
            sides = await in_turns(
                {
                    SIGNED: _signed([copy for _, copy in pairs]),
                    FOUND: _found(rig, db, brand.brand_id, originals, copies),
                },
                rounds=plan.rounds,
            )
    signed, found = sides
    return Result(
        title="Near copies",
        what=f"{len(pairs):,} texts of 15 to 40 words in four languages, each edited in one of eight ways (case, links,"
        " tags and handles, emoji, a prefix, accents, one or two words, a cut end): made into fingerprints with their"
        f" signatures and bands, and looked up among {rows:,} other wordings of the same brand, {_BATCH} at a time,"
        " under the worker's role and scope.",
        sides=sides,
        targets=[
            Target("texts signed a second of one core", signed[RATE].median, "≥", 20_000, "/s"),
            Target("look-ups a second", found[RATE].median, "≥", 5_000, "/s"),
            Target("edited texts that find their original", found[RECALL].median, "≥", 98, "%"),
        ],
        verified="each look-up's answer was searched for the text that was edited, by its words or as near to it.",
        notes=["What is looked up is compared by its whole signature in the worker's process, which counts here."],
    )


def _long(texts: Sequence[str]) -> list[Fingerprint]:
    found = [one for text in texts if (one := fingerprint.of(text)) is not None and one.is_long]
    verify(len(found) == len(texts), "a text is too short to be looked up")
    return found


async def _fill(database: TestDatabase, brand_id: UUID, rows: int, seed: int) -> None:
    """That many wordings that are near none of the others; the indexes are made when they are there."""
    chance = np.random.Generator(np.random.PCG64(seed))
    connection = await asyncpg.connect(database.owner_url)
    try:
        indexes = await connection.fetch(_INDEXES)
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["indexname"]}"')
        for start in range(0, rows, _AT_ONCE):
            number = min(_AT_ONCE, rows - start)
            signatures = chance.integers(1 << 32, size=(number, fingerprint.PLACES), dtype=np.uint32)
            bands = fingerprint.bands(signatures).tolist()  # of chance, as salted ones are
            ids = [uuid4() for _ in range(number)]
            records = [
                (brand_id, id_, id_, uuid4(), 1, row.tobytes(), mine)
                for id_, row, mine in zip(ids, signatures, bands, strict=True)
            ]
            await connection.copy_records_to_table("mention_bands", records=records, columns=_WORDINGS)
        for index in indexes:
            await connection.execute(index["indexdef"])
        await connection.execute("ANALYZE mention_bands")
    finally:
        await connection.close()


@asynccontextmanager
async def _opened(database: TestDatabase) -> AsyncIterator[Database]:
    db = Database(database.worker_url, name="bench", size=1)
    try:
        yield db
    finally:
        await db.close()


async def _store(db: Database, brand_id: UUID, originals: Sequence[Fingerprint]) -> None:
    new = list({one.digest: one for one in originals}.values())
    rows = fingerprint.signatures(new)
    wordings = [Wording(one.digest, row, 1, one.digest, uuid4()) for one, row in zip(new, rows, strict=True)]
    async with db.session() as session:
        await scopes.house(session, brand_id)
        await Stored(session, brand_id).put(wordings)


def _signed(texts: Sequence[str]) -> Callable[[], Awaitable[Samples]]:
    async def round_() -> Samples:
        began = time.process_time()
        found = [one for text in texts if (one := fingerprint.of(text)) is not None]
        fingerprint.bands(fingerprint.signatures(found))
        took = time.process_time() - began
        return {RATE: len(texts) / took, PROCESSOR: took / len(texts) * 1e6}

    return round_


def _found(
    rig: Rig, db: Database, brand_id: UUID, originals: Sequence[Fingerprint], copies: Sequence[Fingerprint]
) -> Callable[[], Awaitable[Samples]]:
    signatures = fingerprint.signatures(copies)
    bands = fingerprint.bands(signatures)

    async def round_() -> Samples:
        began, own, postgres = time.perf_counter(), time.process_time(), rig.postgres_processor()
        hits = 0
        async with db.session() as session:
            await scopes.house(session, brand_id)
            stored = Stored(session, brand_id)
            for start in range(0, len(copies), _BATCH):
                known = {one.id: one.signature for one in await stored.leading(bands[start : start + _BATCH])}
                for place in range(start, min(start + _BATCH, len(copies))):
                    original = known.get(originals[place].digest)
                    same = originals[place].digest == copies[place].digest
                    hits += same or (
                        original is not None and bool(fingerprint.are_near(signatures[place], original[np.newaxis])[0])
                    )
        took, count = time.perf_counter() - began, len(copies)
        verify(hits > 0, "nothing was found")
        return {
            RATE: count / took,
            PROCESSOR: (time.process_time() - own) / count * 1e6,
            POSTGRES: (rig.postgres_processor() - postgres) / count * 1e6,
            RECALL: 100 * hits / count,
        }

    return round_
